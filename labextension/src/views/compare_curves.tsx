/** Curves of several runs over each other, a chart a metric; by groups as mean and band, if asked for. */

import { useEffect, useMemo, useState } from 'preact/hooks';

import { curveStyle } from '../core/colours';
import { differences, type ComparedRun } from '../core/differences';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { sessionOf } from '../core/session';
import { Chart } from './chart';
import { ChartSettings } from './chart_settings';
import { ChartToolbar } from './chart_toolbar';
import type { ChartSeries } from './curves';
import { MeanSource } from './mean_source';
import { detailOf } from './run_series';
import { transOf } from './trans';

export interface CompareCurvesProps {
  host: Host;
  workspace: string;
  runs: readonly ComparedRun[];
}

/** Metrics of fewer runs than this are nothing to compare. */
const LEAST_RUNS = 2;
const FIRST_CHARTS = 12;

export function CompareCurves({ host, workspace, runs }: CompareCurvesProps) {
  const settings = useMemo(() => new ChartSettings(host.remember('charts:comparison')), [host]);
  const models = useModels(host, workspace, runs);
  const [by, setBy] = useState('');
  const [all, setAll] = useState(false);
  const trans = transOf(host);
  const names = metricNames(runs);
  const parameters = useMemo(() => differences(runs).find(group => group.title === 'Parameters')?.rows ?? [], [runs]);
  const grouping = parameters.find(row => row.key === by)?.values ?? null;
  if (names.length === 0) {
    return <p class="amlnb-empty">{trans('These runs share no metric.')}</p>;
  }
  const group = (key: string): void => {
    setBy(key);
    if (key !== '' && settings.axis.peek() === 'time') {
      settings.setAxis('relative');
    }
  };
  const shown = all ? names : names.slice(0, FIRST_CHARTS);
  return (
    <div>
      <div class="amlnb-row">
        <ChartToolbar settings={settings} host={host} timeless={grouping !== null} />
        {parameters.length > 0 ? (
          <label class="amlnb-check">
            {trans('Group by')}
            <select value={by} onChange={event => group(event.currentTarget.value)}>
              <option value="">{trans('nothing')}</option>
              {parameters.map(row => (
                <option key={row.key} value={row.key}>
                  {row.name}
                </option>
              ))}
            </select>
          </label>
        ) : null}
      </div>
      <div class={`amlnb-charts${settings.large.value ? ' amlnb-charts-large' : ''}`}>
        {shown.map(name => (
          <MetricOfRuns key={name} {...{ host, name, runs, models, grouping, settings }} />
        ))}
      </div>
      {names.length > shown.length ? (
        <button type="button" class="amlnb-button" onClick={() => setAll(true)}>
          {trans('All %1 metrics', names.length)}
        </button>
      ) : null}
    </div>
  );
}

interface MetricOfRunsProps {
  host: Host;
  name: string;
  runs: readonly ComparedRun[];
  models: readonly RunModel[];
  grouping: readonly (string | null)[] | null;
  settings: ChartSettings;
}

function MetricOfRuns({ host, name, runs, models, grouping, settings }: MetricOfRunsProps) {
  const series = useMemo(
    () => (grouping === null ? curvesOf(name, runs, models) : meansOf(host, name, runs, models, grouping)),
    [host, name, runs, models, grouping]
  );
  return <Chart title={name} series={series} settings={settings} host={host} />;
}

function curvesOf(name: string, runs: readonly ComparedRun[], models: readonly RunModel[]): ChartSeries[] {
  const found: ChartSeries[] = [];
  runs.forEach((run, position) => {
    const model = models[position];
    if (model !== undefined && name in run.metrics) {
      found.push({
        key: run.id,
        label: run.label,
        style: curveStyle(position),
        source: model.series(name),
        origin: run.started ?? run.created,
        detail: (axis, range, points) => detailOf(model, name, axis, range, points)
      });
    }
  });
  return found;
}

function meansOf(
  host: Host,
  name: string,
  runs: readonly ComparedRun[],
  models: readonly RunModel[],
  grouping: readonly (string | null)[]
): ChartSeries[] {
  const values = [...new Set(grouping)];
  return values.map((value, position) => {
    const members = models.filter((_, index) => grouping[index] === value && name in (runs[index]?.metrics ?? {}));
    const origins = members.map(model => {
      const run = runs.find(each => each.id === model.run);
      return run?.started ?? run?.created ?? 0;
    });
    const label = `${value ?? host.trans('not set')} (${members.length})`;
    const source = new MeanSource(
      members.map(model => model.series(name)),
      origins
    );
    return { key: value ?? '\0', label, style: curveStyle(position), source, origin: 0 };
  });
}

/** Follow all runs that are compared. */
function useModels(host: Host, workspace: string, runs: readonly ComparedRun[]): readonly RunModel[] {
  const [models, setModels] = useState<readonly RunModel[]>([]);
  const ids = runs.map(run => run.id).join('\n');
  useEffect(() => {
    const followed = ids.split('\n').map(id => sessionOf(host).follow(workspace, id));
    setModels(followed.map(([model]) => model));
    return () => followed.forEach(([, release]) => release());
  }, [host, workspace, ids]);
  return models;
}

/** Metrics that at least two of the runs have, in the order of first use. */
function metricNames(runs: readonly ComparedRun[]): string[] {
  const counts = new Map<string, number>();
  for (const run of runs) {
    for (const name of Object.keys(run.metrics)) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts].filter(([, count]) => count >= LEAST_RUNS).map(([name]) => name);
}
