/** The metrics of a run as series of charts. */

import { curveStyle } from '../core/colours';
import type { RunDocument } from '../core/contract';
import { groupMetrics, type MetricGroup } from '../core/metric_groups';
import type { RunModel } from '../core/run_model';
import type { ChartSeries, Columns, Range } from './curves';
import { nameOf } from './run_columns';

export interface ChartOf {
  title: string;
  series: readonly ChartSeries[];
}

/** What a run is called among others of its name. */
export function labelOf(run: RunDocument): string {
  return run.name === null ? nameOf(run) : `${run.name} #${run.number}`;
}

/** Makes the charts of a run; a chart that stays the same keeps its array. */
export class RunCharts {
  private readonly made = new Map<string, ChartOf>();

  constructor(private readonly model: RunModel) {}

  of(names: readonly string[], run: RunDocument): ChartOf[] {
    const origin = run.started ?? run.created;
    return groupMetrics(names).map(group => {
      const key = JSON.stringify([group, origin]);
      const chart = this.made.get(key) ?? { title: group.title, series: this.seriesOf(group, origin) };
      this.made.set(key, chart);
      return chart;
    });
  }

  private seriesOf({ members }: MetricGroup, origin: number): ChartSeries[] {
    return members.map(({ name, label }, position) => ({
      key: name,
      label,
      metric: name,
      style: { ...curveStyle(position), dash: position === 0 ? [] : [5, 3] },
      source: this.model.series(name),
      origin,
      detail: (axis, range, points) => detailOf(this.model, name, axis, range, points)
    }));
  }
}

/** More points of a metric within a range. */
export async function detailOf(
  model: Pick<RunModel, 'client' | 'workspace' | 'run'>,
  name: string,
  axis: 'step' | 'time',
  [low, high]: Range,
  points: number
): Promise<Columns> {
  const [frame] = await model.client.series(model.workspace, model.run, { names: [name], axis, low, high, points });
  if (!frame) {
    throw new RangeError(`no points of ${name} came`);
  }
  return frame;
}
