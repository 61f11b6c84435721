/** The time as views tell ages by it: one timer for all of them, which rests while the page is hidden. */

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { serverNow } from '../core/server_clock';

const TICK_MS = 1000;
const last = signal(0);
let users = 0;
let timer: ReturnType<typeof setInterval> | null = null;

/** Unix time of the server in whole seconds; the component is drawn again as they pass. */
export function useNow(): number {
  useEffect(() => {
    users++;
    timer ??= setInterval(tick, TICK_MS);
    return () => {
      users--;
      if (users === 0 && timer !== null) {
        clearInterval(timer);
        timer = null;
      }
    };
  }, []);
  return Math.max(last.value, seconds());
}

function tick(): void {
  if (!document.hidden) {
    last.value = seconds();
  }
}

function seconds(): number {
  return Math.floor(serverNow());
}
