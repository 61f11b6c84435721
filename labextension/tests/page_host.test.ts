import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PageHost } from '../src/studio/host';

const host = new PageHost('http://host/amlnb/studio/', true, () => undefined);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

/** What a browser does at the older command, where there is no clipboard. */
function commanded(done: boolean): string[] {
  const copied: string[] = [];
  const execCommand = (): boolean => {
    const setData = (_: string, text: string): number => copied.push(text);
    document.dispatchEvent(Object.assign(new Event('copy', { cancelable: true }), { clipboardData: { setData } }));
    return done;
  };
  Object.assign(document, { execCommand });
  return copied;
}

describe('a copy', () => {
  it('is put on the clipboard', async () => {
    const writeText = vi.fn(() => Promise.resolve());
    vi.stubGlobal('navigator', { clipboard: { writeText } });
    expect(await host.copy('run-1')).toBe(true);
    expect(writeText).toHaveBeenCalledWith('run-1');
  });

  it.each([true, false])(
    'goes the older way on a page by plain http, and says whether it was done (%s)',
    async done => {
      const copied = commanded(done);
      expect(await host.copy('run-1')).toBe(done);
      expect(copied).toEqual(['run-1']);
    }
  );
});

describe('a note', () => {
  it('goes by itself, an error only when it is closed', () => {
    host.notify('Copied run-1');
    host.notify('the target does not answer\nsee that it is on', 'error');
    const alert = document.querySelector('[role=alert]');
    expect([document.querySelector('[role=status]')?.textContent, alert?.textContent]).toEqual([
      'Copied run-1',
      'the target does not answer\nsee that it is on×'
    ]);
    vi.advanceTimersByTime(60_000);
    expect([document.querySelector('[role=status]'), alert?.isConnected]).toEqual([null, true]);
    alert?.querySelector('button')?.click();
    expect(alert?.isConnected).toBe(false);
  });
});
