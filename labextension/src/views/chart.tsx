/** A chart of several series: live, zoomed, hovered, exported, or as a table. */

import { signal, useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';

import type { Host } from '../core/host';
import { ChartActions, ZoomButtons } from './chart_actions';
import { keepPlot, pointsOf, tellPoints } from './chart_life';
import { ChartHover, ChartValues } from './chart_readout';
import type { ChartSettings } from './chart_settings';
import { ChartTable } from './chart_table';
import { curveOf, type ChartSeries } from './curves';
import { Plot } from './plot';
import { transOf, type Trans } from './trans';

export interface ChartProps {
  host: Host;
  title: string;
  /** What the run of all curves is called; left out where each is of its own. */
  run?: string;
  /** The same array as long as the chart shows the same. */
  series: readonly ChartSeries[];
  settings: ChartSettings;
  compact?: boolean;
}

export function Chart({ host, title, run, series, settings, compact = false }: ChartProps) {
  const root = useRef<HTMLElement>(null);
  const mount = useRef<HTMLDivElement>(null);
  const plot = useMemo(() => signal<Plot | null>(null), []);
  const drawn = useSignal(0);
  const asTable = useSignal(false);
  const large = useSignal(false);
  const trans = transOf(host);

  const onDraw = (): void => {
    if (root.current) {
      root.current.dataset['amlnbPoints'] = String(pointsOf(series));
      drawn.value++;
    }
  };
  useEffect(() => tellPoints(series, plot, onDraw), [series]);
  useEffect(() => {
    const place = mount.current;
    if (!place) {
      return undefined;
    }
    const label = trans('%1: chart of %2 curves; a button shows their table', title, series.length);
    return keepPlot(place, plot, () => new Plot(place, series, settings, label, onDraw));
  }, [series, settings, asTable.value]);

  const zoomed = settings.zoom.value !== null;
  const classes = [
    'amlnb-chart',
    compact && 'amlnb-chart-compact',
    large.value && 'amlnb-chart-large',
    zoomed && 'amlnb-chart-zoomed'
  ];
  return (
    <figure
      class={classes.filter(Boolean).join(' ')}
      ref={root}
      data-amlnb-metric={series[0]?.metric ?? title}
      aria-label={title}
    >
      <figcaption class="amlnb-chart-head">
        <span class="amlnb-chart-title" title={title}>
          {title}
        </span>
        <ChartValues series={series} plot={plot} drawn={drawn} trans={trans} />
        <ChartActions
          title={title}
          run={run ?? null}
          plot={plot}
          settings={settings}
          asTable={asTable}
          large={compact ? null : large}
          trans={trans}
        />
      </figcaption>
      {asTable.value ? (
        <LiveTable title={title} series={series} settings={settings} trans={trans} />
      ) : (
        <div
          class="amlnb-plot"
          tabIndex={0}
          role="group"
          aria-label={trans('%1: arrow keys move the cursor, + and - zoom, 0 shows all', title)}
          onKeyDown={event => onKey(event, plot.value, settings)}
          onBlur={() => plot.value?.leaveCursor()}
        >
          <div class="amlnb-plot-place" ref={mount} />
          <ChartHover plot={plot} axis={settings.axis} />
          {compact && zoomed ? (
            <span class="amlnb-chart-zoom">
              <ZoomButtons settings={settings} trans={trans} />
            </span>
          ) : null}
        </div>
      )}
    </figure>
  );
}

function LiveTable({
  title,
  series,
  settings,
  trans
}: Pick<ChartProps, 'title' | 'series' | 'settings'> & { trans: Trans }) {
  series.forEach(({ source }) => source.version.value);
  const axis = settings.axis.value;
  return <ChartTable title={title} curves={series.map(one => curveOf(one, axis, 0, null))} axis={axis} trans={trans} />;
}

function onKey(event: KeyboardEvent, plot: Plot | null, settings: ChartSettings): void {
  const far = event.shiftKey ? 40 : 4;
  const actions: Record<string, () => void> = {
    ArrowLeft: () => plot?.moveCursor(-far),
    ArrowRight: () => plot?.moveCursor(far),
    '+': () => plot?.zoomBy(0.5),
    '=': () => plot?.zoomBy(0.5),
    '-': () => plot?.zoomBy(2),
    '0': () => settings.setZoom(null),
    Escape: () => plot?.leaveCursor()
  };
  const action = actions[event.key];
  if (action && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    event.stopPropagation();
    action();
  }
}
