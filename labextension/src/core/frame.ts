/** One animation frame for all of a page: first what has come is taken in, then what is due is drawn. */

type Work = () => void;

const takes = new Set<Work>();
const draws = new Set<Work>();
let scheduled = false;

/** Do this once with the next frame, before anything is drawn. */
export function takeInFrame(work: Work): void {
  takes.add(work);
  schedule();
}

/** Do this once with the next frame; with this one if what has come is being taken in. */
export function drawInFrame(work: Work): void {
  draws.add(work);
  schedule();
}

function schedule(): void {
  if (!scheduled) {
    scheduled = true;
    requestAnimationFrame(run);
  }
}

function run(): void {
  try {
    perform(takes);
    perform(draws);
  } finally {
    scheduled = false;
    if (takes.size + draws.size > 0) {
      schedule();
    }
  }
}

/** Do what is due now; what is added meanwhile comes with the next frame. */
function perform(due: Set<Work>): void {
  for (const work of [...due]) {
    due.delete(work);
    work();
  }
}
