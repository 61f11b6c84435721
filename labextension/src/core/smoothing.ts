/**
 * Exponential moving average with the bias of its beginning taken out, as trackers show it.
 *
 * A point that is not finite is a break: it stays as it is, and counts for nothing.
 *
 * @param weight Share of what was before, from 0 (none) to below 1.
 * @param before The average of what came before the first value, where that is not the beginning.
 */
export function smoothed(values: Float64Array, weight: number, before = NaN): Float64Array {
  const result = new Float64Array(values.length);
  const continues = Number.isFinite(before);
  let last = continues ? before : 0;
  let share = continues ? 0 : 1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value)) {
      last = last * weight + (1 - weight) * value;
      share *= weight;
      result[i] = last / (1 - share);
    } else {
      result[i] = value;
    }
  }
  return result;
}
