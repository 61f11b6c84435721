/** An answer of the server as a component's state. */

import { useEffect, useState } from 'preact/hooks';

import { toldFault } from '../core/client';
import type { Fault } from '../core/contract';

export interface Answered<T> {
  /** The last answer; it stays until the next one is there. */
  answer: T | null;
  fault: Fault | null;
}

/** Ask, and ask anew when one of `inputs` has changed; answers that come too late are dropped. */
export function useAnswer<T>(ask: () => Promise<T>, inputs: readonly unknown[]): Answered<T> {
  const [state, setState] = useState<Answered<T>>({ answer: null, fault: null });
  useEffect(() => {
    let wanted = true;
    ask().then(
      answer => wanted && setState({ answer, fault: null }),
      (error: unknown) => wanted && setState(({ answer }) => ({ answer, fault: toldFault(error) }))
    );
    return () => {
      wanted = false;
    };
  }, inputs);
  return state;
}
