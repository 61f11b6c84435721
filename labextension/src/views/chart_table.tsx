/** The data behind a chart as a table: all points of a short curve, the telling ones of a long one. */

import { extremesOf } from '../core/series';
import { formatClock, formatDuration, formatNumber } from '../core/format';
import type { Host } from '../core/host';
import type { Axis, Curve } from './curves';

/** Points up to which all of them are told. */
const ALL = 40;
const EVERY = 12;

export interface ChartTableProps {
  title: string;
  curves: readonly Curve[];
  axis: Axis;
  trans: Host['trans'];
}

export function ChartTable({ title, curves, axis, trans }: ChartTableProps) {
  const heading = { step: trans('step'), time: trans('time'), relative: trans('since the start') }[axis];
  return (
    <div class="amlnb-chart-table" tabIndex={0} role="region" aria-label={trans('%1 as a table', title)}>
      {curves.map(({ key, label, x, raw, y }) => {
        const values = raw ?? y;
        const rows = tellingRows(values);
        return (
          <table key={key}>
            <caption>
              {rows.length < values.length ? trans('%1: %2 of %3 points', label, rows.length, values.length) : label}
            </caption>
            <thead>
              <tr>
                <th scope="col">{heading}</th>
                <th scope="col">{trans('value')}</th>
                <th scope="col">{trans('which')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ at, notes }) => (
                <tr key={at}>
                  <td>{placeText(axis, x[at] as number)}</td>
                  <td>{formatNumber(values[at] as number)}</td>
                  <td>{notes.map(note => trans(note)).join(', ')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        );
      })}
    </div>
  );
}

/** A place of the axis in words. */
export function placeText(axis: Axis, x: number): string {
  if (axis === 'step') {
    return formatNumber(x);
  }
  return axis === 'time' ? formatClock(x, true) : formatDuration(x);
}

interface TellingRow {
  at: number;
  notes: string[];
}

/** Positions of the first, last, lowest and highest point, and some between; all if they are few. */
export function tellingRows(values: Float64Array): TellingRow[] {
  const count = values.length;
  const [low, high] = extremesOf(values);
  const notes = new Map<number, string[]>();
  const note = (at: number, text: string): void => {
    if (at >= 0) {
      notes.set(at, [...(notes.get(at) ?? []), text]);
    }
  };
  note(count > 0 ? 0 : -1, 'first');
  note(values.indexOf(low), 'lowest');
  note(values.indexOf(high), 'highest');
  note(count - 1, 'last');
  const places = new Set(notes.keys());
  const step = count <= ALL ? 1 : (count - 1) / EVERY;
  for (let at = 0; at < count; at += step) {
    places.add(Math.floor(at));
  }
  return [...places].sort((a, b) => a - b).map(at => ({ at, notes: notes.get(at) ?? [] }));
}
