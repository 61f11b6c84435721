/** What holds for all charts of a panel. */

import { useId } from 'preact/hooks';

import type { Host } from '../core/host';
import { ZoomButtons } from './chart_actions';
import { placeText } from './chart_table';
import type { ChartSettings } from './chart_settings';
import type { Axis } from './curves';
import { transOf, type Trans } from './trans';

const AXES: readonly (readonly [Axis, string])[] = [
  ['step', 'Step'],
  ['relative', 'Relative'],
  ['time', 'Time']
];

export interface ChartToolbarProps {
  host: Host;
  settings: ChartSettings;
  /** Whether the curves are of no one time: means of runs that went at different ones. */
  timeless?: boolean;
}

export function ChartToolbar({ host, settings, timeless = false }: ChartToolbarProps) {
  const trans = transOf(host);
  const id = useId();
  const { axis, weight, log, large } = settings;
  return (
    <div class="amlnb-toolbar" role="group" aria-label={trans('All charts')}>
      <span class="amlnb-segments" role="radiogroup" aria-label={trans('Along')}>
        {AXES.filter(([key]) => !(timeless && key === 'time')).map(([key, title]) => (
          <label key={key} class="amlnb-segment">
            <input
              type="radio"
              name={`${id}-axis`}
              checked={axis.value === key}
              onChange={() => settings.setAxis(key)}
            />
            <span>{trans(title)}</span>
          </label>
        ))}
      </span>
      <label class="amlnb-slider">
        <span>{trans('Smoothing')}</span>
        <input
          type="range"
          min="0"
          max="0.99"
          step="0.01"
          value={weight.value}
          onInput={event => settings.setWeight(Number(event.currentTarget.value))}
        />
        <output class="amlnb-number">{weight.value.toFixed(2)}</output>
      </label>
      <label class="amlnb-check">
        <input type="checkbox" checked={log.value} onChange={event => settings.setLog(event.currentTarget.checked)} />
        <span>{trans('Log scale')}</span>
      </label>
      <label class="amlnb-check">
        <input
          type="checkbox"
          checked={large.value}
          onChange={event => settings.setLarge(event.currentTarget.checked)}
        />
        <span>{trans('Large')}</span>
      </label>
      <ZoomNote settings={settings} trans={trans} />
    </div>
  );
}

function ZoomNote({ settings, trans }: { settings: ChartSettings; trans: Trans }) {
  const zoom = settings.zoom.value;
  if (!zoom) {
    return null;
  }
  const axis = settings.axis.value;
  const [from, to] = zoom.map(place => placeText(axis, axis === 'step' ? Math.round(place) : place));
  return (
    <span class="amlnb-zoom-note" role="status">
      {settings.pinned.value ? trans('%1 to %2', from ?? '', to ?? '') : trans('goes along')}
      <ZoomButtons settings={settings} trans={trans} />
    </span>
  );
}
