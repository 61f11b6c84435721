import { useEffect, useMemo, useState } from 'preact/hooks';

import { curveStyle } from '../core/colours';
import type { Host } from '../core/host';
import type { RunModel } from '../core/run_model';
import { sessionOf } from '../core/session';
import { Chart } from '../views/chart';
import { ChartSettings } from '../views/chart_settings';
import type { ChartSeries } from '../views/curves';
import { FaultBox } from '../views/fault_box';
import { LostNotice } from '../views/lost_notice';
import { detailOf, labelOf } from '../views/run_series';

/** One metric of a run, live. */
export function MetricView(props: { host: Host; workspace: string; run: string; metric: string }) {
  const { host, workspace, run, metric } = props;
  const [model, setModel] = useState<RunModel | null>(null);
  const settings = useMemo(() => new ChartSettings(host.remember('charts:metric')), [host]);
  useEffect(() => {
    const [found, release] = sessionOf(host).follow(workspace, run);
    setModel(found);
    return release;
  }, [host, workspace, run]);
  const document = model?.document.value ?? null;
  const fault = model?.fault.value ?? null;
  const none = model !== null && document !== null && !model.names.value.includes(metric);
  const origin = document?.started ?? document?.created ?? 0;
  const series = useMemo(
    (): ChartSeries[] =>
      model === null
        ? []
        : [
            {
              key: metric,
              metric,
              label: metric,
              style: curveStyle(0),
              source: model.series(metric),
              origin,
              detail: (axis, range, points) => detailOf(model, metric, axis, range, points)
            }
          ],
    [model, metric, origin]
  );
  return (
    <div class="amlnb-view amlnb-metric" data-amlnb-run={run} data-amlnb-state={document?.state ?? ''}>
      <LostNotice host={host} />
      {fault ? <FaultBox fault={fault} /> : null}
      {none ? (
        <p class="amlnb-empty">
          {model.ended.value
            ? host.trans('This run logged no metric "%1".', metric)
            : host.trans('No value of "%1" yet.', metric)}
        </p>
      ) : null}
      {model === null || document === null || none ? null : (
        <Chart title={metric} run={labelOf(document)} series={series} settings={settings} host={host} />
      )}
    </div>
  );
}
