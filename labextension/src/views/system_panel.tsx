/** What the runner sampled of the machine. */

import { useEffect, useMemo } from 'preact/hooks';

import { curveStyle } from '../core/colours';
import type { RunDocument } from '../core/contract';
import { toNumber } from '../core/format';
import type { Host } from '../core/host';
import type { SeriesFrame } from '../core/frames';
import type { RunModel } from '../core/run_model';
import { Series } from '../core/series';
import { Chart } from './chart';
import { ChartSettings } from './chart_settings';
import type { ChartSeries } from './curves';
import { FaultBox } from './fault_box';
import { labelOf } from './run_series';
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
    const made = new ChartSettings();
    made.axis.value = 'relative';
    return made;
  }, []);
  const ended = model.ended.value;
  const { answer, fault, again } = useAnswer(() => sampled(model), [model], {
    version: ended,
    everyMs: ended ? undefined : EVERY_MS
  });
  const charts = useCharts(run, answer);
  if (fault && !answer) {
    return <FaultBox fault={fault} again={again} trans={trans} />;
  }
  if (charts.length === 0) {
    return answer ? (
      <p class="amlnb-empty">{trans('Nothing was sampled of the machine yet.')}</p>
    ) : (
      <div class="amlnb-loading" />
    );
  }
  return (
    <div class="amlnb-charts amlnb-charts-medium">
      {charts.map(series => (
        <Chart
          key={series.key}
          host={host}
          title={series.label}
          run={labelOf(run)}
          series={series.alone}
          settings={settings}
        />
      ))}
    </div>
  );
}

interface Sampled {
  units: readonly Unit[];
  /** One a unit. */
  frames: readonly SeriesFrame[];
}

async function sampled({ client, workspace, run }: RunModel): Promise<Sampled> {
  const { system } = await client.metrics(workspace, run);
  const names = Object.keys(system);
  const asked = { names, axis: 'time', points: POINTS, system: true } as const;
  const frames = names.length === 0 ? [] : await client.series(workspace, run, asked);
  return { units: names.map(name => unitOf(name, toNumber(system[name]?.max))), frames };
}

interface Measured extends ChartSeries {
  source: Series;
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

/** A chart of each name; as long as the units stay, each answer brings its points anew. */
function useCharts(run: RunDocument, sampled: Sampled | null): Measured[] {
  const origin = run.started ?? run.created;
  const units = sampled?.units ?? [];
  const charts = useMemo(() => units.map(unit => measured(unit, origin)), [JSON.stringify(units), origin]);
  useEffect(() => {
    for (const frame of sampled?.frames ?? []) {
      const [unit, chart] = [units[frame.metric], charts[frame.metric]];
      if (unit !== undefined && chart !== undefined) {
        chart.source.take({ ...frame, replaces: true, value: frame.value.map(value => value / unit.size) });
        chart.source.version.value++;
      }
    }
  }, [charts, sampled]);
  return charts;
}

function measured({ name, label }: Unit, origin: number): Measured {
  const series = { key: name, label, style: curveStyle(0), source: new Series(name), origin, fromZero: true };
  return { ...series, alone: [series] };
}
