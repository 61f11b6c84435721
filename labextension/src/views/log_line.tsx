/** A line of a log with its colours, and with what was searched for. */

import type { CSSProperties } from 'preact';

import { contrasting, readable } from '../core/colours';
import type { LogLine, LogStyle } from '../core/contract';

/** Characters of a line that are shown. */
const LONGEST = 4000;

interface Segment {
  text: string;
  style: LogStyle | null;
  found: boolean;
}

export function LineText({ line, find }: { line: LogLine; find: string }) {
  return (
    <>
      {segmentsOf(line, find).map(({ text, style, found }, at) => {
        const shown = style ? (
          <span key={at} class={classOf(style)} style={inlineOf(style)}>
            {text}
          </span>
        ) : (
          text
        );
        return found ? <mark key={at}>{shown}</mark> : shown;
      })}
    </>
  );
}

/** Pieces of a line that look the same. */
export function segmentsOf(line: LogLine, find: string): Segment[] {
  const text = line.text.length > LONGEST ? `${line.text.slice(0, LONGEST)} …` : line.text;
  const found = find ? placesOf(text, find) : [];
  const bounds = new Set([0, text.length]);
  for (const [begin, end] of [...line.styles, ...found]) {
    bounds.add(Math.min(begin, text.length));
    bounds.add(Math.min(end, text.length));
  }
  const sorted = [...bounds].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((begin, at) => {
    const inside = ([from, to]: readonly [number, number, ...unknown[]]): boolean => from <= begin && begin < to;
    return {
      text: text.slice(begin, sorted[at + 1]),
      style: line.styles.find(inside)?.[2] ?? null,
      found: found.some(inside)
    };
  });
}

function placesOf(text: string, find: string): [number, number][] {
  const places: [number, number][] = [];
  const [where, what] = [text.toLowerCase(), find.toLowerCase()];
  for (let at = where.indexOf(what); at >= 0 && places.length < 200; at = where.indexOf(what, at + what.length)) {
    places.push([at, at + what.length]);
  }
  return places;
}

function classOf(style: LogStyle): string {
  const flags = (['bold', 'dim', 'italic', 'underline', 'inverse'] as const).filter(flag => style[flag]);
  const classes = flags.map(flag => `amlnb-ansi-${flag}`);
  if (typeof style.colour === 'number' && style.ground === undefined) {
    classes.push(`amlnb-ansi-${style.colour}`);
  }
  if (typeof style.ground === 'number') {
    classes.push(`amlnb-ansi-on-${style.ground}`);
  }
  return classes.join(' ');
}

/** Colours that are none of the sixteen: made readable on both themes. */
function inlineOf({ colour, ground }: LogStyle): CSSProperties {
  if (Array.isArray(ground)) {
    return { background: cssOf(ground), color: contrasting(ground) };
  }
  return Array.isArray(colour) && ground === undefined ? { color: cssOf(readable(colour)) } : {};
}

function cssOf([red, green, blue]: readonly [number, number, number]): string {
  return `rgb(${red}, ${green}, ${blue})`;
}
