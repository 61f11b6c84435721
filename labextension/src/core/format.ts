/** Numbers, times and sizes as a person reads them; the same forms as amlnb/render/formatting.py. */

import type { JsonNumber, Progress } from './contract';
import type { Trans } from './host';

/** A number of an answer as a number. */
export function toNumber(value: JsonNumber | null | undefined): number {
  return value === null || value === undefined ? NaN : Number(value);
}

/** Four significant digits: `0.2134`, `12.50`, `1,797`, `3.2e-7`, `nan`. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) {
    return 'nan';
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? '∞' : '−∞';
  }
  const size = Math.abs(value);
  let text: string;
  if (Number.isInteger(value) && size < 1e7) {
    text = grouped(value.toFixed(0));
  } else if (size >= 1e-3 && size < 1e6) {
    text = grouped(value.toFixed(Math.max(0, 3 - Math.floor(Math.log10(size)))));
  } else {
    text = value.toPrecision(3);
    text = text.includes('e') ? text : value.toExponential(2);
    text = text.replace(/\.?0+e/, 'e').replace('e+', 'e');
  }
  return text.replace('-', '−').replace('e−', 'e-');
}

/** A whole number: `10,000,000`. */
export function formatCount(value: number): string {
  return grouped(value.toFixed(0));
}

function grouped(text: string): string {
  const [whole = '', fraction] = text.split('.');
  const thousands = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? thousands : `${thousands}.${fraction}`;
}

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 03 min`, `4 d 01 h`; whole seconds only, if asked for. */
export function formatDuration(seconds: number, whole = false): string {
  const least = Math.max(seconds, 0);
  if (least < 9.95 && !whole) {
    return `${least.toFixed(1)} s`;
  }
  const count = whole ? Math.floor(least) : Math.round(least);
  if (count < 60) {
    return `${count} s`;
  }
  if (count < 3600) {
    return `${Math.floor(count / 60)} min ${two(count % 60)} s`;
  }
  if (count < 86400) {
    return `${Math.floor(count / 3600)} h ${two(Math.floor((count % 3600) / 60))} min`;
  }
  return `${Math.floor(count / 86400)} d ${two(Math.floor((count % 86400) / 3600))} h`;
}

/** Bytes: `12 B`, `3.4 kB`, `1.2 GB`. */
export function formatSize(bytes: number): string {
  let value = bytes;
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 999.5) {
      return `${value.toFixed(unit === 'B' || value >= 99.5 ? 0 : 1)} ${unit}`;
    }
    value /= 1000;
  }
  return `${value.toFixed(1)} TB`;
}

/** Local time of the page, `05:21:12`, or with its date `2026-11-21 05:21:12`. */
export function formatClock(unixTime: number, date = false): string {
  const when = new Date(unixTime * 1000);
  if (Number.isNaN(when.getTime())) {
    return '';
  }
  const clock = [when.getHours(), when.getMinutes(), when.getSeconds()].map(two).join(':');
  return date ? `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())} ${clock}` : clock;
}

/** How long ago: `just now`, `5 min`, `3 h`, `2 d`. */
export function formatAge(seconds: number, trans: Trans): string {
  if (seconds < 60) {
    return trans('just now');
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min`;
  }
  return seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
}

/** `45/100 · 12 s left · epoch 3`. */
export function formatProgress(progress: Progress, trans: Trans): string {
  const { done, total, left_s: left, text } = progress;
  const parts = [
    Math.max(done, total) < 1e6
      ? `${formatNumber(done)}/${formatNumber(total)}`
      : `${Math.floor((100 * done) / total)} %`
  ];
  if (left !== null && done < total) {
    parts.push(trans('%1 left', formatDuration(left, true)));
  }
  if (text) {
    parts.push(text);
  }
  return parts.join(' · ');
}

/** A text, or as many of its first words as there is room for. */
export function formatBeginning(text: string, most: number): string {
  if (text.length <= most) {
    return text;
  }
  const part = text.slice(0, most);
  const end = part.lastIndexOf(' ');
  return `${end > most / 2 ? part.slice(0, end) : part} …`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
