import { describe, expect, it } from 'vitest';

import type { LogMatches } from '../src/core/contract';
import { findLine, type LogFind } from '../src/views/log_find';

const SIZE = 1000;

/** A search in a file whose lines are ten bytes long; an answer looks at a hundred bytes of it. */
function searchIn(hits: readonly number[], forward: boolean, asked: number[] = []) {
  return (from: number): Promise<LogMatches> => {
    asked.push(from);
    const end = forward ? Math.min(SIZE, from + 100) : Math.max(0, from - 100);
    const isWithin = (at: number): boolean => (forward ? at + 9 >= from && at < end : at < from && at >= end);
    const found = (forward ? hits : [...hits].reverse()).filter(isWithin).slice(0, 2);
    const matches = found.map(at => ({ at, line: { at, text: '', styles: [] } }));
    return Promise.resolve({ matches, next: end > 0 && end < SIZE ? end : null });
  };
}

function find(hits: readonly number[], asked: Partial<LogFind>) {
  const whole: LogFind = { from: 500, after: false, direction: 'forward', size: SIZE, ...asked };
  return findLine(whole, searchIn(hits, whole.direction === 'forward'), () => true);
}

describe('a search in a log', () => {
  it.each([
    ['the line one is at', [10, 500], {}, 500, false],
    ['not the one that was found last', [10, 500, 800], { after: true }, 800, false],
    ['what lies far below', [990], { from: 0 }, 990, false],
    ['from the top, at the end', [10, 300], {}, 10, true],
    ['the only one again', [500], { after: true }, 500, true],
    ['what lies above', [10, 300, 500, 800], { direction: 'backward', after: true }, 300, false],
    ['from the end, at the beginning', [500, 800], { direction: 'backward', after: true }, 800, true],
    ['the only one again, upward', [500], { direction: 'backward', after: true }, 500, true]
  ] as const)('finds %s', async (_, hits, asked, at, round) => {
    expect(await find(hits, asked)).toEqual({ at, round });
  });

  it.each(['forward', 'backward'] as const)('%s ends where it began', async direction => {
    expect(await find([], { direction })).toBeNull();
  });

  it('reads every part once, tells how far it is, and ends when it is told to', async () => {
    const [asked, told]: [number[], number[]] = [[], []];
    const whole: LogFind = { from: 500, after: false, direction: 'forward', size: SIZE };
    await findLine(whole, searchIn([], true, asked), searched => told.push(searched) < 7);
    expect(asked).toEqual([500, 600, 700, 800, 900, 0, 100]);
    expect(told).toEqual([100, 200, 300, 400, 500, 600, 700]);
  });
});
