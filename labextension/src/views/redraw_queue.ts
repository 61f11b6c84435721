/** Drawings that are due, a frame's share at a time: however much is live, a page stays smooth. */

import { drawInFrame } from '../core/frame';

export interface Drawing {
  draw(): void;
}

/** Time a frame may be spent on drawing; what is left over comes first in the next frame. */
const BUDGET_MS = 10;

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
  for (const drawing of due) {
    due.delete(drawing);
    drawing.draw();
    if (performance.now() - begin > BUDGET_MS) {
      break;
    }
  }
  if (due.size > 0) {
    drawInFrame(drawDue);
  }
}
