import { expect, it } from 'vitest';

import { distanceOf } from '../src/views/plot_axes';
import { numberTick } from '../src/views/ticks';

it.each([
  [[0.8], '0.8'],
  [[0.85], '0.85'],
  [[20], '20'],
  [[0], '0'],
  [[0.5, 1], '0.5']
])('the first of the marks %j is written as %s', (marks, text) => {
  expect(numberTick(marks[0] as number, distanceOf(marks))).toBe(text);
});

it('the only mark of a time of day tells its seconds', () => {
  expect(distanceOf([1_790_000_000], 1)).toBe(1);
});
