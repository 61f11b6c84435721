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
  const zoomed = settings.zoom.value !== null;
  return (
    <span class={`amlnb-chart-actions${zoomed ? ' amlnb-chart-zoomed' : ''}`}>
      {zoomed ? (
        <>
          <IconButton
            name="pin"
            label={
              settings.pinned.value ? trans('Pinned: go along with new points') : trans('Goes along: pin this part')
            }
            pressed={settings.pinned.value}
            onClick={() => {
              settings.pinned.value = !settings.pinned.value;
            }}
          />
          <IconButton name="reset" label={trans('Show all (double click)')} onClick={() => settings.setZoom(null)} />
        </>
      ) : null}
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

function savePng(title: string, plot: Plot | null): void {
  const picture = plot?.picture();
  if (picture) {
    pngOf(picture.canvas, title, picture.colours).toBlob(blob => blob && saveFile(`${title}.png`, blob));
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
