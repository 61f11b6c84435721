/** How a long log becomes a scroll bar: what is held has its true height, the rest an estimated one. */

export const LINE_PX = 18;
/** Browsers lose precision, and some height, beyond. */
const MOST_PX = 6_000_000;

export interface LogLayout {
  /** Pixels above the lines that are held, of them, and below. */
  before: number;
  held: number;
  after: number;
  /** Pixels a byte outside of what is held. */
  perByte: number;
}

export interface LogWindow {
  size: number;
  from: number;
  to: number;
  count: number;
  /** Bytes a line, estimated. */
  average: number;
}

export function layoutOf({ size, from, to, count, average }: LogWindow): LogLayout {
  const perByte = Math.min(LINE_PX / average, MOST_PX / Math.max(size, 1));
  return { before: from * perByte, held: count * LINE_PX, after: Math.max(0, size - to) * perByte, perByte };
}

export type Move =
  | { kind: 'none' }
  | { kind: 'more'; direction: 'forward' | 'backward' }
  | { kind: 'jump'; byte: number }
  | { kind: 'end' };

/** What is to be read when the view stands at this place. */
export function moveAt(top: number, height: number, layout: LogLayout, window: LogWindow): Move {
  const { before, held, after, perByte } = layout;
  const end = before + held;
  if (window.to < window.size && top > end && top + height >= end + after - 1) {
    return { kind: 'end' };
  }
  if (top + height < before - height && window.from > 0) {
    return { kind: 'jump', byte: top / perByte };
  }
  if (top > end + height && window.to < window.size) {
    return { kind: 'jump', byte: window.to + (top - end) / perByte };
  }
  if (top < before + height && window.from > 0) {
    return { kind: 'more', direction: 'backward' };
  }
  if (top + height > end - height && window.to < window.size) {
    return { kind: 'more', direction: 'forward' };
  }
  return { kind: 'none' };
}
