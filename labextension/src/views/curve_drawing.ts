/** Curves as strokes: the same for a canvas and for an SVG. */

import { within, type Curve, type Range } from './curves';

/** What a curve is traced into. */
export interface Sink {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

/** Where a chart's values stand on the picture. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
  x: Range;
  y: Range;
  log: boolean;
}

interface Pen {
  /** A stroke, and points that stand alone. */
  stroke(trace: (sink: Sink) => void, colour: string, width: number, dash: readonly number[], alpha: number): void;
  dot(x: number, y: number, colour: string, radius: number): void;
  fill(trace: (sink: Sink) => void, colour: string, alpha: number): void;
}

/** Points a pixel's column up to which all of them are drawn; beyond, first, lowest, highest and last. */
const DENSE = 3;
const DOT_PX = 3;

/** Draw bands, then raw lines, then the curves. */
export function drawCurves(pen: Pen, curves: readonly Curve[], frame: Frame, width: number): void {
  for (const { x, low, high, style } of curves) {
    if (low && high) {
      pen.fill(sink => traceBand(sink, x, low, high, frame), style.colour, 0.16);
    }
  }
  for (const { x, raw, style } of curves) {
    if (raw) {
      pen.stroke(sink => trace(sink, x, raw, frame), style.colour, width, [], 0.28);
    }
  }
  for (const { x, y, style } of curves) {
    const dots: number[] = [];
    pen.stroke(sink => trace(sink, x, y, frame, dots), style.colour, width, style.dash, 1);
    for (let i = 0; i < dots.length; i += 2) {
      pen.dot(dots[i] as number, dots[i + 1] as number, style.colour, DOT_PX);
    }
  }
}

/** Horizontal place of a value of x. */
export function placeX(frame: Frame, value: number): number {
  return frame.left + ((value - frame.x[0]) / (frame.x[1] - frame.x[0] || 1)) * frame.width;
}

/** Vertical place of a value; NaN if it has none. */
export function placeY(frame: Frame, value: number): number {
  const [low, high] = frame.log ? [Math.log(frame.y[0]), Math.log(frame.y[1])] : frame.y;
  const at = frame.log ? (value > 0 ? Math.log(value) : NaN) : value;
  const place = frame.top + frame.height * (1 - (at - low) / (high - low || 1));
  return Number.isFinite(place) ? place : NaN;
}

/** Trace what is within the frame's range of x. `dots`, if given, gets the places of points without neighbours. */
export function trace(sink: Sink, x: Float64Array, y: Float64Array, frame: Frame, dots?: number[]): void {
  const [begin, end] = within(x, frame.x[0], frame.x[1]);
  if (end - begin > DENSE * frame.width) {
    traceDense(sink, x, y, begin, end, frame);
    return;
  }
  let length = 0;
  let [lastX, lastY] = [0, 0];
  for (let i = begin; i <= end; i++) {
    const at = i < end ? placeY(frame, y[i] as number) : NaN;
    if (Number.isNaN(at)) {
      if (length === 1) {
        dots?.push(lastX, lastY);
      }
      length = 0;
      continue;
    }
    [lastX, lastY] = [placeX(frame, x[i] as number), at];
    if (length === 0) {
      sink.moveTo(lastX, lastY);
    } else {
      sink.lineTo(lastX, lastY);
    }
    length++;
  }
}

/** Each column of pixels gets its first, lowest, highest and last point. */
function traceDense(sink: Sink, x: Float64Array, y: Float64Array, begin: number, end: number, frame: Frame): void {
  let drawing = false;
  for (let i = begin; i < end;) {
    const column = Math.floor(placeX(frame, x[i] as number));
    const at = placeY(frame, y[i] as number);
    let [low, high, last] = [at, at, at];
    let broken = Number.isNaN(at);
    for (i++; i < end && !broken && Math.floor(placeX(frame, x[i] as number)) === column; i++) {
      last = placeY(frame, y[i] as number);
      broken = Number.isNaN(last);
      low = Math.min(low, broken ? low : last);
      high = Math.max(high, broken ? high : last);
    }
    if (Number.isNaN(at)) {
      drawing = false;
      continue;
    }
    if (drawing) {
      sink.lineTo(column, at);
    } else {
      sink.moveTo(column, at);
    }
    sink.lineTo(column, low);
    sink.lineTo(column, high);
    if (!broken) {
      sink.lineTo(column, last);
    }
    drawing = !broken;
  }
}

function traceBand(sink: Sink, x: Float64Array, low: Float64Array, high: Float64Array, frame: Frame): void {
  const [begin, end] = within(x, frame.x[0], frame.x[1]);
  let from = begin;
  for (let i = begin; i <= end; i++) {
    const whole = i < end && !Number.isNaN(placeY(frame, low[i] as number) + placeY(frame, high[i] as number));
    if (whole) {
      continue;
    }
    for (let at = from; at < i; at++) {
      const [placedX, placedY] = [placeX(frame, x[at] as number), placeY(frame, high[at] as number)];
      if (at === from) {
        sink.moveTo(placedX, placedY);
      } else {
        sink.lineTo(placedX, placedY);
      }
    }
    for (let at = i - 1; at >= from; at--) {
      sink.lineTo(placeX(frame, x[at] as number), placeY(frame, low[at] as number));
    }
    from = i + 1;
  }
}

/** Draws on a canvas, whose pixels are `ratio` times finer than a line's width tells. */
export class CanvasPen implements Pen {
  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly ratio: number
  ) {}

  stroke(trace: (sink: Sink) => void, colour: string, width: number, dash: readonly number[], alpha: number): void {
    const { context, ratio } = this;
    context.globalAlpha = alpha;
    context.strokeStyle = colour;
    context.lineWidth = width * ratio;
    context.lineJoin = 'bevel';
    context.setLineDash(dash.map(length => length * ratio));
    context.beginPath();
    trace(context);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  dot(x: number, y: number, colour: string, radius: number): void {
    const { context, ratio } = this;
    context.fillStyle = colour;
    context.beginPath();
    context.arc(x, y, radius * ratio, 0, 2 * Math.PI);
    context.fill();
  }

  fill(trace: (sink: Sink) => void, colour: string, alpha: number): void {
    const { context } = this;
    context.globalAlpha = alpha;
    context.fillStyle = colour;
    context.beginPath();
    trace(context);
    context.fill();
    context.globalAlpha = 1;
  }
}

/** Collects the elements of an SVG. */
export class SvgPen implements Pen {
  readonly elements: string[] = [];

  stroke(trace: (sink: Sink) => void, colour: string, width: number, dash: readonly number[], alpha: number): void {
    const dashes = dash.length ? ` stroke-dasharray="${dash.join(' ')}"` : '';
    this.elements.push(
      `<path d="${pathOf(trace)}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-linejoin="round"` +
        `${dashes} opacity="${alpha}"/>`
    );
  }

  dot(x: number, y: number, colour: string, radius: number): void {
    this.elements.push(`<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius}" fill="${colour}"/>`);
  }

  fill(trace: (sink: Sink) => void, colour: string, alpha: number): void {
    this.elements.push(`<path d="${pathOf(trace)}" fill="${colour}" opacity="${alpha}"/>`);
  }
}

function pathOf(trace: (sink: Sink) => void): string {
  const parts: string[] = [];
  trace({
    moveTo: (x, y) => parts.push(`M${x.toFixed(1)} ${y.toFixed(1)}`),
    lineTo: (x, y) => parts.push(`L${x.toFixed(1)} ${y.toFixed(1)}`)
  });
  return parts.join('');
}
