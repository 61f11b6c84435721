/** An answer of the server as a component's state. */

import { useEffect, useRef, useState } from 'preact/hooks';

import { isAway, RETRY_MS, toldFault } from '../core/client';
import type { Fault } from '../core/contract';

export interface Answered<T> {
  /** The last answer; it stays until the next one is there. */
  answer: T | null;
  fault: Fault | null;
  /** Ask anew, at once. */
  again: () => void;
}

/** When the same is asked for again. */
export interface Renewal {
  /** When this changes: soon, but not before the answer that is on its way has come. */
  version?: string | number | boolean;
  /** So long after each answer. */
  everyMs?: number | undefined;
}

/** Changes that follow each other closely are one. */
const SETTLE_MS = 400;

/**
 * Ask, and ask anew when one of `question` has changed; an answer to the one before that comes late is dropped.
 *
 * The same is asked for again as `renewal` says, and when the server could not be reached; not while the page is hidden.
 */
export function useAnswer<T>(ask: () => Promise<T>, question: readonly unknown[], renewal: Renewal = {}): Answered<T> {
  const [state, setState] = useState<{ answer: T | null; fault: Fault | null }>({ answer: null, fault: null });
  const latest = useRef({ ask, ...renewal });
  latest.current = { ask, ...renewal };
  const asking = useRef<Asking | null>(null);
  const known = useRef(renewal.version);
  useEffect(() => {
    const made: Asking = new Asking(async () => {
      try {
        const answer = await latest.current.ask();
        made.tell(() => setState({ answer, fault: null }));
      } catch (error) {
        made.tell(() => setState(({ answer }) => ({ answer, fault: toldFault(error) })));
        if (isAway(error)) {
          return latest.current.everyMs ?? RETRY_MS;
        }
      }
      return latest.current.everyMs;
    });
    asking.current = made;
    known.current = latest.current.version;
    made.now();
    return () => made.end();
  }, question);
  useEffect(() => {
    if (known.current !== renewal.version) {
      known.current = renewal.version;
      asking.current?.soon();
    }
  }, [renewal.version]);
  const again = (): void => {
    setState(({ answer }) => ({ answer, fault: null }));
    asking.current?.now();
  };
  return { ...state, again };
}

/** One question that is asked again and again, the next time only when its answer has come. */
class Asking {
  private busy = false;
  private old = false;
  private ended = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param ask Resolves with when to ask again, in milliseconds, if that is known. */
  constructor(private readonly ask: () => Promise<number | undefined>) {}

  /** Unless its answer is on its way. */
  now(): void {
    if (!this.busy) {
      void this.read();
    }
  }

  soon(): void {
    if (!this.old) {
      this.old = true;
      if (!this.busy) {
        this.after(SETTLE_MS);
      }
    }
  }

  tell(answer: () => void): void {
    if (!this.ended) {
      answer();
    }
  }

  end(): void {
    this.ended = true;
    this.forget();
  }

  private async read(): Promise<void> {
    this.forget();
    this.busy = true;
    this.old = false;
    this.planNext(await this.ask());
  }

  private planNext(next: number | undefined): void {
    this.busy = false;
    const wait = this.old ? SETTLE_MS : next;
    if (wait !== undefined && !this.ended) {
      this.after(wait);
    }
  }

  private after(ms: number): void {
    this.forget();
    this.timer = setTimeout(this.due, ms);
  }

  private readonly due = (): void => {
    if (document.hidden) {
      document.addEventListener('visibilitychange', this.due, { once: true });
    } else {
      this.now();
    }
  };

  private forget(): void {
    clearTimeout(this.timer);
    document.removeEventListener('visibilitychange', this.due);
  }
}
