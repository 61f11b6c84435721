/** Colours of curves and of a terminal that can be read on a light and on a dark page alike. */

/** The first six are those of a saved picture (amlnb/render/palette.py). */
const CURVES = [
  '#3d8bfd',
  '#f0852d',
  '#21a675',
  '#b06fe0',
  '#e5588a',
  '#12a5b8',
  '#a98b12',
  '#7d8fa9',
  '#d0523f',
  '#5a9e3e'
] as const;

const DASHES: readonly number[][] = [[], [6, 4], [2, 3], [9, 3, 2, 3]];

export interface CurveStyle {
  colour: string;
  /** Lengths of dashes and gaps; empty for a full line. */
  dash: number[];
}

/** How the curve at this position is drawn; no two of the first 40 look the same. */
export function curveStyle(position: number): CurveStyle {
  const colour = CURVES[position % CURVES.length] as string;
  const dash = DASHES[Math.floor(position / CURVES.length) % DASHES.length] as number[];
  return { colour, dash };
}

type Rgb = readonly [number, number, number];

// Luminances with a contrast of at least 3.5 on white and 3.3 on JupyterLab's dark ground.
const DARKEST = 0.135;
const LIGHTEST = 0.25;

/** Make a colour dark enough for a white page and light enough for a dark one; its hue stays. */
export function readable(rgb: Rgb): Rgb {
  let linear = rgb.map(toLinear);
  const luminance = luminanceOf(rgb);
  if (luminance > LIGHTEST) {
    linear = linear.map(value => (value * LIGHTEST) / luminance);
  } else if (luminance < DARKEST) {
    const share = (DARKEST - luminance) / (1 - luminance);
    linear = linear.map(value => value + (1 - value) * share);
  }
  const [red = 0, green = 0, blue = 0] = linear.map(fromLinear);
  return [red, green, blue];
}

/** Black or white, whichever can be read on this ground. */
export function contrasting(ground: Rgb): string {
  return luminanceOf(ground) > 0.18 ? '#000' : '#fff';
}

/** Relative luminance, 0 to 1, as WCAG 2 defines it. */
function luminanceOf(rgb: Rgb): number {
  const [red, green, blue] = rgb;
  return 0.2126 * toLinear(red) + 0.7152 * toLinear(green) + 0.0722 * toLinear(blue);
}

function toLinear(value: number): number {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

function fromLinear(linear: number): number {
  const share = linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055;
  return Math.round(share * 255);
}
