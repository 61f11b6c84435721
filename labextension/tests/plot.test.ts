import './browser';
import './canvas';

import { signal } from '@preact/signals';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { curveStyle } from '../src/core/colours';
import { ChartSettings } from '../src/views/chart_settings';
import type { ChartSeries, Columns, Range } from '../src/views/curves';
import { Plot } from '../src/views/plot';

const ORIGIN = 1000;

function columns(steps: readonly number[]): Columns {
  const step = Float64Array.from(steps);
  return { step, time: step.map(at => ORIGIN + at), value: step.map(at => at / 10) };
}

interface Shown {
  plot: Plot;
  settings: ChartSettings;
  asked: [string, Range, number][];
  /** Let the series have these steps. */
  grow: (steps: readonly number[]) => void;
}

const ends: (() => void)[] = [];

async function shown(
  steps: readonly number[],
  sampled = true,
  settings = new ChartSettings(),
  values?: readonly number[],
  fromZero = false
): Promise<Shown> {
  const version = signal(0);
  const held = columns(steps);
  const value = values ? Float64Array.from(values) : held.value;
  const source = { ...held, value, version, total: 5000, sampled };
  const asked: Shown['asked'] = [];
  const detail: ChartSeries['detail'] = (axis, range, points) => {
    asked.push([axis, range, points]);
    return Promise.resolve(columns([20, 21, 22, 23]));
  };
  const series = [{ key: 'loss', label: 'loss', style: curveStyle(0), source, origin: ORIGIN, fromZero, detail }];
  const mount = document.body.appendChild(document.createElement('div'));
  const drawn = vi.fn();
  const plot = new Plot(mount, series, settings, 'loss', drawn);
  ends.push(() => {
    plot.destroy();
    mount.remove();
  });
  await vi.waitFor(() => expect(drawn).toHaveBeenCalled());
  const grow = (more: readonly number[]): void => {
    Object.assign(source, columns(more));
    version.value++;
  };
  return { plot, settings, asked, grow };
}

function seen(plot: Plot): readonly number[] {
  return plot.picture()?.frame.x ?? [];
}

afterEach(() => {
  ends.splice(0).forEach(end => end());
});

