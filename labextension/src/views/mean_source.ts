/** The mean of several curves and the band between their lowest and highest, on common steps. */

import { computed, type ReadonlySignal } from '@preact/signals';

import type { CurveSource } from './curves';

const POINTS = 400;

interface Columns {
  step: Float64Array;
  time: Float64Array;
  value: Float64Array;
  low: Float64Array;
  high: Float64Array;
}

/** Each curve is followed from point to point; where a curve has not begun or has ended, the others go on alone. */
export class MeanSource implements CurveSource {
  readonly version: ReadonlySignal<number>;
  readonly sampled = true;
  private made: { version: number; columns: Columns } | null = null;

  /** @param origins Unix time at which each curve's run began: on the time axis they all begin together. */
  constructor(
    private readonly curves: readonly CurveSource[],
    private readonly origins: readonly number[]
  ) {
    this.version = computed(() => curves.reduce((sum, curve) => sum + curve.version.value, 0));
  }

  get total(): number {
    return this.curves.reduce((sum, curve) => sum + curve.total, 0);
  }

  get step(): Float64Array {
    return this.columns().step;
  }

  /** Seconds since the beginning of the runs. */
  get time(): Float64Array {
    return this.columns().time;
  }

  get value(): Float64Array {
    return this.columns().value;
  }

  get low(): Float64Array {
    return this.columns().low;
  }

  get high(): Float64Array {
    return this.columns().high;
  }

  private columns(): Columns {
    const version = this.version.value;
    if (this.made?.version !== version) {
      this.made = { version, columns: meanOf(this.curves, this.origins) };
    }
    return this.made.columns;
  }
}

export function meanOf(curves: readonly CurveSource[], origins: readonly number[]): Columns {
  const whole = curves
    .map((curve, index) => ({ curve, origin: origins[index] ?? 0 }))
    .filter(each => each.curve.step.length > 0);
  const steps = commonSteps(whole.map(each => each.curve.step));
  const size = steps.length;
  const found: Columns = {
    step: steps,
    time: new Float64Array(size).fill(NaN),
    value: new Float64Array(size).fill(NaN),
    low: new Float64Array(size).fill(NaN),
    high: new Float64Array(size).fill(NaN)
  };
  const at = whole.map(() => 0);
  for (let index = 0; index < size; index++) {
    const step = steps[index] as number;
    let [count, sum, low, high, time] = [0, 0, Infinity, -Infinity, 0];
    whole.forEach(({ curve, origin }, position) => {
      at[position] = advanced(curve.step, at[position] as number, step);
      const value = valueAt(curve.step, curve.value, at[position], step);
      if (Number.isFinite(value)) {
        count++;
        sum += value;
        low = Math.min(low, value);
        high = Math.max(high, value);
        time += valueAt(curve.step, curve.time, at[position], step) - origin;
      }
    });
    if (count > 0) {
      found.value[index] = sum / count;
      found.low[index] = low;
      found.high[index] = high;
      found.time[index] = time / count;
    }
  }
  return found;
}

/** Steps at which any curve has a point; evenly spaced ones if those are too many. */
function commonSteps(columns: readonly Float64Array[]): Float64Array {
  const all = new Set<number>();
  for (const column of columns) {
    if (all.size > POINTS) {
      break;
    }
    column.forEach(step => all.add(step));
  }
  if (all.size <= POINTS) {
    return Float64Array.from(all).sort();
  }
  const low = Math.min(...columns.map(column => column[0] as number));
  const high = Math.max(...columns.map(column => column[column.length - 1] as number));
  return Float64Array.from({ length: POINTS }, (_, index) => low + ((high - low) * index) / (POINTS - 1));
}

/** The last position at or before a step, looked for from an earlier one. */
function advanced(steps: Float64Array, from: number, step: number): number {
  let at = from;
  while (at + 1 < steps.length && (steps[at + 1] as number) <= step) {
    at++;
  }
  return at;
}

/** Between two points the straight line; NaN before the first and after the last. */
function valueAt(steps: Float64Array, values: Float64Array, at: number, step: number): number {
  const before = steps[at] as number;
  if (step === before) {
    return values[at] as number;
  }
  if (step < before || at + 1 >= steps.length) {
    return NaN;
  }
  const share = (step - before) / ((steps[at + 1] as number) - before);
  return (values[at] as number) + share * ((values[at + 1] as number) - (values[at] as number));
}
