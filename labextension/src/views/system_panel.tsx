/** What the runner sampled of the machine. */

import { useEffect, useMemo } from 'preact/hooks';

import { curveStyle } from '../core/colours';
import type { RunDocument } from '../core/contract';
import { toNumber } from '../core/format';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { Series } from '../core/series';
import { Chart } from './chart';
import { ChartSettings } from './chart_settings';
import type { ChartSeries } from './curves';
import { FaultBox } from './fault_box';
import { transOf } from './trans';
import { useAnswer } from './use_answer';
import { useTurns } from './use_turns';

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
    const made = new ChartSettings();
    made.axis.value = 'relative';
    return made;
  }, []);
  const turn = useTurns(!model.ended.value, EVERY_MS);
  const { answer, fault } = useAnswer(
    () => model.client.metrics(model.workspace, model.run),
    [model, turn, model.ended.value]
  );
  const system = answer?.system ?? {};
  const names = Object.keys(system);
  const charts = useCharts(
    model,
    run,
    names.map(name => unitOf(name, toNumber(system[name]?.max))),
    turn
  );
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
        <Chart key={series.key} host={host} title={series.label} series={series.alone} settings={settings} />
      ))}
    </div>
  );
}

interface Measured extends ChartSeries {
  alone: readonly ChartSeries[];
}

interface Unit {
  name: string;
  label: string;
  /** What one of the unit is in that of the name. */
  size: number;
}

/** What is charted of a name, whose end tells its unit. */
function unitOf(name: string, most: number): Unit {
  const words = name.replace(/_(percent|bytes)$/, '').replaceAll('_', ' ');
  if (name.endsWith('_bytes')) {
    return most > 1e9 ? { name, label: `${words} (GB)`, size: 1e9 } : { name, label: `${words} (MB)`, size: 1e6 };
  }
  return { name, label: name.endsWith('_percent') ? `${words} (%)` : words, size: 1 };
}

/** A chart of each name, whose points are read anew with each turn. */
function useCharts(model: RunModel, run: RunDocument, units: readonly Unit[], turn: number): Measured[] {
  const origin = run.started ?? run.created;
  const charts = useMemo(() => units.map(unit => measured(unit, origin)), [JSON.stringify(units), origin]);
  useEffect(() => {
    if (units.length === 0) {
      return;
    }
    const asked = { names: units.map(({ name }) => name), axis: 'time', points: POINTS, system: true } as const;
    model.client.series(model.workspace, model.run, asked).then(
      frames => {
        for (const frame of frames) {
          const size = units[frame.metric]?.size ?? 1;
          const series = charts[frame.metric]?.source as Series | undefined;
          series?.take({ ...frame, replaces: true, value: frame.value.map(value => value / size) });
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

function measured({ name, label }: Unit, origin: number): Measured {
  const series: ChartSeries = { key: name, label, style: curveStyle(0), source: new Series(name), origin };
  return { ...series, alone: [series] };
}
