/** Colours of the page's theme for what is drawn on a canvas, and when they change. */

import { signal, type ReadonlySignal } from '@preact/signals';

export interface ThemeColours {
  ink: string;
  faint: string;
  grid: string;
  ground: string;
  font: string;
}

const version = signal(0);
let watching = false;

/** Goes up when the theme has changed. */
export function themeVersion(): ReadonlySignal<number> {
  if (!watching) {
    watching = true;
    const changed = (): void => {
      version.value++;
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
    ink: read('--amlnb-ink', '#222'),
    faint: read('--amlnb-soft', '#757575'),
    grid: read('--amlnb-grid', '#8884'),
    ground: read('--amlnb-ground', '#fff'),
    font: style.fontFamily || 'sans-serif'
  };
}
