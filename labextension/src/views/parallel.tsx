/** Parallel coordinates: a line a run, an axis a parameter or metric. */

import { useRef, useState } from 'preact/hooks';

import { curveStyle } from '../core/colours';
import type { Axis } from '../core/differences';
import type { Trans } from './trans';
import { useWidth } from './use_width';

const HEIGHT = 360;
const TOP = 46;
const BOTTOM = 18;
/** Between two axes. */
const SPACE = { least: 150, most: 360 };
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
  const root = useRef<HTMLDivElement>(null);
  const room = useWidth(root, 0);
  if (axes.length < 2) {
    return <p class="amlnb-empty">{trans('There are fewer than two parameters or metrics that differ.')}</p>;
  }
  const fitting = (room - 2 * SIDE) / (axes.length - 1);
  const space = Math.min(Math.max(fitting, SPACE.least), SPACE.most);
  const width = 2 * SIDE + space * (axes.length - 1);
  const x = (axis: number): number => SIDE + space * axis;
  const y = (place: number): number => HEIGHT - BOTTOM - place * (HEIGHT - BOTTOM - TOP);
  const paths = labels.map((_, run) => lineOf(axes, run, x, y));
  const missing = labels.filter((_, run) => !paths[run]?.includes('L'));
  return (
    <div class="amlnb-scroll-x" ref={root}>
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
            key={run}
            class={`amlnb-plot-line${near === null ? '' : near === run ? ' amlnb-mod-near' : ' amlnb-mod-far'}`}
            d={paths[run]}
            stroke={curveStyle(run).colour}
            stroke-dasharray={curveStyle(run).dash.join(' ')}
            tabIndex={0}
            role="button"
            aria-label={describedRun(label, axes, run)}
            onMouseEnter={() => setNear(run)}
            onMouseLeave={() => setNear(null)}
            onFocus={() => setNear(run)}
            onBlur={() => setNear(null)}
            onClick={() => onOpen(run)}
            onKeyDown={onPress(() => onOpen(run))}
          >
            <title>{describedRun(label, axes, run)}</title>
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
              <text key={tick.place} x={x(position) - 7} y={y(tick.place) + 4} text-anchor="end">
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

/** What a run is called, and its values on these axes. */
export function describedRun(label: string, axes: readonly Axis[], run: number): string {
  const values = axes.flatMap(({ name, texts }) => {
    const text = texts[run] ?? null;
    return text === null ? [] : [`${name} ${text}`];
  });
  return [label, ...values].join(', ');
}

/** A key on something drawn that is a button. */
export function onPress(act: () => void): (event: KeyboardEvent) => void {
  return event => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      act();
    }
  };
}

function thinned<T>(ticks: readonly T[]): readonly T[] {
  const step = Math.ceil(ticks.length / MOST_TICKS);
  return ticks.filter((_, index) => index % step === 0);
}

export function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
