/** A point a run, over any two of their parameters and metrics. */

import { useRef, useState } from 'preact/hooks';

import { curveStyle } from '../core/colours';
import type { Axis } from '../core/differences';
import { describedRun, Missing, onPress, shortened } from './parallel';
import type { Trans } from './trans';
import { Choice } from './choice';
import { useWidth } from './use_width';

const WIDTH = { least: 480, most: 1100 };
const HEIGHT = { least: 340, most: 520 };
const LEFT = 84;
const RIGHT = 24;
const TOP = 28;
const BOTTOM = 44;
const MOST_TICKS = 6;

export interface ScatterProps {
  axes: readonly Axis[];
  labels: readonly string[];
  trans: Trans;
  onOpen: (position: number) => void;
}

export function Scatter({ axes, labels, trans, onOpen }: ScatterProps) {
  const [keys, setKeys] = useState<[string, string]>(() => firstAxes(axes));
  const root = useRef<HTMLDivElement>(null);
  const width = Math.min(Math.max(useWidth(root, WIDTH.least), WIDTH.least), WIDTH.most);
  const height = Math.min(Math.max(width / 2, HEIGHT.least), HEIGHT.most);
  const [across, up] = keys.map(key => axes.find(axis => axis.key === key));
  if (across === undefined || up === undefined) {
    return <p class="amlnb-empty">{trans('There are fewer than two parameters or metrics that differ.')}</p>;
  }
  const x = (place: number): number => LEFT + place * (width - LEFT - RIGHT);
  const y = (place: number): number => height - BOTTOM - place * (height - BOTTOM - TOP);
  const missing = labels.filter((_, run) => isUnknown(across.places[run]) || isUnknown(up.places[run]));
  const options = axes.map(axis => ({ value: axis.key, label: axis.key }));
  return (
    <div ref={root}>
      <div class="amlnb-row">
        <Choice title={trans('Across')} value={keys[0]} options={options} onChoose={key => setKeys([key, keys[1]])} />
        <Choice title={trans('Up')} value={keys[1]} options={options} onChoose={key => setKeys([keys[0], key])} />
      </div>
      {missing.length === 0 ? null : <Missing missing={missing} trans={trans} />}
      <div class="amlnb-scroll-x">
        <svg
          class="amlnb-plot"
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
          role="group"
          aria-label={trans('%1 over %2 of %3 runs', up.name, across.name, labels.length)}
        >
          <g class="amlnb-plot-axis" aria-hidden="true">
            <line x1={LEFT} x2={width - RIGHT} y1={y(0) + 8} y2={y(0) + 8} />
            <line x1={LEFT - 8} x2={LEFT - 8} y1={y(1)} y2={y(0)} />
            {few(across.ticks).map(tick => (
              <text key={tick.place} x={x(tick.place)} y={height - 20} text-anchor="middle">
                {shortened(tick.text, 10)}
              </text>
            ))}
            {few(up.ticks).map(tick => (
              <text key={tick.place} x={LEFT - 14} y={y(tick.place) + 4} text-anchor="end">
                {shortened(tick.text, 10)}
              </text>
            ))}
            <text class="amlnb-plot-title" x={(LEFT + width - RIGHT) / 2} y={height - 3} text-anchor="middle">
              {titled(across, trans)}
            </text>
            <text class="amlnb-plot-title" x={LEFT - 14} y={12} text-anchor="start">
              {titled(up, trans)}
            </text>
          </g>
          {labels.map((label, run) => {
            const [left, high] = [across.places[run] ?? null, up.places[run] ?? null];
            if (left === null || high === null) {
              return null;
            }
            return (
              <circle
                key={run}
                class="amlnb-plot-point"
                cx={x(left)}
                cy={y(high)}
                r={6}
                fill={curveStyle(run).colour}
                tabIndex={0}
                role="button"
                aria-label={describedRun(label, [across, up], run)}
                onClick={() => onOpen(run)}
                onKeyDown={onPress(() => onOpen(run))}
              >
                <title>{describedRun(label, [across, up], run)}</title>
              </circle>
            );
          })}
        </svg>
      </div>
    </div>
  );
}

function isUnknown(place: number | null | undefined): boolean {
  return place === null || place === undefined;
}

function titled(axis: Axis, trans: Trans): string {
  return axis.logarithmic ? trans('%1 (log)', axis.name) : axis.name;
}

/** A parameter across and a metric up, if there are both. */
function firstAxes(axes: readonly Axis[]): [string, string] {
  const across = axes.find(axis => axis.key.startsWith('parameters.')) ?? axes[0];
  const up =
    axes.find(axis => axis.key.startsWith('metrics.') && axis !== across) ?? axes.find(axis => axis !== across);
  return [across?.key ?? '', up?.key ?? ''];
}

function few<T>(ticks: readonly T[]): readonly T[] {
  const step = Math.ceil(ticks.length / MOST_TICKS);
  return ticks.filter((_, index) => index % step === 0);
}