describe('a chart', () => {
  it('shows all points, and goes along with new ones', async () => {
    const { plot, grow } = await shown([0, 50, 100]);
    expect(seen(plot)).toEqual([0, 100]);
    grow([0, 50, 100, 150]);
    await vi.waitFor(() => expect(seen(plot)).toEqual([0, 150]));
  });

  it('is an image with a name for who cannot see it', async () => {
    await shown([0, 1]);
    const canvas = document.querySelector('canvas');
    expect([canvas?.getAttribute('role'), canvas?.getAttribute('aria-label')]).toEqual(['img', 'loss']);
  });

  it('that is zoomed asks for all points there, and shows them with what came since', async () => {
    const { plot, settings, asked } = await shown([0, 50, 100]);
    settings.setZoom([20, 60]);
    await vi.waitFor(() => expect([...(plot.curves[0]?.x ?? [])]).toEqual([20, 21, 22, 23, 50, 100]));
    expect(asked).toEqual([['step', [20, 60], 600]]);
    expect(seen(plot)).toEqual([20, 60]);
  });

  it('asks for times where the axis is the time since the start', async () => {
    const { settings, asked } = await shown([0, 50, 100]);
    settings.setAxis('relative');
    settings.setZoom([20, 60]);
    await vi.waitFor(() => expect(asked).toEqual([['time', [1020, 1060], 600]]));
  });

  it('asks for nothing where all points are there', async () => {
    const { plot, settings, asked } = await shown([0, 50, 100], false);
    settings.setZoom([20, 60]);
    await vi.waitFor(() => expect(seen(plot)).toEqual([20, 60]));
    await new Promise(resolve => setTimeout(resolve, 60));
    expect(asked).toEqual([]);
  });

  it('stays where it is zoomed when pinned, else goes along with the newest point', async () => {
    const { plot, settings, grow } = await shown([0, 50, 100]);
    settings.setZoom([20, 60]);
    grow([0, 50, 100, 200]);
    await vi.waitFor(() => expect(seen(plot)).toEqual([20, 60]));
    settings.pinned.value = false;
    await vi.waitFor(() => expect(seen(plot)).toEqual([160, 200]));
    settings.setZoom(null);
    await vi.waitFor(() => expect(seen(plot)).toEqual([0, 200]));
  });

  it.each([
    ['values that differ in their last digit', [0, 1], [1, 0.9999999999999999]],
    ['a step that is a time in ns', [1.7e18], [1]],
    ['steps that are times in ns', [1.7e18, 1.7e18 + 1e9], [1, 2]],
    ['values of 1.7e18', [0, 1], [1.7e18, 1.7e18 + 256]],
    ['values as small as they can be', [0, 1], [5e-324, 1e-323]],
    ['values as large as they can be', [0, 1], [-1e308, 1.7e308]]
  ])('is drawn of %s, with few marks', async (_, steps, values) => {
    for (const log of [false, true]) {
      const settings = new ChartSettings();
      settings.setLog(log);
      const { plot } = await shown(steps, false, settings, values);
      const { x, y } = plot.picture()?.ticks ?? { x: [], y: [] };
      expect([x.length > 0, x.length < 30, y.length < 30]).toEqual([true, true, true]);
    }
  });

  it('takes no detail that comes when it is gone', async () => {
    const { plot, settings, asked } = await shown([0, 50, 100]);
    settings.setZoom([20, 60]);
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    const { parentElement } = document.querySelector('.uplot') as Element;
    plot.destroy();
    await new Promise(resolve => setTimeout(resolve, 60));
    expect(parentElement?.querySelector('canvas')).toBeNull();
  });

  it('of a share begins at zero', async () => {
    const { plot } = await shown([81.4, 80.7], false, new ChartSettings(), [81.4, 80.7], true);
    const [low, high] = plot.picture()?.frame.y ?? [];
    expect([low, high].map(end => Math.round(end ?? NaN))).toEqual([-5, 86]);
  });

  it('has no value under the cursor where its curve has ended', async () => {
    const settings = new ChartSettings();
    const short = await shown([0, 10], false, settings);
    const long = await shown([0, 100], false, settings);
    settings.setZoom([0, 100]);
    await vi.waitFor(() => expect(seen(short.plot)).toEqual([0, 100]));
    long.plot.moveCursor(-4);
    expect(long.plot.hover.value?.values[0]?.value).toBe(10);
    expect(short.plot.hover.value?.values[0]?.value).toBeNaN();
  });

  it('has marks across and up in its picture, also on a logarithmic scale', async () => {
    const { plot, settings } = await shown([1, 50, 1000]);
    settings.setLog(true);
    await vi.waitFor(() => expect(plot.picture()?.ticks.y.map(({ text }) => text)).toContain('10'));
    expect(plot.picture()?.frame.log).toBe(true);
    expect(plot.picture()?.ticks.x.length).toBeGreaterThan(1);
  });

  it('leads the cursors of the charts beside it by keys', async () => {
    const { plot, settings } = await shown([0, 50, 100]);
    const beside = await shown([0, 50, 100], true, settings);
    plot.moveCursor(-4);
    expect(beside.plot.hover.value).toMatchObject({ direct: false, values: [{ value: 10 }] });
    plot.leaveCursor();
    expect(beside.plot.hover.value).toBeNull();
  });

  it('tells the values under its cursor, which keys move', async () => {
    const { plot } = await shown([0, 50, 100]);
    plot.moveCursor(-4);
    expect(plot.hover.value).toMatchObject({ direct: true, values: [{ label: 'loss', value: 10 }] });
    plot.leaveCursor();
    expect(plot.hover.value).toBeNull();
  });
});
