import { describe, expect, it } from 'vitest';

import {
  formatBeginning,
  formatClock,
  formatDuration,
  formatNumber,
  formatProgress,
  formatSize,
  toNumber
} from '../src/core/format';
import { fill } from '../src/core/host';
import { clockTick, lastPlace, logSplits, numberTick, relativeTick } from '../src/core/ticks';

it.each([
  ['short', 'short'],
  ['the loss is not a number', 'the loss is not a …'],
  ['abcdefghijklmnopqrstuvwxyz', 'abcdefghijklmnopqr …']
])('of %j the beginning is %j', (text, told) => {
  expect(formatBeginning(text, 18)).toBe(told);
});

describe('a number', () => {
  it.each([
    [0, '0'],
    [0.2134, '0.2134'],
    [12.5, '12.50'],
    [1797, '1,797'],
    [-1797.25, '−1,797'],
    [3.2e-7, '3.2e-7'],
    [1e-4, '1e-4'],
    [1.234e12, '1.23e12'],
    [-5e-5, '−5e-5'],
    [NaN, 'nan'],
    [Infinity, '∞'],
    [-Infinity, '−∞']
  ])('%d is %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it.each([
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
    [3, 3],
    [null, NaN],
    [undefined, NaN]
  ] as const)('of JSON %s is %d', (value, number) => {
    expect(toNumber(value)).toBe(number);
  });
});

describe('a duration', () => {
  it.each([
    [0.42, false, '0.4 s'],
    [9.96, false, '10 s'],
    [0.42, true, '0 s'],
    [59.9, true, '59 s'],
    [185, false, '3 min 05 s'],
    [7380, false, '2 h 03 min'],
    [349200, false, '4 d 01 h'],
    [-3, false, '0.0 s']
  ])('%d (whole: %s) is %s', (seconds, whole, text) => {
    expect(formatDuration(seconds, whole)).toBe(text);
  });
});

it('sizes and clocks have their units', () => {
  expect([12, 3400, 99_440, 1.2e9, 2.5e13].map(formatSize)).toEqual(['12 B', '3.4 kB', '99.4 kB', '1.2 GB', '25.0 TB']);
  expect(formatClock(NaN)).toBe('');
  expect(formatClock(new Date(2026, 10, 21, 5, 21, 12).getTime() / 1000, true)).toBe('2026-11-21 05:21:12');
});

it.each([
  [{ done: 45, total: 100, text: 'epoch 3', left_s: 12.4 }, '45/100 · 12 s left · epoch 3'],
  [{ done: 100, total: 100, text: null, left_s: 0 }, '100/100'],
  [{ done: 5e6, total: 2e7, text: null, left_s: null }, '25 %']
])('progress %j is %s', (progress, text) => {
  expect(formatProgress(progress, (told, ...args) => fill(told, args))).toBe(text);
});

describe('marks of an axis', () => {
  it.each([
    [0.0075, 0.0025, '0.0075'],
    [7.5, 2.5, '7.5'],
    [0.30000000000000004, 0.1, '0.3'],
    [1e-18, 0.1, '0'],
    [-2, 1, '−2'],
    [12000, 2000, '12k'],
    [12500, 500, '12.5k'],
    [3e6, 1e6, '3M'],
    [2e-7, 1e-7, '2e-7']
  ])('%d at distances of %d is %s', (value, distance, text) => {
    expect(numberTick(value, distance)).toBe(text);
  });

  it.each([
    [0, 30, '0'],
    [30, 30, '30 s'],
    [150, 30, '2:30'],
    [3900, 300, '1:05 h'],
    [259200, 86400, '3 d'],
    [-30, 10, '−30 s']
  ])('%d s since the start at distances of %d is %s', (seconds, distance, text) => {
    expect(relativeTick(seconds, distance)).toBe(text);
  });

  it('of the time of day are as exact as they must be', () => {
    const noon = new Date(2026, 10, 21, 12, 0, 30).getTime() / 1000;
    expect([1, 60, 86400].map(distance => clockTick(noon, distance))).toEqual(['12:00:30', '12:00', '11-21']);
  });

  it.each([
    [
      [0.01, 100],
      [0.01, 0.1, 1, 10, 100]
    ],
    [
      [0.4, 6],
      [0.5, 1, 2, 5]
    ],
    [
      [1790, 1830],
      [1790, 1800, 1810, 1820, 1830]
    ]
  ] as const)('of a logarithmic axis %j are %j', ([low, high], marks) => {
    expect(logSplits([low, high])).toEqual(marks);
  });

  it.each([
    [0.5, 0.1],
    [2.5, 0.1],
    [20, 10]
  ])('the last place of %d is %d', (value, place) => {
    expect(lastPlace(value)).toBeCloseTo(place, 12);
  });
});
