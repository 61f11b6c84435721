/** The buttons of a chart. */

import type { ReadonlySignal, Signal } from '@preact/signals';

import { csvOf, pngOf, saveFile, svgOf } from './chart_export';
import type { ChartSettings } from './chart_settings';
import { IconButton } from './icons';
import { Menu } from './menu';
import type { Plot } from './plot';
import type { Trans } from './trans';

export interface ChartActionsProps {
  title: string;
  plot: ReadonlySignal<Plot | null>;
  settings: ChartSettings;
  asTable: Signal<boolean>;
  /** Null where a chart has one size only. */
  large: Signal<boolean> | null;
  trans: Trans;
}

export function ChartActions({ title, plot, settings, asTable, large, trans }: ChartActionsProps) {
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
          items={[
            { title: trans('Picture (PNG)'), onChoose: () => savePng(title, plot.value) },
            { title: trans('Picture (SVG)'), onChoose: () => saveSvg(title, plot.value) },
            { title: trans('Points (CSV)'), onChoose: () => saveCsv(title, plot.value, settings) }
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

function savePng(title: string, plot: Plot | null): void {
  const picture = plot?.picture();
  if (picture) {
    pngOf({ title, curves: picture.curves }, picture.canvas, picture.colours).toBlob(
      blob => blob && saveFile(`${title}.png`, blob)
    );
  }
}

function saveSvg(title: string, plot: Plot | null): void {
  const picture = plot?.picture();
  if (picture) {
    saveFile(`${title}.svg`, new Blob([svgOf({ ...picture, title })], { type: 'image/svg+xml' }));
  }
}

function saveCsv(title: string, plot: Plot | null, settings: ChartSettings): void {
  saveFile(`${title}.csv`, new Blob([csvOf(plot?.curves ?? [], settings.axis.peek())], { type: 'text/csv' }));
}
