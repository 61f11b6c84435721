/** One chart's canvas: uPlot draws the axes and has the cursor, the curves are drawn by `drawCurves`. */

import { effect, signal, type ReadonlySignal } from '@preact/signals';
import uPlot from 'uplot';

import type { CurveStyle } from '../core/colours';
import type { Picture } from './chart_export';
import type { ChartSettings } from './chart_settings';
import { CanvasPen, drawCurves, placeX, placeY, type Frame } from './curve_drawing';
import {
  curveOf,
  nearest,
  rangeOfX,
  rangeOfY,
  widened,
  type Axis,
  type ChartSeries,
  type Columns,
  type Curve,
  type Range
} from './curves';
import { axesOf, type Marks } from './plot_axes';
import { cancelDraw, requestDraw, type Drawing } from './redraw_queue';
import { themeColours, themeVersion, type ThemeColours } from './theme';

/** What is under the cursor. */
export interface Hover {
  x: number;
  /** Pixels from the left of the plotting area, and its width. */
  left: number;
  width: number;
  /** In the order of the series; `value` is NaN where there is none. */
  values: { key: string; label: string; style: CurveStyle; value: number }[];
  /** Whether the cursor is over this chart, not over one that shares it. */
  direct: boolean;
}

/** As uPlot has it: the last argument, which its declarations leave out, tells the charts that share the cursor. */
type SetCursor = (place: { left: number; top: number }, fire: boolean, publish: boolean) => void;

const NO_MARKS: Marks = { places: [], texts: [] };
/** Between two questions for more detail, however fast a person zooms. */
const DETAIL_PAUSE_MS = 50;
/** How far beyond its end a curve is still under the cursor. */
const BEYOND_PX = 12;
const LINE_WIDTH = 1.6;
/** Where there are many more points than pixels: a hairline, which is drawn several times faster. */
const DENSE_WIDTH = 1;
// Its name is in a `const enum` of uPlot's declarations, which modules that are compiled one by one cannot use.
const LOGARITHMIC: object = { distr: 3 };

export class Plot implements Drawing {
  /** Curves as they are drawn now. */
  curves: Curve[] = [];
  private readonly hovered = signal<Hover | null>(null);
  private readonly details = new Map<string, Columns>();
  private detailRange: Range | null = null;
  private detailTimer: ReturnType<typeof setTimeout> | null = null;
  private detailAsked = -Infinity;
  private chart: uPlot | null = null;
  /** What of the settings the axes were made for. */
  private axis: Axis = 'step';
  private log = false;
  private colours: ThemeColours;
  private readonly stop: () => void;
  private readonly dots: HTMLElement[] = [];
  private range: Range = [0, 1];
  private values: Range = [0, 1];
  private marks: [Marks, Marks] = [NO_MARKS, NO_MARKS];
  private pointerInside = false;

  /** @param onDraw Called when what was there at the call has been painted. */
  constructor(
    private readonly mount: HTMLElement,
    readonly series: readonly ChartSeries[],
    private readonly settings: ChartSettings,
    private readonly label: string,
    private readonly onDraw: () => void
  ) {
    this.colours = themeColours(mount);
    this.stop = effect(() => this.follow());
    mount.addEventListener('pointerenter', this.onPointer);
    mount.addEventListener('pointerleave', this.onPointer);
  }

  get hover(): ReadonlySignal<Hover | null> {
    return this.hovered;
  }

  destroy(): void {
    this.stop();
    cancelDraw(this);
    this.detailRange = null; // detail that comes late is nobody's
    this.mount.removeEventListener('pointerenter', this.onPointer);
    this.mount.removeEventListener('pointerleave', this.onPointer);
    if (this.detailTimer !== null) {
      clearTimeout(this.detailTimer);
    }
    this.chart?.destroy();
    this.chart = null;
  }

  /** Take the size of the mount. */
  resize(): void {
    const { clientWidth: width, clientHeight: height } = this.mount;
    if (this.chart && width > 0 && height > 0 && (width !== this.chart.width || height !== this.chart.height)) {
      this.chart.setSize({ width, height });
      requestDraw(this);
    } else if (!this.chart) {
      requestDraw(this);
    }
  }

  draw(): void {
    this.compute();
    if (!this.chart || this.log !== this.settings.log.peek() || this.axis !== this.settings.axis.peek()) {
      this.make();
    }
    // Two points are enough for uPlot: its scales come from `range`, and what it would draw is drawn by us.
    this.chart?.setData([[...this.range], [...this.values]]);
    this.onDraw();
  }

