/** Parallel coordinates: a line a run, an axis a parameter or metric. */

import { useState } from 'preact/hooks';

import { curveStyle } from '../core/colours';
import type { Axis } from '../core/differences';
import type { Trans } from './trans';

const HEIGHT = 320;
const TOP = 46;
const BOTTOM = 18;
const SPACE = 150;
const SIDE = 70;
const MOST_TICKS = 8;

export interface ParallelProps {
  axes: readonly Axis[];
  labels: readonly string[];
  trans: Trans;
  onOpen: (position: number) => void;
}

export function Parallel({ axes, labels, trans, onOpen }: ParallelProps) {
  const [near, setNear] = useState<number | null>(null);
  if (axes.length < 2) {
    return <p class="amlnb-empty">{trans('There are fewer than two parameters or metrics that differ.')}</p>;
  }
  const width = 2 * SIDE + SPACE * (axes.length - 1);
  const x = (axis: number): number => SIDE + SPACE * axis;
  const y = (place: number): number => HEIGHT - BOTTOM - place * (HEIGHT - BOTTOM - TOP);
  const paths = labels.map((_, run) => lineOf(axes, run, x, y));
  const missing = labels.filter((_, run) => !paths[run]?.includes('L'));
  return (
    <div class="amlnb-scroll-x">
      {missing.length === 0 ? null : <Missing missing={missing} trans={trans} />}
      <svg
        class="amlnb-plot"
        width={width}
        height={HEIGHT}
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="group"
        aria-label={trans('Parallel coordinates of %1 runs', labels.length)}
      >
        {labels.map((label, run) => (
          <path
            key={label}
            class={`amlnb-plot-line${near === null ? '' : near === run ? ' amlnb-mod-near' : ' amlnb-mod-far'}`}
            d={paths[run]}
            stroke={curveStyle(run).colour}
            stroke-dasharray={curveStyle(run).dash.join(' ')}
            tabIndex={0}
            role="button"
            aria-label={describe(label, axes, run)}
            onMouseEnter={() => setNear(run)}
            onMouseLeave={() => setNear(null)}
            onFocus={() => setNear(run)}
            onBlur={() => setNear(null)}
            onClick={() => onOpen(run)}
            onKeyDown={event => {
              if (event.key === 'Enter') {
                onOpen(run);
              }
            }}
          >
            <title>{describe(label, axes, run)}</title>
          </path>
        ))}
        {axes.map((axis, position) => (
          <g key={axis.key} class="amlnb-plot-axis" aria-hidden="true">
            <line x1={x(position)} x2={x(position)} y1={TOP} y2={HEIGHT - BOTTOM} />
            <text class="amlnb-plot-title" x={x(position)} y={TOP - 24} text-anchor="middle">
              {shortened(axis.name, 20)}
              <title>{axis.key}</title>
            </text>
            {axis.logarithmic ? (
              <text x={x(position)} y={TOP - 10} text-anchor="middle">
                {trans('log')}
              </text>
            ) : null}
            {thinned(axis.ticks).map(tick => (
              <text key={tick.text} x={x(position) - 7} y={y(tick.place) + 4} text-anchor="end">
                {shortened(tick.text, 10)}
              </text>
            ))}
          </g>
        ))}
      </svg>
    </div>
  );
}

/** Says which runs are not drawn, for want of values. */
export function Missing({ missing, trans }: { missing: readonly string[]; trans: Trans }) {
  return (
    <p class="amlnb-faint" role="status">
      {missing.length === 1
        ? trans('1 run is not drawn, it lacks values: %1', missing.join(', '))
        : trans('%1 runs are not drawn, they lack values: %2', missing.length, missing.join(', '))}
    </p>
  );
}

/** Segments between neighbouring axes on which the run has a place. */
function lineOf(axes: readonly Axis[], run: number, x: (axis: number) => number, y: (place: number) => number): string {
  let path = '';
  let pen = false;
  axes.forEach((axis, position) => {
    const place = axis.places[run] ?? null;
    if (place !== null) {
      path += `${pen ? 'L' : 'M'}${x(position)} ${y(place).toFixed(1)}`;
    }
    pen = place !== null;
  });
  return path;
}

function describe(label: string, axes: readonly Axis[], run: number): string {
  const values = axes.map(axis => {
    const place = axis.places[run] ?? null;
    const tick = place === null ? undefined : axis.ticks.find(each => Math.abs(each.place - place) < 1e-9);
    return tick === undefined ? null : `${axis.name} ${tick.text}`;
  });
  return [label, ...values.filter(value => value !== null)].join(', ');
}

function thinned<T>(ticks: readonly T[]): readonly T[] {
  const step = Math.ceil(ticks.length / MOST_TICKS);
  return ticks.filter((_, index) => index % step === 0);
}

export function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
