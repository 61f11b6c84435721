/** When a chart has a canvas: while it is on the screen or near it. */

import { effect, type Signal } from '@preact/signals';

import type { ChartSeries } from './curves';
import type { Plot } from './plot';

/** How far beyond the screen a chart is kept alive. */
const MARGIN = '300px';

/** Points of all series, drawn or not. */
export function pointsOf(series: readonly ChartSeries[]): number {
  return series.reduce((sum, { source }) => sum + source.total, 0);
}

/** Tell the points that have come on the element as long as no plot does it. */
export function tellPoints(
  element: HTMLElement,
  series: readonly ChartSeries[],
  plot: Signal<Plot | null>
): () => void {
  return effect(() => {
    series.forEach(({ source }) => source.version.value);
    if (!plot.value) {
      element.dataset['amlnbPoints'] = String(pointsOf(series));
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