  /** Move the cursor by so many pixels, from the right end if it is nowhere. */
  moveCursor(by: number): void {
    const { chart } = this;
    const frame = this.frame();
    if (!chart || !frame) {
      return;
    }
    const { width, height } = frame;
    const from = (chart.cursor.left ?? -1) >= 0 ? (chart.cursor.left as number) : width - by;
    this.pointerInside = true;
    const left = Math.min(Math.max(from + by, 0), width - 1);
    (chart.setCursor as SetCursor)({ left, top: height / 2 }, true, true);
  }

  leaveCursor(): void {
    this.pointerInside = false;
    (this.chart?.setCursor as SetCursor | undefined)?.({ left: -10, top: -10 }, true, true);
  }

  /** Show a part that is so many times as wide, around the cursor or the middle. */
  zoomBy(factor: number): void {
    const left = this.chart?.cursor.left ?? -1;
    const [low, high] = this.range;
    const middle = left >= 0 && this.chart ? this.chart.posToVal(left, 'x') : (low + high) / 2;
    this.settings.setZoom([middle - (middle - low) * factor, middle + (high - middle) * factor]);
  }

  /** The picture as it is, for an export; null before the first drawing. */
  picture(): (Omit<Picture, 'title'> & { canvas: HTMLCanvasElement; colours: ThemeColours }) | null {
    const { chart, curves, colours } = this;
    const frame = this.frame();
    if (!chart || !frame) {
      return null;
    }
    const [across, up] = this.marks;
    const place = ({ places, texts }: Marks, to: (value: number) => number): Picture['ticks']['x'] =>
      places.map((value, at) => ({ at: to(value), text: texts[at] ?? '' }));
    const ticks = { x: place(across, value => placeX(frame, value)), y: place(up, value => placeY(frame, value)) };
    const { width, height } = chart;
    return { canvas: chart.ctx.canvas, curves, frame, width, height, ticks, colours };
  }

  /** Where the curves stand, in pixels of the page. */
  private frame(): Frame | null {
    if (!this.chart) {
      return null;
    }
    const ratio = uPlot.pxRatio;
    const { left, top, width, height } = this.chart.bbox;
    const { range: x, values: y, log } = this;
    return { left: left / ratio, top: top / ratio, width: width / ratio, height: height / ratio, x, y, log };
  }

  private readonly onPointer = (event: Event): void => {
    this.pointerInside = event.type === 'pointerenter';
  };

  /** Draw anew whenever what is drawn changes. */
  private follow(): void {
    const { axis, weight, log, zoom, pinned } = this.settings;
    subscribe([axis, weight, log, pinned, ...this.series.map(({ source }) => source.version)]);
    if (themeVersion().value > 0) {
      this.colours = themeColours(this.mount);
    }
    this.askDetail(zoom.value);
    requestDraw(this);
  }

  private compute(): void {
    const axis = this.settings.axis.peek();
    const weight = this.settings.weight.peek();
    const zoom = this.settings.zoom.peek();
    const detailed = zoom !== null && this.detailRange !== null;
    this.curves = this.series.map(one =>
      curveOf(one, axis, weight, detailed ? (this.details.get(one.key) ?? null) : null)
    );
    const whole = rangeOfX(this.curves) ?? [0, 1];
    this.range = widened(zoom ? this.window(zoom, whole[1]) : whole);
    const fromZero = this.series.some(one => one.fromZero);
    this.values = rangeOfY(this.curves, this.range, this.settings.log.peek(), fromZero);
  }

  /** The zoomed part: as it is if pinned, else moved to the newest point. */
  private window(zoom: Range, newest: number): Range {
    return this.settings.pinned.peek() ? zoom : [newest - (zoom[1] - zoom[0]), newest];
  }

  private askDetail(zoom: Range | null): void {
    if (this.detailTimer !== null && zoom !== this.detailRange) {
      clearTimeout(this.detailTimer);
      this.detailTimer = null;
    }
    if (zoom === this.detailRange) {
      return;
    }
    this.detailRange = zoom;
    this.details.clear();
    if (zoom && this.series.some(({ source, detail }) => source.sampled && detail)) {
      const wait = Math.max(0, this.detailAsked + DETAIL_PAUSE_MS - performance.now());
      this.detailTimer = setTimeout(() => this.fetchDetail(zoom), wait);
    }
  }

