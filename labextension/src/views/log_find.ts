/** The next line of a log that holds a text, however long the log is: part by part, and round the file's end. */

import type { Direction } from '../core/client';
import type { LogMatches } from '../core/contract';

export interface LogFind {
  /** Where it begins. */
  from: number;
  /** Whether `from` is a line that was found already: it comes last. */
  after: boolean;
  direction: Direction;
  /** Bytes of the file. */
  size: number;
}

export interface FoundLine {
  at: number;
  /** Whether it lies behind the end at which the search went round. */
  round: boolean;
}

/**
 * Look for a line until it is found, or all of the file was searched.
 *
 * @param ask Search a part of the file.
 * @param goesOn Told how many bytes were searched; ends the search by `false`.
 */
export async function findLine(
  { from, after, direction, size }: LogFind,
  ask: (from: number) => Promise<LogMatches>,
  goesOn: (searched: number) => boolean
): Promise<FoundLine | null> {
  const forward = direction === 'forward';
  const isRest = (at: number): boolean => (forward ? at <= from : at >= from);
  let searched = 0;
  for (const round of [false, true]) {
    let at: number | null = round ? (forward ? 0 : size) : forward && after ? from + 1 : from;
    while (at !== null && !(round && !isRest(at))) {
      const { matches, next }: LogMatches = await ask(at);
      const found = matches.find(match => round || !after || match.at !== from);
      if (found) {
        return round && !isRest(found.at) ? null : { at: found.at, round };
      }
      searched += Math.abs((next ?? (forward ? size : 0)) - at);
      if (!goesOn(Math.min(searched, size))) {
        return null;
      }
      at = next;
    }
  }
  return null;
}
