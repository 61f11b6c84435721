/** Columns of the table of runs: what each shows of a run, and what the server sorts by. */

import type { RunRow, Runs } from '../core/contract';
import { formatAge, formatClock, formatCount, formatDuration, formatNumber, toNumber } from '../core/format';
import { stateWord } from './state_mark';
import type { Trans } from './trans';

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

function fixed(trans: Trans): Column[] {
  return [
    { key: 'experiment', title: trans('Experiment'), numeric: false, width: 130, text: run => run.experiment },
    {
      key: 'created',
      title: trans('Age'),
      numeric: true,
      width: 100,
      text: (run, now) => formatAge(now - run.created, trans),
      more: run => formatClock(run.created, true)
    },
    { key: 'elapsed', title: trans('Time'), numeric: true, width: 100, text: formatElapsed },
    { key: 'state', title: trans('State'), numeric: false, width: 110, text: run => stateWord(run.state, trans) },
    { key: 'target', title: trans('Target'), numeric: false, width: 100, text: run => run.target }
  ];
}

/** What is shown as long as a person has not chosen; runs of all experiments differ in more than there is room for. */
const FIRST = { ofExperiment: { parameters: 6, metrics: 6 }, ofAll: { parameters: 3, metrics: 4 } };

/** All columns that there are for these runs, in order. */
export function columnsOf(names: Runs['columns'], trans: Trans): Column[] {
  return [
    ...fixed(trans),
    ...names.parameters.map(parameterColumn),
    ...names.metrics.map(name => metricColumn(name, trans)),
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

/** Whether a run has the best value of a metric, alone or with others; what a failed one has is no result. */
export function isBest(run: RunRow, metric: string, best: Runs['best']): boolean {
  const value = toNumber(best[metric]?.value);
  return run.state !== 'Failed' && toNumber(run.metrics[metric]?.last) === value;
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

function metricColumn(name: string, trans: Trans): Column {
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
      const [low, high] = [formatNumber(toNumber(summary.min)), formatNumber(toNumber(summary.max))];
      return trans('%1: %2 points from %3 to %4', name, formatCount(summary.count), low, high);
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
