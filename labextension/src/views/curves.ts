/** What a chart draws of its series: sorted columns over the chosen axis, smoothed, and their ranges. */

import type { ReadonlySignal } from '@preact/signals';

import type { CurveStyle } from '../core/colours';
import { smoothed } from '../core/smoothing';

/** Ends of an axis are no larger, so that the distance between them is a number. */
const MOST = Number.MAX_VALUE / 4;

export type Axis = 'step' | 'time' | 'relative';
export type Range = readonly [number, number];

/** Columns of one metric; `Series` is one. */
export interface Columns {
  readonly step: Float64Array;
  readonly time: Float64Array;
  readonly value: Float64Array;
  /** A band around the values, as long as they are. */
  readonly low?: Float64Array;
  readonly high?: Float64Array;
}

export interface CurveSource extends Columns {
  /** Goes up with every change. */
  readonly version: ReadonlySignal<number>;
  /** Points of the whole series. */
  readonly total: number;
  /** Whether these are not all of them. */
  readonly sampled: boolean;
}

/** One named series of a chart. */
export interface ChartSeries {
  key: string;
  label: string;
  /** Its metric, in a chart of several metrics; left out where all series are of the one in the title. */
  metric?: string;
  style: CurveStyle;
  source: CurveSource;
  /** The Unix time that is zero on the relative axis. */
  origin: number;
  /** Whether its values are seen from zero up, as shares and amounts of something are. */
  fromZero?: boolean;
  /** More of it within a range of the axis; asked for when the chart is zoomed. */
  detail?: (axis: 'step' | 'time', range: Range, points: number) => Promise<Columns>;
}

/** What is drawn of it: `x` never falls. */
export interface Curve {
  key: string;
  label: string;
  style: CurveStyle;
  x: Float64Array;
  y: Float64Array;
  /** The values as they are, behind the smoothed ones. */
  raw: Float64Array | null;
  low: Float64Array | null;
  high: Float64Array | null;
}

/** Make a curve of a series; `detail` takes the place of what it holds up to where it ends. */
export function curveOf(series: ChartSeries, axis: Axis, weight: number, detail: Columns | null): Curve {
  if (!detail) {
    return curveOfColumns(series, series.source, axis, weight, NaN);
  }
  const from = detail.time[0] ?? NaN;
  const before = weight > 0 ? averageBefore(curveOfColumns(series, series.source, 'time', weight, NaN), from) : NaN;
  return curveOfColumns(series, joined(detail, series.source), axis, weight, before);
}

/** What a smoothed curve has come to before a place of x; NaN if it begins there. */
function averageBefore({ x, y }: Curve, place: number): number {
  let at = lowerBound(x, place) - 1;
  while (at >= 0 && !Number.isFinite(y[at])) {
    at--;
  }
  return y[at] ?? NaN;
}

function curveOfColumns(series: ChartSeries, columns: Columns, axis: Axis, weight: number, before: number): Curve {
  let x = axis === 'step' ? columns.step : columns.time;
  if (axis === 'relative') {
    x = x.map(time => time - series.origin);
  }
  let y = columns.value;
  let [low, high] = [columns.low ?? null, columns.high ?? null];
  const order = orderOf(x);
  if (order) {
    [x, y] = [picked(x, order), picked(y, order)];
    [low, high] = [low && picked(low, order), high && picked(high, order)];
  }
  const raw = weight > 0 ? y : null;
  return {
    key: series.key,
    label: series.label,
    style: series.style,
    x,
    y: raw ? smoothed(raw, weight, before) : y,
    raw,
    low,
    high
  };
}

/** Range of the curves along x; null if there is no point. */
export function rangeOfX(curves: readonly Curve[]): Range | null {
  let [low, high] = [Infinity, -Infinity];
  for (const { x } of curves) {
    if (x.length > 0) {
      low = Math.min(low, x[0] as number);
      high = Math.max(high, x[x.length - 1] as number);
    }
  }
  return low <= high ? [low, high] : null;
}

