import './browser';
import './canvas';

import { signal } from '@preact/signals';
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { MemoryHost } from '../dev/memory_host';
import { curveStyle } from '../src/core/colours';
import { Chart } from '../src/views/chart';
import { ChartSettings } from '../src/views/chart_settings';
import type { ChartSeries } from '../src/views/curves';

const STEPS = Float64Array.of(1, 2);

function seriesOf(label: string, changes: Partial<ChartSeries> = {}, total = 2): ChartSeries {
  const source = { step: STEPS, time: STEPS, value: STEPS, version: signal(0), total, sampled: total > 2 };
  return { key: label, label, style: curveStyle(0), source, origin: 0, ...changes };
}

async function shown(series: readonly ChartSeries[], run?: string): Promise<Element> {
  const { container } = render(
    <Chart
      host={new MemoryHost([])}
      title="loss"
      series={series}
      settings={new ChartSettings()}
      {...(run === undefined ? {} : { run })}
    />
  );
  await waitFor(() => expect(container.querySelector('canvas')).not.toBeNull());
  return container;
}

/** As blob.text(), which jsdom lacks. */
function textOf(blob: Blob): Promise<string> {
  return new Promise(resolve => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.readAsText(blob);
  });
}

const saved: { name: string; content: Promise<string> }[] = [];

beforeEach(() => {
  saved.length = 0;
  let content: Promise<string>;
  Object.assign(URL, {
    createObjectURL: (blob: Blob) => ((content = textOf(blob)), 'blob:file'),
    revokeObjectURL: () => undefined
  });
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    saved.push({ name: this.download, content });
  });
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

function save(title: string | RegExp): void {
  fireEvent.click(screen.getByRole('button', { name: 'Save loss' }));
  fireEvent.click(screen.getByRole('menuitem', { name: title }));
}

describe('what is saved of a chart', () => {
  it('tells its run and metric', async () => {
    await shown([seriesOf('train', { metric: 'loss' }), seriesOf('val', { metric: 'val_loss' })], 'Läufer #3');
    save('Points (CSV)');
    save('Picture (SVG)');
    expect(saved.map(({ name }) => name)).toEqual(['Läufer_3_loss.csv', 'Läufer_3_loss.svg']);
    expect((await saved[0]?.content)?.split('\n').slice(0, 4)).toEqual([
      'run,metric,step,value',
      'Läufer #3,loss,1,1',
      'Läufer #3,loss,2,2',
      'Läufer #3,val_loss,1,1'
    ]);
    expect(await saved[1]?.content).toContain('>Läufer #3 loss</text>');
  });

  it('of a comparison tells the run of each curve', async () => {
    await shown([seriesOf('#1 a'), seriesOf('#2 b')]);
    save('Points (CSV)');
    expect(saved[0]?.name).toBe('loss.csv');
    expect(await saved[0]?.content).toContain('#2 b,loss,2,2');
  });

  it('of a long curve says how much of it that is', async () => {
    await shown([seriesOf('loss', {}, 10_000_000)], 'a #1');
    save('Points (CSV): 2 of 10,000,000');
    expect(saved[0]?.name).toBe('a_1_loss.csv');
  });
});

it('curves of the same name each have their row', async () => {
  const container = await shown([seriesOf('val', { key: 'val_loss' }), seriesOf('val', { key: 'val/loss' })], 'a');
  fireEvent.click(screen.getByRole('button', { name: 'As a table' }));
  expect(container.querySelectorAll('table')).toHaveLength(2);
});
