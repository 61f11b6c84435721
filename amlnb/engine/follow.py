"""Following runs until their end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from amlnb.core import states
from amlnb.core.replay import RunFacts
from amlnb.engine.look import look
from amlnb.store.run_reader import RunReader

_SHORTEST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.25
# Looking wakes the courier; between two looks the run's files alone are read.
_LOOK_S = 1.0


class Follower:
    """One run, polled until it has ended.

    Parameters
    ----------
    reader
        Reader of the run; nobody else may use it at the same time.

    Attributes
    ----------
    ended
        The run has ended, as far as that can be known: nothing more is to be waited for.
    """

    def __init__(self, reader: RunReader) -> None:
        self._reader = reader
        self._looked_at = float("-inf")
        self.ended = False

    def poll(self) -> RunFacts:
        """Read what is new and return what is known of the run."""
        looks = time.monotonic() - self._looked_at >= _LOOK_S
        if looks:
            look(self._reader)
            self._looked_at = time.monotonic()
        else:
            self._reader.refresh()
        facts = self._reader.facts()
        # An end that only this reader has proved is looked at once more, which records it; a presumed one stays.
        self.ended = facts.sealed or (looks and states.is_terminal(facts.phase))
        return facts


def until_ended(reader: RunReader) -> Iterator[RunFacts]:
    """Yield what is known of a run, at first often and then four times a second, and last when it has ended."""
    follower, pauses = Follower(reader), _pauses()
    while True:
        yield follower.poll()
        if follower.ended:
            return
        time.sleep(next(pauses))


def as_ended(
    readers: Sequence[RunReader], timeout_s: float | None = None, *, sleep: Callable[[float], object] = time.sleep
) -> Iterator[int]:
    """Yield the position of each run when it has ended, in the order in which they end.

    Parameters
    ----------
    readers
        Readers of the runs.
    timeout_s
        Seconds after which no more is waited for; the iteration then ends.
    sleep
        Waits for some seconds.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    waiting, pauses = {number: Follower(reader) for number, reader in enumerate(readers)}, _pauses()
    while waiting:
        for number, follower in list(waiting.items()):
            follower.poll()
            if follower.ended:
                del waiting[number]
                yield number
        pause_s = next(pauses)
        if deadline is not None:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return
            pause_s = min(pause_s, left_s)
        if waiting:
            sleep(pause_s)


def _pauses() -> Iterator[float]:
    pause_s = _SHORTEST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
