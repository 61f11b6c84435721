"""Following a run until its end."""

from __future__ import annotations

import time
from collections.abc import Iterator

from amlnb.core import states
from amlnb.core.replay import RunFacts
from amlnb.engine.look import look
from amlnb.store.run_reader import RunReader

_SHORTEST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.25
# Looking wakes the courier; between two looks the run's files alone are read.
_LOOK_S = 1.0


def until_ended(reader: RunReader) -> Iterator[RunFacts]:
    """Yield what is known of a run, at first often and then four times a second, and last when it has ended."""
    pause_s, looked_at = _SHORTEST_PAUSE_S, -_LOOK_S
    while True:
        looks = time.monotonic() - looked_at >= _LOOK_S
        if looks:
            look(reader)
            looked_at = time.monotonic()
        else:
            reader.refresh()
        facts = reader.facts()
        yield facts
        # An end that only this reader has proved is looked at once more, which records it; a presumed one stays.
        if facts.sealed or (looks and states.is_terminal(facts.phase)):
            return
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
