/** The axes of a chart for uPlot. */

import type uPlot from 'uplot';

import {
  clockTick,
  evenSplits,
  lastPlace,
  logSplits,
  numberTick,
  relativeTick,
  roundAtLeast,
  secondsApart,
  wholeApart
} from '../core/ticks';
import type { Axis, Range } from './curves';
import type { ThemeColours } from './theme';

const FONT_PX = 11;
/** Between two marks at least. */
const ACROSS_PX = 52;
const UP_PX = 28;

/** What stands at an axis as it was drawn last. */
export interface Marks {
  places: readonly number[];
  texts: readonly string[];
}

/**
 * Axes across and up.
 *
 * @param logRange Range of a logarithmic y axis; null for a linear one.
 * @param onMarks Told of what is drawn at the axis of this position.
 */
export function axesOf(
  colours: () => ThemeColours,
  axis: Axis,
  logRange: (() => Range) | null,
  onMarks: (axis: 0 | 1, marks: Marks) => void
): uPlot.Axis[] {
  const font = `${FONT_PX}px ${colours().font}`;
  const common = {
    font,
    stroke: () => colours().faint,
    grid: { stroke: () => colours().grid, width: 1 },
    ticks: { show: false },
    // Marks are placed by us: uPlot wants one distance that fits, and tells how many pixels it is wide.
    incrs: (_, __, low, high) => [Math.max(5, high - low)]
  } satisfies uPlot.Axis;
  const across: uPlot.Axis = {
    ...common,
    size: 24,
    gap: 4,
    space: ACROSS_PX,
    grid: { show: false },
    border: { show: true, stroke: () => colours().grid, width: 1 },
    splits: (_, __, low, high, distance, space) =>
      evenSplits([low, high], (axis === 'step' ? wholeApart : secondsApart)((ACROSS_PX * distance) / space)),
    values: (_, splits) => {
      const distance = distanceOf(splits, 1);
      const write = { step: numberTick, time: clockTick, relative: relativeTick }[axis];
      const texts = splits.map(value => write(value, distance));
      onMarks(0, { places: splits, texts });
      return texts;
    }
  };
  const up: uPlot.Axis = {
    ...common,
    gap: 4,
    space: UP_PX,
    splits: (_, __, low, high, distance, space) =>
      logRange ? logSplits(logRange()) : evenSplits([low, high], roundAtLeast((UP_PX * distance) / space)),
    size: (_, values) => Math.max(40, 10 + 6.4 * Math.max(0, ...nullable(values).map(text => text.length))),
    values: (_, splits) => {
      const even = !logRange || logRange()[1] / logRange()[0] < 5;
      const texts = splits.map(value => numberTick(value, even ? distanceOf(splits) : lastPlace(value)));
      onMarks(1, { places: splits, texts });
      return texts;
    }
  };
  if (logRange) {
    up.filter = (_, splits) => splits;
  }
  return [across, up];
}

/** uPlot asks for the size before there are values, against its types. */
function nullable(values: string[] | null): string[] {
  return values ?? [];
}

/** Between two marks; the only one there is has to tell its own place, of which `most` is the coarsest. */
export function distanceOf(splits: readonly number[], most = Infinity): number {
  const [first = 0, second] = splits;
  return second === undefined ? Math.min(most, lastPlace(first || 1)) : Math.abs(second - first);
}
