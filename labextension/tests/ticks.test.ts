import { expect, it } from 'vitest';

import { distanceOf } from '../src/views/plot_axes';
import { evenSplits, numberTick, roundAtLeast, secondsApart, wholeApart } from '../src/core/ticks';

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

it.each([
  [0.13, 0.2, 1, 0.2],
  [7, 10, 10, 10],
  [12, 20, 20, 15],
  [25, 50, 50, 30],
  [4000, 5000, 5000, 7200],
  [9e5, 1e6, 1e6, 1e6],
  [1e300, 1e300, 1e300, 1e300]
])('marks are at least %d apart: %d, whole ones %d, of times %d', (least, round, whole, seconds) => {
  expect([roundAtLeast(least), wholeApart(least), secondsApart(least)]).toEqual([round, whole, seconds]);
});

it('marks are the multiples of their distance', () => {
  expect(evenSplits([-3, 7.5], 2.5)).toEqual([-2.5, 0, 2.5, 5, 7.5]);
  expect(evenSplits([1, 2], 5)).toEqual([]);
});
