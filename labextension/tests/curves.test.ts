import { signal } from '@preact/signals';
import { describe, expect, it } from 'vitest';

import { curveStyle } from '../src/core/colours';
import { csvOf, svgOf } from '../src/views/chart_export';
import { tellingRows } from '../src/views/chart_table';
import { trace, type Frame, type Sink } from '../src/views/curve_drawing';
import { logSplits } from '../src/core/ticks';
import { curveOf, nearest, rangeOfX, rangeOfY, type ChartSeries, type Columns } from '../src/views/curves';

function columns(step: number[], value: number[]): Columns {
  return {
    step: Float64Array.from(step),
    time: Float64Array.from(step, at => 1000 + at),
    value: Float64Array.from(value)
  };
}

function series(step: number[], value: number[]): ChartSeries {
  const source = { ...columns(step, value), version: signal(0), total: step.length, sampled: false };
  return { key: 'loss', label: 'loss', style: curveStyle(0), source, origin: 1001 };
}

const FRAME: Frame = { left: 0, top: 0, width: 100, height: 100, x: [0, 100], y: [0, 1], log: false };

function traced(x: number[], y: number[], frame: Frame = FRAME): { path: string; dots: number[] } {
  const parts: string[] = [];
  const dots: number[] = [];
  const sink: Sink = {
    moveTo: (px, py) => parts.push(`M${px},${py.toFixed(0)}`),
    lineTo: (px, py) => parts.push(`L${px},${py.toFixed(0)}`)
  };
  trace(sink, Float64Array.from(x), Float64Array.from(y), frame, dots);
  return { path: parts.join(' '), dots };
}

describe('a curve', () => {
  it('goes along the step, the time, or the time since the start', () => {
    const one = series([1, 2], [5, 6]);
    expect((['step', 'time', 'relative'] as const).map(axis => [...curveOf(one, axis, 0, null).x])).toEqual([
      [1, 2],
      [1001, 1002],
      [0, 1]
    ]);
  });

  it('is in order where steps go back, those of one step as they came', () => {
    const { x, y } = curveOf(series([0, 2, 1, 2], [1, 2, 3, 4]), 'step', 0, null);
    expect([[...x], [...y]]).toEqual([
      [0, 1, 2, 2],
      [1, 3, 2, 4]
    ]);
  });

  it('has its raw values behind the smoothed ones', () => {
    const { y, raw } = curveOf(series([0, 1], [0, 1]), 'step', 0.5, null);
    expect([...(raw ?? [])]).toEqual([0, 1]);
    expect(y[1]).toBeCloseTo(2 / 3, 12);
  });

  it('has the detail in place of what is held, and what came since', () => {
    const { x } = curveOf(series([0, 10, 20, 30], [0, 1, 2, 3]), 'step', 0, columns([8, 9, 10, 11], [1, 1, 1, 1]));
    expect([...x]).toEqual([8, 9, 10, 11, 20, 30]);
  });

  it('goes on, where it is zoomed, from the average that it had come to', () => {
    const held = series([0, 10, 20], [4, 4, 0]);
    expect([...curveOf(held, 'step', 0.5, columns([18, 19, 20], [0, 0, 0])).y]).toEqual([2, 1, 0.5]);
    expect([...curveOf(held, 'step', 0.5, columns([0, 1], [0, 8])).y.subarray(0, 2)]).toEqual([0, 16 / 3]);
  });

  it.each([
    [[], 5, -1],
    [[1], 3, 0],
    [[1, 4, 6], 5.2, 2],
    [[1, 4, 6], 0, 0],
    [[1, 4, 6], 8, 2],
    [[1, 4, 6], 8.1, -1],
    [[1, 4, 6], -1.1, -1]
  ])('of %j is nearest to %d at %d, up to a little beyond its ends', (x, place, position) => {
    expect(nearest(Float64Array.from(x), place, 2)).toBe(position);
  });

  it('tells its ranges: finite values that are seen, positive ones for a logarithm', () => {
    const curve = curveOf(series([0, 1, 2, 3, 50], [1, NaN, -5, Infinity, 100]), 'step', 0, null);
    expect(rangeOfX([curve])).toEqual([0, 50]);
    expect(rangeOfX([])).toBeNull();
    const [low, high] = rangeOfY([curve], [0, 2], false);
    expect([low < -5, low > -6, high > 1, high < 2]).toEqual([true, true, true, true]);
    expect(rangeOfY([curve], [0, 50], true)[0]).toBeGreaterThan(0.5);
    expect(rangeOfY([], [0, 1], false)).toEqual([0, 1]);
  });
});

