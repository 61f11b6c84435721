/** Columns of the table of runs: what each shows of a run, and what the server sorts by. */

import type { RunRow, Runs } from '../core/contract';
import { formatAge, formatClock, formatCount, formatDuration, formatNumber, toNumber } from '../core/format';

export interface Column {
  /** As the contract names it in `sort`, `query` and `groups`. */
  key: string;
  title: string;
  /** Numbers stand at the right. */
  numeric: boolean;
  width: number;
  text(run: RunRow, now: number): string;
  /** More of it, in a tooltip. */
  more?(run: RunRow): string;
}

const FIXED: readonly Column[] = [
  { key: 'experiment', title: 'Experiment', numeric: false, width: 130, text: run => run.experiment },
  {
    key: 'created',
    title: 'Age',
    numeric: true,
    width: 100,
    text: (run, now) => formatAge(now - run.created),
    more: run => formatClock(run.created, true)
  },
  {
    key: 'elapsed',
    title: 'Time',
    numeric: true,
    width: 100,
    text: (run, now) => formatElapsed(run, now)
  },
  { key: 'state', title: 'State', numeric: false, width: 110, text: run => run.state },
  { key: 'target', title: 'Target', numeric: false, width: 100, text: run => run.target }
];

/** What is shown as long as a person has not chosen; runs of all experiments differ in more than there is room for. */
const FIRST = { ofExperiment: { parameters: 6, metrics: 6 }, ofAll: { parameters: 3, metrics: 4 } };

/** All columns that there are for these runs, in order. */
export function columnsOf(names: Runs['columns']): Column[] {
  return [
    ...FIXED,
    ...names.parameters.map(parameterColumn),
    ...names.metrics.map(metricColumn),
    ...names.tags.map(tagColumn)
  ];
}

/** Keys of the columns that are shown at first. */
export function firstColumns(names: Runs['columns'], ofExperiment: boolean): string[] {
  const most = ofExperiment ? FIRST.ofExperiment : FIRST.ofAll;
  return [
    ...(ofExperiment ? [] : ['experiment']),
    'created',
    'elapsed',
    ...names.parameters.slice(0, most.parameters).map(name => `parameters.${name}`),
    ...names.metrics.slice(0, most.metrics).map(name => `metrics.${name}`)
  ];
}

/** What makes a run of a cell. */
export const MAGIC = '%%submit';

export function nameOf(run: RunRow): string {
  return run.name ?? `${run.experiment} #${run.number}`;
}

/** Whether a run has the best value of a metric, alone or with others. */
export function isBest(run: RunRow, metric: string, best: Runs['best']): boolean {
  const value = toNumber(best[metric]?.value);
  return toNumber(run.metrics[metric]?.last) === value;
}

function formatElapsed(run: RunRow, now: number): string {
  if (run.started === null) {
    return '';
  }
  return formatDuration((run.ended ?? now) - run.started, run.ended === null);
}

function parameterColumn(name: string): Column {
  return {
    key: `parameters.${name}`,
    title: name,
    numeric: true,
    width: widthOf(name),
    text: run => run.parameters[name] ?? ''
  };
}

function metricColumn(name: string): Column {
  return {
    key: `metrics.${name}`,
    title: name,
    numeric: true,
    width: widthOf(name),
    text: run => {
      const summary = run.metrics[name];
      return summary === undefined ? '' : formatNumber(toNumber(summary.last));
    },
    more: run => {
      const summary = run.metrics[name];
      if (summary === undefined) {
        return '';
      }
      const [low, high] = [summary.min, summary.max].map(value => formatNumber(toNumber(value)));
      return `${name}: ${formatCount(summary.count)} points from ${low} to ${high}`;
    }
  };
}

function tagColumn(name: string): Column {
  return {
    key: `tags.${name}`,
    title: `#${name}`,
    numeric: false,
    width: widthOf(name),
    text: run => (name in run.tags ? (run.tags[name] ?? '✓') : '')
  };
}

/** Wide enough for its title. */
function widthOf(title: string): number {
  return Math.min(200, Math.max(104, 28 + 7.5 * title.length));
}
