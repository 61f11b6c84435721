/** A chart as a file: PNG, SVG, CSV. */

import { drawCurves, SvgPen, type Frame } from './curve_drawing';
import type { Curve } from './curves';

export interface Ticks {
  /** Place in pixels, and what stands there. */
  x: { at: number; text: string }[];
  y: { at: number; text: string }[];
}

export interface Picture {
  title: string;
  curves: readonly Curve[];
  frame: Frame;
  width: number;
  height: number;
  ticks: Ticks;
}

const TITLE_PX = 26;
const INK = '#4b5158';
const GRID = '#d8dbdf';

/** The picture as a document of its own, on white. */
export function svgOf({ title, curves, frame, width, height, ticks }: Picture): string {
  const pen = new SvgPen();
  drawCurves(pen, curves, frame, 1.6);
  const { left, top } = frame;
  const [right, bottom] = [left + frame.width, top + frame.height];
  const parts = [
    `<rect y="${-TITLE_PX}" width="${width}" height="${height + TITLE_PX}" fill="#fff"/>`,
    text(left, -8, 'start', title, 13),
    ...ticks.y.map(({ at }) => `<path d="M${left} ${at.toFixed(1)}H${right}" stroke="${GRID}"/>`),
    ...ticks.y.map(({ at, text: label }) => text(left - 6, at + 4, 'end', label, 11)),
    ...ticks.x.map(({ at, text: label }) => text(at, bottom + 16, 'middle', label, 11)),
    `<clipPath id="within"><rect x="${left}" y="${top}" width="${frame.width}" height="${frame.height}"/></clipPath>`,
    `<g clip-path="url(#within)">${pen.elements.join('')}</g>`
  ];
  if (curves.length > 1) {
    const names = curves.map(({ label, style }) => `<tspan fill="${style.colour}">${escaped(label)}  </tspan>`);
    parts.push(`<text x="${right}" y="-8" text-anchor="end" font-size="11">${names.join('')}</text>`);
  }
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 ${-TITLE_PX} ${width} ${height + TITLE_PX}" ` +
    `width="${width}" height="${height + TITLE_PX}" font-family="sans-serif">${parts.join('')}</svg>`
  );
}

function text(x: number, y: number, anchor: string, label: string, size: number): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" font-size="${size}" fill="${INK}">${escaped(label)}</text>`;
}

/** One curve of a CSV. */
export interface Points extends Pick<Curve, 'x' | 'y' | 'raw'> {
  run: string;
  metric: string;
}

/** Columns `run`, `metric`, the axis and `value`, one row a point. */
export function csvOf(curves: readonly Points[], axis: string): string {
  const rows = [`run,metric,${axis},value`];
  for (const { run, metric, x, raw, y } of curves) {
    const values = raw ?? y;
    const names = `${csvText(run)},${csvText(metric)}`;
    x.forEach((place, at) => rows.push(`${names},${place},${values[at] as number}`));
  }
  return `${rows.join('\n')}\n`;
}

/** A cell of a CSV; what a spreadsheet would take for a formula begins with an apostrophe. */
function csvText(value: string): string {
  const tame = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(tame) ? `"${tame.replaceAll('"', '""')}"` : tame;
}

/** The canvas on a ground of its own, with the title and the names of its curves above. */
export function pngOf(
  { title, curves }: Pick<Picture, 'title' | 'curves'>,
  canvas: HTMLCanvasElement,
  colours: { ground: string; ink: string }
): HTMLCanvasElement {
  const picture = document.createElement('canvas');
  const ratio = canvas.width / (canvas.clientWidth || canvas.width);
  picture.width = canvas.width;
  picture.height = canvas.height + TITLE_PX * ratio;
  const context = picture.getContext('2d');
  if (context) {
    context.fillStyle = colours.ground;
    context.fillRect(0, 0, picture.width, picture.height);
    context.fillStyle = colours.ink;
    context.font = `${13 * ratio}px sans-serif`;
    context.fillText(title, 12 * ratio, 18 * ratio);
    context.drawImage(canvas, 0, TITLE_PX * ratio);
    context.font = `${11 * ratio}px sans-serif`;
    context.textAlign = 'right';
    let right = picture.width - 12 * ratio;
    for (const { label, style } of curves.length > 1 ? [...curves].reverse() : []) {
      context.fillStyle = style.colour;
      context.fillText(label, right, 18 * ratio);
      right -= context.measureText(label).width + 12 * ratio;
    }
  }
  return picture;
}

/** Give the person a file. */
export function saveFile(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name.replace(/[^\p{L}\p{N}_.-]+/gu, '_');
  // Some hosts (VS Code) look for clicks on links that the page holds.
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function escaped(value: string): string {
  return value.replace(
    /[&<>"]/g,
    found => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[found] as string
  );
}
