/** A number that goes up from time to time: what is not told by the stream is asked for again. */

import { useEffect, useState } from 'preact/hooks';

/** @param goesOn Whether anything new may come. */
export function useTurns(goesOn: boolean, everyMs: number): number {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!goesOn) {
      return undefined;
    }
    const timer = setInterval(() => setTurn(last => last + 1), everyMs);
    return () => clearInterval(timer);
  }, [goesOn, everyMs]);
  return turn;
}
