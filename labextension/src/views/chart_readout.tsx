/** What a chart's curves are called and their values: the last ones, or those under the cursor. */

import type { ReadonlySignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';

import type { CurveStyle } from '../core/colours';
import { formatNumber } from '../core/format';
import { placeText } from './chart_table';
import type { Axis, ChartSeries } from './curves';
import type { Plot } from './plot';
import type { Trans } from './trans';

/** Curves up to which each has its name in the head. */
const NAMED = 3;
const LISTED = 12;
const GAP_PX = 4;

interface Readout {
  plot: ReadonlySignal<Plot | null>;
  /** Goes up with every drawing. */
  drawn: ReadonlySignal<number>;
}

/** The line in the head of a chart. */
export function ChartValues({
  series,
  plot,
  drawn,
  trans
}: Readout & { series: readonly ChartSeries[]; trans: Trans }) {
  if (series.length > NAMED) {
    return <span class="amlnb-chart-values">{trans('%1 curves', series.length)}</span>;
  }
  const version = drawn.value;
  const hovered = plot.value?.hover.value?.values;
  return (
    <span class="amlnb-chart-values" data-drawn={version}>
      {series.map(({ key, label, metric, style, source }, at) => (
        <span
          key={key}
          class="amlnb-chart-value"
          data-amlnb-metric={at > 0 ? metric : undefined}
          data-amlnb-points={at > 0 && metric !== undefined ? source.total : undefined}
        >
          {series.length > 1 ? <Swatch style={style} /> : null}
          {series.length > 1 ? <Name text={label} /> : null}
          <span class="amlnb-number">{valueText(hovered?.[at]?.value ?? source.value.at(-1))}</span>
        </span>
      ))}
    </span>
  );
}

/** The box beside the cursor. */
export function ChartHover({ plot, axis }: { plot: ReadonlySignal<Plot | null>; axis: ReadonlySignal<Axis> }) {
  const hover = plot.value?.hover.value;
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (box.current?.popover) {
      showBelow(box.current);
    }
  });
  if (!hover?.direct) {
    return null;
  }
  const shown = hover.values.filter(({ value }) => !Number.isNaN(value));
  const listed = shown.length > LISTED ? [...shown].sort((a, b) => b.value - a.value).slice(0, LISTED) : shown;
  const many = shown.length > NAMED;
  const place = many ? {} : hover.left > hover.width / 2 ? { left: '52px' } : { right: '8px' };
  return (
    <div
      key={many}
      class="amlnb-chart-hover"
      ref={box}
      style={place}
      popover={many ? 'manual' : undefined}
      role="status"
    >
      <div class="amlnb-chart-place">
        {placeText(axis.value, axis.value === 'step' ? Math.round(hover.x) : hover.x)}
      </div>
      {listed.map(({ key, label, style, value }) => (
        <div key={key} class="amlnb-chart-value">
          <Swatch style={style} />
          <Name text={label} />
          <span class="amlnb-number">{formatNumber(value)}</span>
        </div>
      ))}
      {shown.length > listed.length ? <div class="amlnb-faint">… {shown.length - listed.length}</div> : null}
    </div>
  );
}

/** Show a box below its chart, or above where there is no room: it covers none of the curves. */
function showBelow(box: HTMLElement): void {
  if (!box.matches(':popover-open')) {
    box.showPopover();
  }
  const chart = (box.closest('figure') ?? box).getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const below = chart.bottom + GAP_PX;
  box.style.left = `${Math.max(0, Math.min(chart.left, window.innerWidth - width - GAP_PX))}px`;
  box.style.top = `${below + height <= window.innerHeight ? below : Math.max(0, chart.top - height - GAP_PX)}px`;
}

/** Nothing where nothing was logged: that is no number. */
function valueText(value: number | undefined): string {
  return value === undefined ? '' : formatNumber(value);
}

/** What a curve is called; of a long name its end is seen, in which names of runs differ. */
function Name({ text }: { text: string }) {
  return (
    <span class="amlnb-chart-name" title={text}>
      <bdi dir="ltr">{text}</bdi>
    </span>
  );
}

/** A short piece of the curve. */
export function Swatch({ style }: { style: CurveStyle }) {
  return (
    <svg class="amlnb-line-swatch" width="16" height="8" viewBox="0 0 16 8" aria-hidden="true" focusable="false">
      <path d="M1 4h14" stroke={style.colour} stroke-width="2.5" stroke-dasharray={style.dash.join(' ')} />
    </svg>
  );
}
