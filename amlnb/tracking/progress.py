"""How far a process is with its work: told by a training script, at most five times a second once that is much."""

from __future__ import annotations

import time

from amlnb.core import events
from amlnb.errors import UserErrorException
from amlnb.tracking import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, Union

    Number = Union[int, float]

_SHORTEST_PAUSE_S = 0.2
# Of the time that a loop has taken so far: what is written grows with its logarithm, some 10,000 lines in a week.
_PAUSE_SHARE = 0.001
_LONGEST_TEXT = 200
# All written: of steps that are few, one that follows another at once may be the one that takes hours.
_FIRST = 100


class Progress:
    """The progress of one process, and when it was last written.

    Parameters
    ----------
    write
        Takes an event.
    clock
        Monotonic seconds.
    """

    def __init__(self, write: Callable[[Dict[str, Any]], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._done: Number = 0
        self._total: Optional[Number] = None
        self._begun: Number = 0
        self._began_at = 0.0
        self._told_at = self._ended_at = float("-inf")
        self._written = 0

    def tell(self, done: Any, total: Any, text: Optional[str] = None) -> None:
        """Write that so much of the total is done, unless much was written, and the last of it a moment ago.

        Raises
        ------
        UserErrorException
            See `check`.
        """
        done, total, text = check(done, total, text)
        now = self._clock()
        if total != self._total or done < self._done:  # another loop, or the next round of this one
            self._began_at, self._begun = now, done
        self._done, self._total = done, total
        took = now - self._began_at
        pause = max(_SHORTEST_PAUSE_S, took * _PAUSE_SHARE)
        ends = done >= total
        # The end is not kept back by what was told just before; only many ends in a row are.
        if self._written >= _FIRST and now - (self._ended_at if ends else self._told_at) < pause:
            return
        self._written += 1
        self._told_at = now
        if ends:
            self._ended_at = now
        event = {"t": events.PROGRESS, "time": time.time(), "done": done, "total": total}
        if took > 0:
            event.update(begun=self._begun, took=round(took, 3))
        if text:
            event["text"] = text[:_LONGEST_TEXT]
        self._write(event)


def check(done: Any, total: Any, text: Any) -> tuple[Number, Number, Optional[str]]:
    """Check and convert what ``Run.progress`` is given.

    Raises
    ------
    UserErrorException
        ``done`` or ``total`` is no finite number of 0 or more, or the text is no str.
    """
    if text is not None and not isinstance(text, str):
        raise UserErrorException(
            f"the text of progress is a str, not {text!r:.80}", hint="run.progress(3, 10, 'epoch 3')"
        )
    return _count("done", done), _count("total", total), text


def _count(name: str, given: Any) -> Number:
    number = given if type(given) is int else values.to_scalar(given)
    plain = isinstance(number, (int, float)) and not isinstance(number, bool)
    if not plain or not 0 <= number < 1e300:  # type: ignore[operator]  # NaN is not within
        raise UserErrorException(
            f"progress takes how much is {name} as a number of 0 or more, not {given!r:.80}",
            hint="run.progress(3, 10): 3 of 10 are done",
        )
    return number  # type: ignore[return-value]  # seen above
