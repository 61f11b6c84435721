"""How much of something may be used by now: a share of the time that has passed, and a little in advance."""

from __future__ import annotations


class Budget:
    """An allowance that grows with time.

    Parameters
    ----------
    rate
        Units a second.
    burst
        Units that may be used in advance.
    now
        Seconds on any monotonic clock.
    """

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._then = now

    def spend(self, amount: float, now: float) -> None:
        """Record a use."""
        self._left = min(self._burst, self._left + (now - self._then) * self._rate) - amount
        self._then = now

    def wait_s(self, now: float) -> float:
        """Seconds until something may be used again; 0 if at once."""
        left = self._left + (now - self._then) * self._rate
        return max(0.0, -left / self._rate)
