/** What the runner sampled of the machine. */

import { signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';

import { curveStyle } from '../core/colours';
import type { RunDocument } from '../core/contract';
import { formatMeasured, toNumber } from '../core/format';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { Series } from '../core/series';
import { Chart } from './chart';
import { ChartSettings } from './chart_settings';
import type { ChartSeries } from './curves';
import { FaultBox } from './fault_box';
import { transOf } from './trans';
import { useAnswer } from './use_answer';

const EVERY_MS = 5000;
const POINTS = 1000;

export interface SystemPanelProps {
  host: Host;
  model: RunModel;
  run: RunDocument;
}

export function SystemPanel({ host, model, run }: SystemPanelProps) {
  const trans = transOf(host);
  const settings = useMemo(() => {
    const made = new ChartSettings(null);
    made.axis.value = 'relative';
    return made;
  }, []);
  const turn = useTurns(!model.ended.value);
  const { answer, fault } = useAnswer(
    () => model.client.metrics(model.workspace, model.run),
    [model, turn, model.ended.value]
  );
  const system = answer?.system ?? {};
  const names = Object.keys(system);
  const charts = useCharts(model, run, names, turn);
  if (fault && !answer) {
    return <FaultBox fault={fault} />;
  }
  if (names.length === 0) {
    return answer ? (
      <p class="amlnb-empty">{trans('Nothing was sampled of the machine yet.')}</p>
    ) : (
      <div class="amlnb-loading" />
    );
  }
  return (
    <div class="amlnb-charts amlnb-charts-medium">
      {charts.map(series => (
        <div key={series.key} class="amlnb-measured">
          <p class="amlnb-faint">
            {trans(
              'now %1, most %2',
              formatMeasured(series.key, toNumber(system[series.key]?.last)),
              formatMeasured(series.key, toNumber(system[series.key]?.max))
            )}
          </p>
          <Chart host={host} title={series.label} series={series.alone} settings={settings} />
        </div>
      ))}
    </div>
  );
}

/** A number that goes up every few seconds. */
function useTurns(goesOn: boolean): number {
  const turn = useMemo(() => signal(0), []);
  useEffect(() => {
    if (!goesOn) {
      return undefined;
    }
    const timer = setInterval(() => {
      turn.value++;
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [goesOn]);
  return turn.value;
}

interface Measured extends ChartSeries {
  alone: readonly ChartSeries[];
}

/** A chart of each name, whose points are read anew with each turn. */
function useCharts(model: RunModel, run: RunDocument, names: readonly string[], turn: number): Measured[] {
  const key = JSON.stringify(names);
  const origin = run.started ?? run.created;
  const charts = useMemo(() => names.map(name => measured(name, origin)), [key, origin]);
  useEffect(() => {
    if (names.length === 0) {
      return;
    }
    const asked = { names, axis: 'time', points: POINTS, system: true } as const;
    model.client.series(model.workspace, model.run, asked).then(
      frames => {
        for (const frame of frames) {
          const series = charts[frame.metric]?.source as Series | undefined;
          series?.take({ ...frame, replaces: true });
          if (series) {
            series.version.value++;
          }
        }
      },
      () => undefined // what is held stays; the next turn asks again
    );
  }, [charts, turn]);
  return charts;
}

function measured(name: string, origin: number): Measured {
  const label = name
    .replace(/_percent$/, ' (%)')
    .replace(/_bytes$/, ' (bytes)')
    .replaceAll('_', ' ');
  const series: ChartSeries = { key: name, label, style: curveStyle(0), source: new Series(name), origin };
  return { ...series, alone: [series] };
}
