/** When a chart has a canvas: while it is on the screen or near it. */

import { effect, untracked, type Signal } from '@preact/signals';

import type { ChartSeries } from './curves';
import type { Plot } from './plot';

/** How far beyond the screen a chart is kept alive. */
const MARGIN = '300px';

/** Points that a chart has received: those of its first metric, or of all series where they are of one. */
export function pointsOf(series: readonly ChartSeries[]): number {
  const counted = series[0]?.metric === undefined ? series : series.slice(0, 1);
  return counted.reduce((sum, { source }) => sum + source.total, 0);
}

/** Tell of the points that have come as long as no plot does it. */
export function tellPoints(series: readonly ChartSeries[], plot: Signal<Plot | null>, tell: () => void): () => void {
  return effect(() => {
    series.forEach(({ source }) => source.version.value);
    if (!plot.value) {
      untracked(tell);
    }
  });
}

/** Have a plot in this place while it can be seen; the answer ends that. */
export function keepPlot(place: HTMLElement, plot: Signal<Plot | null>, make: () => Plot): () => void {
  const show = (visible: boolean): void => {
    if (visible !== (plot.peek() !== null)) {
      plot.peek()?.destroy();
      plot.value = visible ? make() : null;
    }
  };
  const size = new ResizeObserver(() => plot.peek()?.resize());
  const seen = new IntersectionObserver(entries => show(entries.at(-1)?.isIntersecting ?? false), {
    rootMargin: MARGIN
  });
  size.observe(place);
  seen.observe(place);
  return () => {
    size.disconnect();
    seen.disconnect();
    show(false);
  };
}
