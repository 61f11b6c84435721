/** Where an axis has its marks, and what stands at them. */

import { formatClock, formatNumber } from './format';

/** Distances of marks that fit times. */
const SECONDS = [
  10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000, 864000
];

/** The shortest round distance of marks that is no shorter: 1, 2 or 5 times a power of ten. */
export function roundAtLeast(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find(digit => digit * power >= least) ?? 10);
}

/** The same between whole numbers. */
export function wholeApart(least: number): number {
  return Math.max(1, roundAtLeast(least));
}

/** The same between times. */
export function secondsApart(least: number): number {
  return (least > 5 ? SECONDS.find(seconds => seconds >= least) : undefined) ?? roundAtLeast(least);
}

/** The multiples of a distance in a range. */
export function evenSplits([low, high]: readonly [number, number], distance: number): number[] {
  const first = Math.ceil(low / distance);
  const count = Math.floor(high / distance) - first + 1;
  return Array.from({ length: count }, (_, at) => (first + at) * distance);
}

/** A number at a mark, as exact as the distance between marks asks for: `0.25`, `12k`, `1.5M`, `2e-5`. */
export function numberTick(value: number, distance: number): string {
  const size = Math.abs(value);
  if (size < distance / 1e6) {
    return '0';
  }
  if (size >= 1e15 || distance < 1e-5) {
    return formatNumber(value);
  }
  const [unit, letter] =
    size < 1e4 && distance < 1e3 ? [1, ''] : size < 1e6 ? [1e3, 'k'] : size < 1e9 ? [1e6, 'M'] : [1e9, 'G'];
  return (value / unit).toFixed(digitsOf(distance / unit)).replace('-', '−') + letter;
}

/** Digits behind the point that tell marks at this distance as they are: 1 for 2.5, 0 for 5. */
function digitsOf(distance: number): number {
  for (let digits = 0; digits < 8; digits++) {
    const shifted = distance * 10 ** digits;
    if (shifted >= 0.99 && Math.abs(shifted - Math.round(shifted)) < 1e-6 * shifted) {
      return digits;
    }
  }
  return 8;
}

/** A time of day, or its day where marks are days apart. */
export function clockTick(unixTime: number, distance: number): string {
  const whole = formatClock(unixTime, true);
  if (distance >= 86400) {
    return whole.slice(5, 10);
  }
  return distance >= 60 ? whole.slice(11, 16) : whole.slice(11);
}

/** Time since the start: `30 s`, `2:30`, `1:05:00`, `3 d`. */
export function relativeTick(seconds: number, distance: number): string {
  if (seconds < 0) {
    return `−${relativeTick(-seconds, distance)}`;
  }
  if (seconds < 60) {
    return seconds === 0 ? '0' : `${numberTick(seconds, distance)} s`;
  }
  if (distance >= 86400) {
    return `${numberTick(seconds / 86400, distance / 86400)} d`;
  }
  const whole = Math.floor(seconds + 1e-6);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours > 0
    ? `${hours}:${two(minutes)}${rest || distance < 60 ? `:${two(rest)}` : ''} h`
    : `${minutes}:${two(rest)}`;
}

/** Marks of a logarithmic axis: powers of ten, with 2 and 5 between them where few fit; round numbers in a narrow range. */
export function logSplits([low, high]: readonly [number, number]): number[] {
  const decades = Math.log10(high) - Math.log10(low);
  if (decades < 0.7) {
    return evenSplits([low, high], roundAtLeast((high - low) / 5));
  }
  const factors = decades > 3 ? [1] : [1, 2, 5];
  const every = Math.max(1, Math.ceil(decades / 6));
  const marks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (power % every === 0) {
      marks.push(...factors.map(factor => Number(`${factor}e${power}`)));
    }
  }
  return marks.filter(mark => mark >= low && mark <= high);
}

/** The place of the last digit that tells this number, of four at most: 0.1 for 2.5 and 0.5, 0.01 for 0.85, 10 for 20. */
export function lastPlace(value: number): number {
  let power = 10 ** Math.floor(Math.log10(Math.abs(value)) + 1e-9);
  for (let digits = 1; digits < 4 && Math.abs(value / power - Math.round(value / power)) >= 1e-6; digits++) {
    power /= 10;
  }
  return power;
}