describe('the range of values', () => {
  const rangeOf = (values: number[], log: boolean): readonly [number, number] =>
    rangeOfY([curveOf(series([...values.keys()], values), 'step', 0, null)], [0, values.length], log);

  it.each([
    [[1, 1e150, 1e300], true],
    [[1, 5e-324], true],
    [[5e-324, 1.7e308], true],
    [[-1e308, 1.7e308], false],
    [[1.7e308], false]
  ])('of %j, logarithmic %s, has ends whose distance is a number', (values, log) => {
    const [low, high] = rangeOf(values, log);
    expect(Number.isFinite(high - low) && high > low && (!log || low > 0)).toBe(true);
    expect(logSplits([Math.max(low, Number.MIN_VALUE), high]).length).toBeLessThan(20);
  });

  it.each([[[1, 0.9999999999999999]], [[1.7e18, 1.7e18 + 256]], [[3, 3]]])(
    'of %j, which axis marks cannot tell apart, is that of one value',
    ([first, second]) => {
      const [low, high] = rangeOf([first as number, second as number], false);
      expect([low / (first as number), high / (first as number)]).toEqual([
        expect.closeTo(0.5, 9) as number,
        expect.closeTo(1.5, 9) as number
      ]);
    }
  );
});

describe('a trace', () => {
  it('breaks at what is not finite; a lone point is a dot', () => {
    const { path, dots } = traced([0, 10, 20, 30, 40, 50], [0, 1, NaN, 0.5, NaN, 1]);
    expect(path).toBe('M0,100 L10,0 M30,50 M50,0');
    expect(dots).toEqual([30, 50, 50, 0]);
  });

  it('leaves out what a logarithm does not have', () => {
    expect(traced([0, 10, 20], [1, 0, 10], { ...FRAME, y: [1, 10], log: true }).dots).toEqual([0, 100, 20, 0]);
  });

  it('of very many points keeps the extremes of each column of pixels', () => {
    const x = Array.from({ length: 10_000 }, (_, at) => at / 100);
    const y = x.map((_, at) => (at === 5005 ? 1 : at === 5006 ? 0 : 0.5));
    const { path } = traced(x, y);
    expect(path).toContain('L50,0 L50,100');
    expect(path.split(' ').length).toBeLessThan(500);
  });
});

describe('what is behind a chart', () => {
  it('tells first, last, lowest and highest of a long series', () => {
    const values = Float64Array.from({ length: 1000 }, (_, at) => (at === 300 ? -1 : at === 777 ? 9 : 1));
    const rows = tellingRows(values);
    const noted = rows.filter(({ notes }) => notes.length > 0).map(({ at, notes }) => [at, notes.join()]);
    expect(noted).toEqual([
      [0, 'first'],
      [300, 'lowest'],
      [777, 'highest'],
      [999, 'last']
    ]);
    expect(rows.length).toBeLessThan(20);
    expect(tellingRows(new Float64Array(0))).toEqual([]);
    expect(tellingRows(Float64Array.of(NaN))).toEqual([{ at: 0, notes: ['first', 'last'] }]);
  });

  it('is saved as CSV that no spreadsheet runs', () => {
    const curve = { ...curveOf(series([0, 1], [1, NaN]), 'step', 0.9, null), run: '=cmd("x")', metric: 'loss' };
    expect(csvOf([curve], 'step')).toBe(
      'run,metric,step,value\n"\'=cmd(""x"")",loss,0,1\n"\'=cmd(""x"")",loss,1,NaN\n'
    );
  });

  it('is saved as SVG without markup of a name', () => {
    const curves = ['<script>', 'b'].map(label => ({ ...curveOf(series([0, 1], [0, 1]), 'step', 0, null), label }));
    const picture = {
      title: '<img onerror=x>',
      curves,
      frame: FRAME,
      width: 120,
      height: 120,
      ticks: { x: [], y: [] }
    };
    const svg = new DOMParser().parseFromString(svgOf(picture), 'image/svg+xml');
    expect(svg.querySelector('script, img, parsererror')).toBeNull();
    expect(svg.documentElement.textContent).toContain('<img onerror=x>');
    expect(svg.querySelectorAll('g path')).toHaveLength(2);
  });
});
