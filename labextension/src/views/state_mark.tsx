/** The state of a run as a mark and a word: its shape tells as much as its colour. */

import type { RunState } from '../core/contract';
import type { Trans } from './trans';

type Shape = 'wait' | 'go' | 'done' | 'fail' | 'stop' | 'ask';

const SHAPES: Record<RunState, Shape> = {
  NotStarted: 'wait',
  Preparing: 'wait',
  Queued: 'wait',
  Provisioning: 'wait',
  Starting: 'wait',
  Running: 'go',
  Finalizing: 'go',
  Completed: 'done',
  Failed: 'fail',
  Canceled: 'stop',
  CancelRequested: 'stop',
  NotResponding: 'ask'
};

/** What a state is called beside its mark. */
const WORDS: Record<RunState, string> = {
  NotStarted: 'Not started',
  Preparing: 'Preparing',
  Queued: 'Queued',
  Provisioning: 'Provisioning',
  Starting: 'Starting',
  Running: 'Running',
  Finalizing: 'Finalizing',
  Completed: 'Completed',
  Failed: 'Failed',
  Canceled: 'Canceled',
  CancelRequested: 'Canceling',
  NotResponding: 'Not responding'
};

export function stateWord(state: RunState, trans: Trans): string {
  return trans(WORDS[state]);
}

/** @param compact The mark alone, the word in its tooltip and for screen readers. */
export function StateMark({ state, trans, compact }: { state: RunState; trans: Trans; compact?: boolean }) {
  const word = stateWord(state, trans);
  const shape = SHAPES[state];
  return (
    <span
      class={`amlnb-state amlnb-state-${shape}`}
      {...(compact ? { role: 'img', 'aria-label': word, title: word } : {})}
    >
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">
        {drawing(shape)}
      </svg>
      {compact ? null : <span>{word}</span>}
    </span>
  );
}

function drawing(shape: Shape) {
  const line = { fill: 'none', stroke: 'currentColor', 'stroke-width': 1.8, 'stroke-linecap': 'round' } as const;
  switch (shape) {
    case 'wait':
      return (
        <>
          <circle cx="8" cy="8" r="6" {...line} stroke-dasharray="2.2 2.5" />
          <path d="M8 5v3.2l2 1.3" {...line} stroke-width="1.4" />
        </>
      );
    case 'go':
      return (
        <>
          <circle cx="8" cy="8" r="6" {...line} opacity="0.3" />
          <path d="M8 2a6 6 0 0 1 6 6" {...line} />
        </>
      );
    case 'done':
      return (
        <>
          <circle cx="8" cy="8" r="7" fill="currentColor" opacity="0.16" />
          <path d="M4.6 8.3l2.3 2.3 4.5-4.9" {...line} />
        </>
      );
    case 'fail':
      return (
        <>
          <path d="M8 1.6l6.6 11.9H1.4z" fill="currentColor" opacity="0.16" />
          <path d="M8 6v3.4M8 11.6v.1" {...line} />
        </>
      );
    case 'stop':
      return (
        <>
          <circle cx="8" cy="8" r="6" {...line} />
          <path d="M4.2 11.8l7.6-7.6" {...line} />
        </>
      );
    default:
      return (
        <>
          <circle cx="8" cy="8" r="6" {...line} />
          <path d="M6.3 6.2a1.8 1.8 0 1 1 2.5 1.9c-.6.3-.8.6-.8 1.1M8 11.4v.1" {...line} stroke-width="1.5" />
        </>
      );
  }
}
