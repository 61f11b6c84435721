import { describe, expect, it, vi } from 'vitest';

import { drawInFrame, takeInFrame } from '../src/core/frame';
import { cancelDraw, requestDraw } from '../src/views/redraw_queue';

/** Count frames while something is going on. */
function countFrames(): { now: () => number; stop: () => void } {
  let count = 0;
  let going = true;
  const next = (): void => {
    count++;
    if (going) {
      requestAnimationFrame(next);
    }
  };
  requestAnimationFrame(next);
  return { now: () => count, stop: () => (going = false) };
}

describe('a frame', () => {
  it('draws what was taken in with it', async () => {
    const frames = countFrames();
    const told: [string, number][] = [];
    takeInFrame(() => {
      told.push(['take', frames.now()]);
      drawInFrame(() => told.push(['draw', frames.now()]));
    });
    await vi.waitFor(() => expect(told).toHaveLength(2));
    frames.stop();
    expect(told.map(([what]) => what)).toEqual(['take', 'draw']);
    expect(told[0]?.[1]).toBe(told[1]?.[1]);
  });

  it('does once what was asked for twice', async () => {
    const work = vi.fn();
    takeInFrame(work);
    takeInFrame(work);
    await vi.waitFor(() => expect(work).toHaveBeenCalled());
    await new Promise(requestAnimationFrame);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('draws a few of many charts, and all in the end', async () => {
    const frames = countFrames();
    const drawn: number[] = [];
    for (let at = 0; at < 20; at++) {
      requestDraw({ draw: () => drawn.push(frames.now()) });
    }
    const gone = { draw: () => drawn.push(-1) };
    requestDraw(gone);
    cancelDraw(gone);
    await vi.waitFor(() => expect(drawn).toHaveLength(20));
    frames.stop();
    expect(Math.max(...drawn.map(frame => drawn.filter(other => other === frame).length))).toBeLessThanOrEqual(6);
    expect(drawn).not.toContain(-1);
  });
});
