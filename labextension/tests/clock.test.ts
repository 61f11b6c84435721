import { afterEach, expect, it, vi } from 'vitest';

import { noteDate, serverNow } from '../src/core/server_clock';

afterEach(() => {
  vi.useRealTimers();
});

it.each([
  [0, 'Mon, 21 Sep 2026 10:00:00 GMT'],
  [0, 'Mon, 21 Sep 2026 10:00:02 GMT'],
  [300, 'Mon, 21 Sep 2026 10:05:00 GMT'],
  [300, 'Mon, 21 Sep 2026 10:05:01 GMT'],
  [300, 'no date'],
  [300, null],
  [-3600, 'Mon, 21 Sep 2026 09:00:00 GMT'],
  [0, 'Mon, 21 Sep 2026 09:59:59 GMT']
])('is %d s ahead after %s', (ahead, header) => {
  vi.useFakeTimers({ now: Date.UTC(2026, 8, 21, 10) });
  noteDate(header);
  expect(serverNow() - Date.now() / 1000).toBe(ahead);
});