  private fetchDetail(zoom: Range): void {
    this.detailTimer = null;
    this.detailAsked = performance.now();
    const axis = this.settings.axis.peek();
    const points = Math.max(500, 2 * this.mount.clientWidth);
    for (const { key, source, detail, origin } of this.series) {
      if (!source.sampled || !detail) {
        continue;
      }
      const range: Range = axis === 'relative' ? [zoom[0] + origin, zoom[1] + origin] : zoom;
      detail(axis === 'step' ? 'step' : 'time', range, points).then(
        columns => {
          if (this.detailRange === zoom) {
            this.details.set(key, columns);
            requestDraw(this);
          }
        },
        () => undefined // what is held stays on the picture
      );
    }
  }

  private make(): void {
    this.chart?.destroy();
    this.chart = null;
    this.dots.length = 0;
    const { clientWidth: width, clientHeight: height } = this.mount;
    if (width <= 0 || height <= 0) {
      return;
    }
    this.log = this.settings.log.peek();
    this.axis = this.settings.axis.peek();
    this.chart = new uPlot(this.options(width, height), [[], []], this.mount);
    const canvas = this.chart.ctx.canvas;
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', this.label);
  }

  private options(width: number, height: number): uPlot.Options {
    const only = (type: string): boolean => type === 'mousemove' || type === 'mouseleave';
    return {
      width,
      height,
      padding: [8, this.axis === 'step' ? 16 : 26, null, null],
      legend: { show: false },
      scales: {
        x: { time: false, range: () => [...this.range] },
        y: { ...(this.log && LOGARITHMIC), range: () => [...this.values] }
      },
      series: [{}, { paths: () => null, points: { show: false } }],
      axes: axesOf(
        () => this.colours,
        this.axis,
        this.log ? () => this.values : null,
        (at, marks) => (this.marks[at] = marks)
      ),
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false, dist: 4 },
        sync: { key: this.settings.syncKey, scales: ['x', null], filters: { pub: only, sub: only } },
        bind: { dblclick: () => this.onDoubleClick }
      },
      hooks: {
        draw: [chart => this.paint(chart)],
        setSelect: [chart => this.onSelect(chart)],
        setCursor: [chart => this.onCursor(chart)]
      }
    };
  }

  private readonly onDoubleClick = (): null => {
    this.settings.setZoom(null);
    return null;
  };

  private onSelect(chart: uPlot): void {
    const { left, width } = chart.select;
    if (width > 0) {
      this.settings.setZoom([chart.posToVal(left, 'x'), chart.posToVal(left + width, 'x')]);
      chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    }
  }

  private paint(chart: uPlot): void {
    const { left, top, width, height } = chart.bbox;
    const { ctx } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    const frame: Frame = { left, top, width, height, x: this.range, y: this.values, log: this.log };
    const dense = this.curves.some(({ x }) => x.length > 2 * width);
    drawCurves(new CanvasPen(ctx, uPlot.pxRatio), this.curves, frame, dense ? DENSE_WIDTH : LINE_WIDTH);
    ctx.restore();
  }

  private onCursor(chart: uPlot): void {
    const left = chart.cursor.left ?? -1;
    const frame = this.frame();
    if (left < 0 || !frame) {
      this.hovered.value = null;
      this.placeDots([]);
      return;
    }
    const x = chart.posToVal(left, 'x');
    const slack = (BEYOND_PX * (frame.x[1] - frame.x[0])) / frame.width;
    const found = this.curves.map(curve => nearest(curve.x, x, slack));
    const values = this.curves.map(({ key, label, style, y }, at) => ({
      key,
      label,
      style,
      value: y[found[at] as number] ?? NaN
    }));
    const dots = this.curves.flatMap((curve, at) => {
      const [px, py] = [curve.x[found[at] as number] ?? NaN, curve.y[found[at] as number] ?? NaN];
      const place = [placeX(frame, px) - frame.left, placeY(frame, py) - frame.top] as const;
      return place.every(Number.isFinite) ? [{ place, colour: curve.style.colour }] : [];
    });
    this.placeDots(dots.slice(0, 12));
    this.hovered.value = { x, left, width: frame.width, values, direct: this.pointerInside };
  }

  private placeDots(dots: { place: readonly [number, number]; colour: string }[]): void {
    while (this.dots.length < dots.length && this.chart) {
      const dot = document.createElement('div');
      dot.className = 'amlnb-dot';
      this.chart.over.append(dot);
      this.dots.push(dot);
    }
    this.dots.forEach((dot, at) => {
      const shown = dots[at];
      dot.style.display = shown ? 'block' : 'none';
      if (shown) {
        dot.style.transform = `translate(${shown.place[0]}px, ${shown.place[1]}px)`;
        dot.style.background = shown.colour;
      }
    });
  }
}

/** Have the effect that runs come again when any of these changes. */
function subscribe(signals: readonly ReadonlySignal<unknown>[]): void {
  signals.forEach(each => each.value);
}
