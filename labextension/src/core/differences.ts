/** What differs among runs, and their values as numbers on axes. */

import type { Comparison } from './contract';
import { formatDuration, formatNumber, toNumber } from './format';
import { evenSplits, lastPlace, logSplits, numberTick, roundAtLeast } from './ticks';

/** Marks beyond which the powers of ten are enough. */
const MANY = 6;

export type ComparedRun = Comparison['runs'][number];

export interface DifferenceRow {
  /** As queries name it: `parameters.lr`, `metrics.loss`. */
  key: string;
  name: string;
  /** For each run; null where it has no such value, which is another thing than an empty text. */
  values: (string | null)[];
  differs: boolean;
}

export interface DifferenceGroup {
  title: string;
  rows: DifferenceRow[];
}

/** All values of the runs by what they are; rows in the order in which the runs have them. */
export function differences(runs: readonly ComparedRun[]): DifferenceGroup[] {
  const groups: DifferenceGroup[] = [
    group('Parameters', 'parameters', runs, run => run.parameters),
    group('Metrics', 'metrics', runs, run => lastValues(run)),
    group('Run', 'run', runs, facts),
    group('Tags', 'tags', runs, run => mapValues(run.tags, value => value ?? '✓')),
    group('Environment', 'environment', runs, run => run.environment),
    group('Git', 'git', runs, run => run.git)
  ];
  return groups.filter(each => each.rows.length > 0);
}

function facts(run: ComparedRun): Record<string, string> {
  const found: Record<string, string> = { state: run.state, target: run.target, script: run.script ?? '' };
  if (run.elapsed_s !== null) {
    found['time'] = formatDuration(run.elapsed_s);
  }
  if (run.error !== null) {
    found['error'] = run.error;
  }
  return found;
}

function lastValues(run: ComparedRun): Record<string, string> {
  return mapValues(run.metrics, summary => formatNumber(toNumber(summary.last)));
}

function mapValues<T>(values: Record<string, T>, text: (value: T) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, text(value)]));
}

function group(
  title: string,
  kind: string,
  runs: readonly ComparedRun[],
  valuesOf: (run: ComparedRun) => Record<string, string>
): DifferenceGroup {
  const all = runs.map(run => new Map(Object.entries(valuesOf(run))));
  const names = [...new Set(all.flatMap(each => [...each.keys()]))];
  const rows = names.map(name => {
    const values = all.map(each => each.get(name) ?? null);
    return { key: `${kind}.${name}`, name, values, differs: new Set(values).size > 1 };
  });
  return { title, rows };
}

/** One axis of a plot over runs. */
export interface Axis {
  key: string;
  name: string;
  /** For each run its place on the axis, 0 to 1; null where it has none. */
  places: (number | null)[];
  /** For each run its value in words. */
  texts: readonly (string | null)[];
  /** Places go by the values' logarithms. */
  logarithmic: boolean;
  /** What stands at which place. */
  ticks: { place: number; text: string }[];
}

/** Parameters and metrics that differ, as axes. */
export function axesOf(runs: readonly ComparedRun[]): Axis[] {
  const found: Axis[] = [];
  for (const { title, rows } of differences(runs)) {
    if (title !== 'Parameters' && title !== 'Metrics') {
      continue;
    }
    for (const row of rows) {
      if (row.differs) {
        found.push(title === 'Metrics' ? metricAxis(row, runs) : axisOf(row.key, row.name, row.values));
      }
    }
  }
  return found;
}

function metricAxis(row: DifferenceRow, runs: readonly ComparedRun[]): Axis {
  const values = runs.map(run => {
    const summary = run.metrics[row.name];
    return summary === undefined ? null : String(toNumber(summary.last));
  });
  return { ...axisOf(row.key, row.name, values), texts: row.values };
}

/** Place values: numbers by their size (by their logarithm, if they span a hundredfold), other texts in their order. */
export function axisOf(key: string, name: string, values: readonly (string | null)[]): Axis {
  const numbers = values.map(value => (value === null || value.trim() === '' ? null : Number(value)));
  const finite = numbers.filter((value): value is number => value !== null && Number.isFinite(value));
  const numeric = values.every((value, index) => value === null || isNumeric(value, numbers[index]));
  if (numeric && finite.length > 0) {
    return { key, name, texts: values, ...numberAxis(numbers, Math.min(...finite), Math.max(...finite)) };
  }
  const words = [...new Set(values.filter((value): value is string => value !== null))].sort();
  const placeOf = (word: string): number => (words.length < 2 ? 0.5 : words.indexOf(word) / (words.length - 1));
  return {
    key,
    name,
    texts: values,
    logarithmic: false,
    places: values.map(value => (value === null ? null : placeOf(value))),
    ticks: words.map(word => ({ place: placeOf(word), text: word }))
  };
}

function isNumeric(text: string, number: number | null | undefined): boolean {
  return text === 'NaN' || (number !== null && number !== undefined && !Number.isNaN(number));
}

function numberAxis(
  numbers: (number | null)[],
  low: number,
  high: number
): Pick<Axis, 'logarithmic' | 'places' | 'ticks'> {
  const logarithmic = low > 0 && high / low >= 100;
  // By quarters, between which the distance is always a number.
  const scale = logarithmic ? Math.log : (value: number) => value / 4;
  const span = scale(high) - scale(low);
  const placeOf = (value: number): number => (span === 0 ? 0.5 : (scale(value) - scale(low)) / span);
  const distance = logarithmic ? null : roundAtLeast(span / 1.5);
  const marks =
    span === 0 ? [low] : distance === null ? powersOf(logSplits([low, high])) : evenSplits([low, high], distance);
  const write = (mark: number): string =>
    span === 0 ? formatNumber(mark) : numberTick(mark, distance ?? lastPlace(mark));
  return {
    logarithmic,
    places: numbers.map(value => (value === null || !Number.isFinite(value) ? null : placeOf(value))),
    ticks: marks.map(mark => ({ place: placeOf(mark), text: write(mark) }))
  };
}

/** Powers of ten only, where there are many marks. */
function powersOf(marks: number[]): number[] {
  return marks.length > MANY ? marks.filter(mark => mark.toExponential().startsWith('1e')) : marks;
}
