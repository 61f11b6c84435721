import { signal } from '@preact/signals';
import { expect, it } from 'vitest';

import { MeanSource } from '../src/views/mean_source';

function curve(steps: number[], values: number[]) {
  const step = Float64Array.from(steps);
  return {
    version: signal(0),
    total: steps.length,
    sampled: false,
    step,
    time: step.map(each => 100 + each),
    value: Float64Array.from(values)
  };
}

it('is the mean where curves overlap, and goes on with those that go on', () => {
  const mean = new MeanSource([curve([0, 1, 2], [1, 2, 3]), curve([0, 2, 4], [3, 5, 7])], [100, 100]);
  expect([...mean.step]).toEqual([0, 1, 2, 4]);
  expect([...mean.value]).toEqual([2, 3, 4, 7]);
  expect([...mean.low]).toEqual([1, 2, 3, 7]);
  expect([...mean.high]).toEqual([3, 4, 5, 7]);
  expect([...mean.time]).toEqual([0, 1, 2, 4]);
  expect(mean.total).toBe(6);
});

it('is made anew when a curve has grown', () => {
  const growing = curve([0], [1]);
  const mean = new MeanSource([growing], [100]);
  expect([...mean.value]).toEqual([1]);
  growing.step = Float64Array.of(0, 1);
  growing.time = Float64Array.of(100, 101);
  growing.value = Float64Array.of(1, 2);
  growing.version.value++;
  expect([...mean.value]).toEqual([1, 2]);
});

it('passes over breaks and empty curves', () => {
  const mean = new MeanSource([curve([], []), curve([0, 1], [NaN, 2])], [0, 100]);
  expect([...mean.value]).toEqual([NaN, 2]);
});

it('is never of more points than can be drawn', () => {
  const steps = Array.from({ length: 5000 }, (_, index) => index);
  const mean = new MeanSource([curve(steps, steps)], [100]);
  expect(mean.step.length).toBe(400);
  expect(mean.value[399]).toBe(4999);
});
