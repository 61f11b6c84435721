import type { Remembered } from './host';

/** A choice kept by the browser; one that cannot be kept or read is as if it was not made. */
export function remembered<T>(name: string): Remembered<T> {
  return {
    get: () => {
      try {
        const text = localStorage.getItem(name);
        return text === null ? undefined : (JSON.parse(text) as T);
      } catch {
        return undefined;
      }
    },
    set: value => {
      try {
        localStorage.setItem(name, JSON.stringify(value));
      } catch {
        // Full, or forbidden.
      }
    }
  };
}
