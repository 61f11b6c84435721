/** Drawings that are due, a frame's share at a time: however much is live, a page stays smooth. */

import { drawInFrame } from '../core/frame';

export interface Drawing {
  draw(): void;
}

/** Time of a frame that drawing may take; what is left over comes first in the next frame. */
const BUDGET_MS = 8;
/** Drawings a frame: most of a canvas's cost comes behind our back, when the browser puts its strokes into pixels. */
const MOST = 6;

const due = new Set<Drawing>();

/** Draw this with the next animation frame, or soon after. */
export function requestDraw(drawing: Drawing): void {
  due.add(drawing);
  drawInFrame(drawDue);
}

/** It is gone. */
export function cancelDraw(drawing: Drawing): void {
  due.delete(drawing);
}

function drawDue(): void {
  const begin = performance.now();
  let drawn = 0;
  for (const drawing of due) {
    due.delete(drawing);
    drawing.draw();
    drawn++;
    if (drawn === MOST || performance.now() - begin > BUDGET_MS) {
      break;
    }
  }
  if (due.size > 0) {
    drawInFrame(drawDue);
  }
}
