/**
 * Series as the server sends them, over the stream and from `series`: frames one behind the other, little endian.
 *
 *     u32 kind (1)   u32 sub       u32 metric    u32 flags
 *     u64 first      u64 total     u32 n         u32 0
 *     f64 step[n]    f64 time[n]   f64 value[n]
 */

/** What the page holds of this metric is void: this frame begins it anew. */
const REPLACES = 1;
/** Not every point is in the frame; first, last, lowest and highest are. */
const SAMPLED = 2;

const SERIES = 1;
const HEADER_BYTES = 40;

export interface SeriesFrame {
  /** The subscription; 0 in an answer of `series`. */
  sub: number;
  /** Position among the names that were told (stream) or asked for (`series`). */
  metric: number;
  replaces: boolean;
  sampled: boolean;
  /** Position of the frame's first point in the whole series. */
  first: number;
  /** Points of the whole series as of this frame. */
  total: number;
  step: Float64Array;
  /** Unix seconds. */
  time: Float64Array;
  value: Float64Array;
}

/**
 * Take frames apart; the arrays are views of the message.
 *
 * @throws RangeError The message is no sequence of whole frames.
 */
export function decodeFrames(message: ArrayBuffer): SeriesFrame[] {
  const found: SeriesFrame[] = [];
  const view = new DataView(message);
  let at = 0;
  while (at < message.byteLength) {
    if (message.byteLength - at < HEADER_BYTES || view.getUint32(at, true) !== SERIES) {
      throw new RangeError(`no frame at byte ${at} of ${message.byteLength}`);
    }
    const flags = view.getUint32(at + 12, true);
    const n = view.getUint32(at + 32, true);
    const body = at + HEADER_BYTES;
    if (message.byteLength - body < 24 * n) {
      throw new RangeError(`a frame of ${n} points at byte ${at} ends at byte ${message.byteLength}`);
    }
    found.push({
      sub: view.getUint32(at + 4, true),
      metric: view.getUint32(at + 8, true),
      replaces: (flags & REPLACES) !== 0,
      sampled: (flags & SAMPLED) !== 0,
      first: Number(view.getBigUint64(at + 16, true)),
      total: Number(view.getBigUint64(at + 24, true)),
      step: new Float64Array(message, body, n),
      time: new Float64Array(message, body + 8 * n, n),
      value: new Float64Array(message, body + 16 * n, n)
    });
    at = body + 24 * n;
  }
  return found;
}
