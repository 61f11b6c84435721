import { describe, expect, it } from 'vitest';

import { decodeFrames, type SeriesFrame } from '../src/core/frames';
import { Series } from '../src/core/series';
import { smoothed } from '../src/core/smoothing';
import { encodeFrame } from '../dev/memory_stream';

interface Given {
  first: number;
  values: number[];
  total?: number;
  replaces?: boolean;
  sampled?: boolean;
}

function frame({ first, values, total, replaces = false, sampled = false }: Given): SeriesFrame {
  const step = values.map((_, at) => first + at);
  const flags = (replaces ? 1 : 0) + (sampled ? 2 : 0);
  const whole = {
    sub: 3,
    metric: 1,
    flags,
    first,
    total: total ?? first + values.length,
    step,
    time: step,
    value: values
  };
  return decodeFrames(encodeFrame(whole))[0] as SeriesFrame;
}

function seriesOf(frames: Given[]): Series {
  const series = new Series('loss');
  frames.forEach(one => series.take(frame(one)));
  return series;
}

describe('a series', () => {
  it.each<[string, Given[], number[], number, boolean]>([
    [
      'appends',
      [
        { first: 0, values: [1, 2] },
        { first: 2, values: [3] }
      ],
      [1, 2, 3],
      3,
      false
    ],
    [
      'passes over what it holds',
      [
        { first: 0, values: [1, 2] },
        { first: 1, values: [2, 3] }
      ],
      [1, 2, 3],
      3,
      false
    ],
    [
      'takes nothing twice',
      [
        { first: 0, values: [1, 2] },
        { first: 0, values: [1, 2] }
      ],
      [1, 2],
      2,
      false
    ],
    [
      'is begun anew',
      [
        { first: 0, values: [1, 2] },
        { first: 0, values: [7], replaces: true }
      ],
      [7],
      1,
      false
    ],
    [
      'goes on after a sample',
      [
        { first: 0, values: [1, 9], total: 100, replaces: true, sampled: true },
        { first: 100, values: [4] }
      ],
      [1, 9, 4],
      101,
      true
    ],
    [
      'is a sample if points are missing',
      [
        { first: 0, values: [1] },
        { first: 5, values: [6] }
      ],
      [1, 6],
      6,
      true
    ],
    ['keeps breaks', [{ first: 0, values: [1, NaN, Infinity] }], [1, NaN, Infinity], 3, false],
    ['may be empty', [{ first: 0, values: [] }], [], 0, false]
  ])('%s', (_, frames, values, total, sampled) => {
    const series = seriesOf(frames);
    expect([...series.value]).toEqual(values);
    expect([series.length, series.total, series.sampled]).toEqual([values.length, total, sampled]);
    expect(series.step).toHaveLength(values.length);
  });

  it('is empty after a reset, and takes what follows', () => {
    const series = seriesOf([{ first: 0, values: [1, 2, 3] }]);
    series.clear();
    series.take(frame({ first: 0, values: [5] }));
    expect([...series.value, series.total]).toEqual([5, 1]);
  });
});

describe('frames', () => {
  it('stand one behind the other', () => {
    const parts = [1, 2].map(metric =>
      encodeFrame({ sub: 1, metric, flags: 0, first: 0, total: 1, step: [4], time: [5], value: [6] })
    );
    const both = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
    parts.reduce((at, part) => (both.set(new Uint8Array(part), at), at + part.byteLength), 0);
    expect(decodeFrames(both.buffer).map(({ metric }) => metric)).toEqual([1, 2]);
  });

  it.each([8, 41, 63])('of %d bytes are refused', bytes => {
    const whole = encodeFrame({ sub: 1, metric: 0, flags: 0, first: 0, total: 1, step: [4], time: [5], value: [6] });
    expect(() => decodeFrames(whole.slice(0, bytes))).toThrow(RangeError);
  });
});

describe('smoothing', () => {
  it.each([
    [[1, 1, 1], 0.9, [1, 1, 1]],
    [[0, 1], 0.5, [0, 2 / 3]],
    [[2, NaN, 4], 0.5, [2, NaN, 10 / 3]],
    [[NaN, 3], 0.9, [NaN, 3]],
    [[], 0.5, []]
  ])('of %j by %d is %j', (values, weight, expected) => {
    const result = smoothed(Float64Array.from(values), weight);
    expect(result).toHaveLength(expected.length);
    expected.forEach((value, at) =>
      Number.isNaN(value) ? expect(result[at]).toBeNaN() : expect(result[at]).toBeCloseTo(value, 12)
    );
  });
});
