/** Colours of the page's theme for what is drawn on a canvas, and when they change. */

import { signal, type ReadonlySignal } from '@preact/signals';

export interface ThemeColours {
  ink: string;
  faint: string;
  grid: string;
  ground: string;
  font: string;
}

/** A theme is named before its style sheet may have come: colours are read once more after so long. */
const SHEET_MS = 500;

const version = signal(0);
let watching = false;

/** Goes up when the theme has changed. */
export function themeVersion(): ReadonlySignal<number> {
  if (!watching) {
    watching = true;
    const bump = (): void => {
      version.value++;
    };
    const changed = (): void => {
      bump();
      setTimeout(bump, SHEET_MS);
    };
    new MutationObserver(changed).observe(document.body, {
      attributes: true,
      attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light', 'class']
    });
    for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)']) {
      window.matchMedia(query).addEventListener('change', changed);
    }
  }
  return version;
}

/** The colours as they are at this element. */
export function themeColours(element: Element): ThemeColours {
  const style = getComputedStyle(element);
  const read = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  return {
    ink: read('--jp-ui-font-color1', '#222'),
    faint: read('--jp-ui-font-color2', '#616161'),
    grid: read('--amlnb-line', '#e0e0e0'),
    ground: read('--jp-layout-color1', '#fff'),
    font: style.fontFamily || 'sans-serif'
  };
}
