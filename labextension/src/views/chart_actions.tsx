/** The buttons of a chart. */

import type { ReadonlySignal, Signal } from '@preact/signals';

import { formatCount } from '../core/format';
import { csvOf, pngOf, saveFile, svgOf } from './chart_export';
import type { ChartSettings } from './chart_settings';
import { IconButton } from './icons';
import { Menu } from './menu';
import type { Plot } from './plot';
import type { Trans } from './trans';

export interface ChartActionsProps {
  title: string;
  /** The run of all curves; null where each is of its own. */
  run: string | null;
  plot: ReadonlySignal<Plot | null>;
  settings: ChartSettings;
  asTable: Signal<boolean>;
  /** Null where a chart has one size only. */
  large: Signal<boolean> | null;
  trans: Trans;
}

export function ChartActions({ title, run, plot, settings, asTable, large, trans }: ChartActionsProps) {
  const name = run === null ? title : `${run} ${title}`;
  return (
    <span class="amlnb-chart-actions">
      <IconButton
        name={asTable.value ? 'chart' : 'table'}
        label={asTable.value ? trans('As a chart') : trans('As a table')}
        onClick={() => {
          asTable.value = !asTable.value;
        }}
      />
      {large ? (
        <IconButton
          name={large.value ? 'small' : 'large'}
          label={large.value ? trans('Smaller') : trans('Larger')}
          onClick={() => {
            large.value = !large.value;
          }}
        />
      ) : null}
      {asTable.value ? null : (
        <Menu
          icon="save"
          label={trans('Save %1', title)}
          items={() => [
            { title: trans('Picture (PNG)'), onChoose: () => savePng(name, plot.value) },
            { title: trans('Picture (SVG)'), onChoose: () => saveSvg(name, plot.value) },
            { title: pointsTitle(plot.value, trans), onChoose: () => saveCsv(title, run, plot.value, settings) }
          ]}
        />
      )}
    </span>
  );
}

/** What can be done with a zoom: have it stay or go along with new points, or end it. */
export function ZoomButtons({ settings, trans }: Pick<ChartActionsProps, 'settings' | 'trans'>) {
  const { zoom, pinned } = settings;
  if (zoom.value === null) {
    return null;
  }
  return (
    <>
      <IconButton
        name="pin"
        label={pinned.value ? trans('Stays here: let it go along with new points') : trans('Goes along: keep it here')}
        pressed={pinned.value}
        onClick={() => {
          pinned.value = !pinned.value;
        }}
      />
      <IconButton name="reset" label={trans('Show all (double click)')} onClick={() => settings.setZoom(null)} />
    </>
  );
}

/** What a CSV would hold: of a long curve it is not all. */
function pointsTitle(plot: Plot | null, trans: Trans): string {
  const held = (plot?.curves ?? []).reduce((sum, { x }) => sum + x.length, 0);
  const total = (plot?.series ?? []).reduce((sum, { source }) => sum + (source.sampled ? source.total : 0), 0);
  return held < total ? trans('Points (CSV): %1 of %2', formatCount(held), formatCount(total)) : trans('Points (CSV)');
}

function savePng(name: string, plot: Plot | null): void {
  const picture = plot?.picture();
  if (picture) {
    pngOf({ title: name, curves: picture.curves }, picture.canvas, picture.colours).toBlob(
      blob => blob && saveFile(`${name}.png`, blob)
    );
  }
}

function saveSvg(name: string, plot: Plot | null): void {
  const picture = plot?.picture();
  if (picture) {
    saveFile(`${name}.svg`, new Blob([svgOf({ ...picture, title: name })], { type: 'image/svg+xml' }));
  }
}

function saveCsv(title: string, run: string | null, plot: Plot | null, settings: ChartSettings): void {
  const curves = (plot?.curves ?? []).map((curve, at) => ({
    ...curve,
    run: run ?? curve.label,
    metric: plot?.series[at]?.metric ?? title
  }));
  const name = run === null ? title : `${run} ${title}`;
  saveFile(`${name}.csv`, new Blob([csvOf(curves, settings.axis.peek())], { type: 'text/csv' }));
}
