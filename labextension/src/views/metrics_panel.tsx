/** All metrics of a run. */

import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';

import type { RunDocument } from '../core/contract';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { Chart } from './chart';
import { ChartSettings } from './chart_settings';
import { ChartToolbar } from './chart_toolbar';
import { LoggedValues } from './logged_values';
import { labelOf, RunCharts, type ChartOf } from './run_series';
import { transOf } from './trans';

/** Charts beyond which they can be filtered. */
const MANY = 8;
/** Charts of a cell's output. */
const COMPACT = 6;

export interface MetricsPanelProps {
  host: Host;
  model: RunModel;
  run: RunDocument;
}

export function MetricsPanel({ host, model, run }: MetricsPanelProps) {
  const trans = transOf(host);
  const { workspace } = model;
  const { experiment } = run;
  const settings = useMemo(
    () => new ChartSettings(host.remember(`charts:run:${workspace}:${experiment}`)),
    [host, workspace, experiment]
  );
  const charts = useMemo(() => new RunCharts(model), [model]).of(model.names.value, run);
  const filter = useSignal('');
  const shown = charts.filter(chart => matches(chart, filter.value));
  return (
    <div class="amlnb-metrics">
      {charts.length > 0 ? (
        <>
          <div class="amlnb-metrics-bar">
            <ChartToolbar host={host} settings={settings} />
            {charts.length > MANY ? (
              <input
                type="search"
                class="amlnb-input"
                placeholder={trans('Filter %1 charts', charts.length)}
                aria-label={trans('Filter charts by name')}
                value={filter.value}
                onInput={event => {
                  filter.value = event.currentTarget.value;
                }}
              />
            ) : null}
          </div>
          <div class={`amlnb-charts amlnb-charts-${sizeOf(shown.length, settings.large.value)}`}>
            {shown.map(({ title, series }) => (
              <Chart
                key={series[0]?.key}
                host={host}
                title={title}
                run={labelOf(run)}
                series={series}
                settings={settings}
              />
            ))}
          </div>
          {shown.length === 0 ? <p class="amlnb-empty">{trans('No chart has such a name.')}</p> : null}
        </>
      ) : (
        <NoMetrics run={run} ended={model.ended.value} host={host} />
      )}
      <LoggedValues host={host} model={model} />
    </div>
  );
}

function NoMetrics({ run, ended, host }: { run: RunDocument; ended: boolean; host: Host }) {
  const trans = transOf(host);
  return (
    <p class="amlnb-empty">
      {ended
        ? trans('This run logged no metric.')
        : run.started === null
          ? trans('The curves appear here as soon as the run logs its first value.')
          : trans('No metric yet: run.log("loss", value) draws a curve here.')}
    </p>
  );
}

/** The charts of a cell's output. */
export function CompactCharts({ host, model, run }: MetricsPanelProps) {
  const trans = transOf(host);
  const settings = useMemo(() => new ChartSettings(), []);
  const charts = useMemo(() => new RunCharts(model), [model]).of(model.names.value, run);
  if (charts.length === 0) {
    return null;
  }
  const rest = charts.length - COMPACT;
  return (
    <>
      <div class={`amlnb-charts amlnb-charts-compact amlnb-charts-of-${Math.min(charts.length, 3)}`}>
        {charts.slice(0, COMPACT).map(({ title, series }) => (
          <Chart
            key={series[0]?.key}
            host={host}
            title={title}
            run={labelOf(run)}
            series={series}
            settings={settings}
            compact
          />
        ))}
      </div>
      {rest > 0 ? (
        <button
          type="button"
          class="amlnb-link"
          onClick={() => host.open({ view: 'run', workspace: model.workspace, run: run.id })}
        >
          {rest === 1 ? trans('1 more chart') : trans('%1 more charts', rest)}
        </button>
      ) : null}
    </>
  );
}

function matches({ title, series }: ChartOf, filter: string): boolean {
  const wanted = filter.toLowerCase();
  return [title, ...series.map(({ key }) => key)].some(name => name.toLowerCase().includes(wanted));
}

function sizeOf(count: number, large: boolean): 'large' | 'medium' | 'small' {
  if (large || count === 1) {
    return 'large';
  }
  return count <= 4 ? 'medium' : 'small';
}