/** Range of the values between two places of x, with some room; positive ones only for a logarithmic scale. */
export function rangeOfY(curves: readonly Curve[], [from, to]: Range, log: boolean, fromZero = false): Range {
  let [low, high] = fromZero && !log ? [0, 0] : [Infinity, -Infinity];
  for (const { x, y, raw, low: lower, high: upper } of curves) {
    const [begin, end] = within(x, from, to);
    for (const column of [y, raw, lower, upper]) {
      for (let i = begin; column && i < end; i++) {
        const value = column[i] as number;
        if (Number.isFinite(value) && (!log || value > 0)) {
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
      }
    }
  }
  if (low > high) {
    return log ? [0.1, 1] : [0, 1];
  }
  return log ? roomLog(low, high) : room(low, high);
}

/** Positions of the points from one place of x up to another, and one more on either side. */
export function within(x: Float64Array, from: number, to: number): [number, number] {
  return [Math.max(0, lowerBound(x, from) - 1), Math.min(x.length, upperBound(x, to) + 1)];
}

/** Position of the point nearest to a place of x; -1 if there is none, or if all end farther from it than `beyond`. */
export function nearest(x: Float64Array, place: number, beyond: number): number {
  const after = lowerBound(x, place);
  if (after === 0 || after === x.length) {
    const end = Math.min(after, x.length - 1);
    return Math.abs((x[end] ?? NaN) - place) <= beyond ? end : -1;
  }
  return place - (x[after - 1] as number) <= (x[after] as number) - place ? after - 1 : after;
}

function lowerBound(x: Float64Array, place: number): number {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] as number) < place) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function upperBound(x: Float64Array, place: number): number {
  let [low, high] = [0, x.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] as number) <= place) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function room(low: number, high: number): Range {
  const margin = isWide(low, high) ? 0.06 * (high - low) : Math.abs(high) / 2 || 0.5;
  return bounded(low - margin, high + margin);
}

function roomLog(low: number, high: number): Range {
  const factor = isWide(low, high) ? 10 ** (0.06 * (Math.log10(high) - Math.log10(low))) : 2;
  return bounded(Math.max(low / factor, Number.MIN_VALUE), high * factor);
}

/** The range of an axis; one that is too narrow for its numbers to be told apart is made wider. */
export function widened([low, high]: Range): Range {
  const margin = isWide(low, high) ? 0 : Math.max(0.5, 1e-9 * Math.max(Math.abs(low), Math.abs(high)));
  return bounded(low - margin, high + margin);
}

function bounded(low: number, high: number): Range {
  return [Math.min(Math.max(low, -MOST), MOST / 2), Math.max(Math.min(high, MOST), -MOST / 2)];
}

/** Whether the numbers between these are enough for marks: what differs in the last digits only is taken as equal. */
function isWide(low: number, high: number): boolean {
  return high - low > Math.max(1e-300, 1e-13 * Math.max(Math.abs(low), Math.abs(high)));
}

/** The detail, and what came behind it since. */
function joined(detail: Columns, live: Columns): Columns {
  const last = detail.time[detail.time.length - 1];
  if (last === undefined) {
    return live;
  }
  let from = live.time.length;
  while (from > 0 && (live.time[from - 1] as number) > last) {
    from--;
  }
  return {
    step: concatenated(detail.step, live.step.subarray(from)),
    time: concatenated(detail.time, live.time.subarray(from)),
    value: concatenated(detail.value, live.value.subarray(from))
  };
}

function concatenated(first: Float64Array, second: Float64Array): Float64Array {
  if (second.length === 0) {
    return first;
  }
  const whole = new Float64Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

/** The order in which x never falls, those of equal x as they came; null if it does not fall as it is. */
function orderOf(x: Float64Array): Uint32Array | null {
  let falls = false;
  for (let i = 1; i < x.length && !falls; i++) {
    falls = (x[i] as number) < (x[i - 1] as number);
  }
  return falls ? Uint32Array.from(x.keys()).sort((a, b) => (x[a] as number) - (x[b] as number) || a - b) : null;
}

function picked(column: Float64Array, order: Uint32Array): Float64Array {
  return Float64Array.from(order, at => column[at] as number);
}
