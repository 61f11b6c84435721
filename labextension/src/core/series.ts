/** One metric as a page holds it: growing columns, or a sample of them, which the server makes before they are too many. */

import { signal } from '@preact/signals';

import type { SeriesFrame } from './frames';

export class Series {
  /** Goes up with every change that is to be seen. */
  readonly version = signal(0);
  /** Points of the whole series, held or not. */
  total = 0;
  /** Whether fewer points are held than there are. */
  sampled = false;

  private columns: [Float64Array, Float64Array, Float64Array] = [empty(), empty(), empty()];
  private held = 0;

  constructor(readonly name: string) {}

  /** Points that are held. */
  get length(): number {
    return this.held;
  }

  /** Views of what is held: good until the next frame is taken. */
  get step(): Float64Array {
    return this.columns[0].subarray(0, this.held);
  }

  get time(): Float64Array {
    return this.columns[1].subarray(0, this.held);
  }

  get value(): Float64Array {
    return this.columns[2].subarray(0, this.held);
  }

  get last(): number {
    return this.held ? (this.columns[2][this.held - 1] as number) : NaN;
  }

  /** Lowest and highest finite value; NaN, NaN if there is none. */
  extremes(): [number, number] {
    return extremesOf(this.value);
  }

  /** Take what the server sent; points that are held already are passed over. */
  take(frame: SeriesFrame): void {
    if (frame.replaces) {
      this.clear();
    }
    const known = Math.max(0, Math.min(this.total - frame.first, frame.value.length));
    if (known > 0 && frame.sampled) {
      return;
    }
    this.sampled ||= frame.sampled || frame.first > this.total;
    this.append(frame, known);
    this.total = Math.max(this.total, frame.total);
  }

  /** Forget all points. */
  clear(): void {
    this.total = 0;
    this.held = 0;
    this.sampled = false;
  }

  private append(frame: SeriesFrame, from: number): void {
    const added = frame.value.length - from;
    const needed = this.held + added;
    if (needed > this.columns[0].length) {
      const room = Math.max(needed, Math.ceil(this.columns[0].length * 1.5), 256);
      this.columns = [
        grown(this.columns[0], room, this.held),
        grown(this.columns[1], room, this.held),
        grown(this.columns[2], room, this.held)
      ];
    }
    this.columns[0].set(frame.step.subarray(from), this.held);
    this.columns[1].set(frame.time.subarray(from), this.held);
    this.columns[2].set(frame.value.subarray(from), this.held);
    this.held = needed;
  }
}

/** Lowest and highest finite value. */
export function extremesOf(values: Float64Array): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low && value !== -Infinity) {
      low = value;
    }
    if (value > high && value !== Infinity) {
      high = value;
    }
  }
  return low <= high ? [low, high] : [NaN, NaN];
}

function empty(): Float64Array {
  return new Float64Array(0);
}

function grown(column: Float64Array, room: number, held: number): Float64Array {
  const larger = new Float64Array(room);
  larger.set(column.subarray(0, held));
  return larger;
}
