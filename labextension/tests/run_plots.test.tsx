import './browser';

import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/preact';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { axisOf } from '../src/core/differences';
import { fill } from '../src/core/host';
import { Parallel } from '../src/views/parallel';
import { Scatter } from '../src/views/scatter';

const AXES = [
  axisOf('parameters.lr', 'lr', ['0.001', '0.01', '1']),
  axisOf('metrics.mse', 'mse', ['26.34', '10.9', '1.033'])
];
const LABELS = ['a', 'a', 'b'];
const trans = (text: string, ...args: (string | number)[]): string => fill(text, args);
const opened = vi.fn();

beforeEach(() => opened.mockClear());
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

describe.each([
  ['parallel coordinates', Parallel],
  ['a scatter', Scatter]
])('%s of runs', (_, Plot) => {
  const shown = (): Element => render(<Plot axes={AXES} labels={LABELS} trans={trans} onOpen={opened} />).container;

  it('tells the values of each run, also of those of one name', () => {
    shown();
    const names = screen.getAllByRole('button').map(button => button.getAttribute('aria-label'));
    expect(names).toEqual(['a, lr 0.001, mse 26.34', 'a, lr 0.01, mse 10.9', 'b, lr 1, mse 1.033']);
  });

  it('has round marks', () => {
    const texts = [...shown().querySelectorAll('.amlnb-plot-axis text')].map(each => each.textContent);
    expect(texts).toEqual(expect.arrayContaining(['0.001', '0.01', '0.1', '1', '10', '20']));
  });

  it.each(['Enter', ' '])('opens a run by the key "%s"', key => {
    shown();
    fireEvent.keyDown(screen.getAllByRole('button')[1] as Element, { key });
    expect(opened).toHaveBeenCalledExactlyOnceWith(1);
  });

  it('takes the width that there is', async () => {
    vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(490);
    const root = shown();
    await waitFor(() => expect(root.querySelector('svg')?.getAttribute('width')).toBe('490'));
  });
});
