"""The slots of this host, and how far a run that waits for one is from it: by the ticket queue alone."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from amlnb import host
from amlnb.core import layout
from amlnb.engine import queue
from amlnb.engine.targets import LOCAL

_FRESH_S = 1.0


def count(cache: str) -> int:
    """How many local runs may go on at once: the number in the cache folder's ``slots``, else that of the cores."""
    with contextlib.suppress(OSError, ValueError), open(os.path.join(cache, "slots"), encoding="ascii") as file:
        return max(1, int(file.read()))
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Place(NamedTuple):
    """What a ticket says: the directory of its run, and whether that needs one of our slots."""

    directory: str
    is_local: bool


class WaitingLine:
    """Which local runs wait for a slot, in order; for any number of threads.

    Every ticket is read once. At most once a second the queue is looked at again, and whether those that waited have
    begun: nobody looks at any other run.

    Parameters
    ----------
    clock
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._places: dict[str, _Place] = {}
        self._begun: set[str] = set()
        self._before: dict[str, int] = {}

    def reason(self, run_id: str) -> str | None:
        """Why a run that has not started waits; None where it waits for no slot, or starts at once."""
        with self._lock:
            now = self._clock()
            if now - self._looked >= _FRESH_S:
                self._looked = now
                with contextlib.suppress(OSError):  # without the host-local cache nobody knows
                    self._look()
            before = self._before.get(layout.short_hash(run_id))
        if before is None:
            return None
        stand = "" if not before else f"; {before:,} run{' stands' if before == 1 else 's stand'} before it"
        return f"waits for a free slot{stand}"

    def _look(self) -> None:
        names = queue.names()
        present = set(names)
        self._places = {name: place for name, place in self._places.items() if name in present}
        self._begun &= present
        waiting: list[str] = []
        for name in names:
            place = self._places.get(name)
            if place is None:
                ticket = queue.read(name)
                if ticket is None:
                    continue
                place = self._places[name] = _Place(ticket.directory, ticket.definition["kind"] == LOCAL)
            if not place.is_local or name in self._begun:
                continue
            if _has_begun(place.directory):
                self._begun.add(name)
            else:
                waiting.append(name)
        free = max(0, count(host.cache_dir()) - len(self._begun))
        self._before = {_of_run(name): at for at, name in enumerate(waiting[free:])}


def _of_run(name: str) -> str:
    """The hash of a run's id, as it stands in its ticket's name."""
    return name.partition("-")[2].removesuffix(".json")


def _has_begun(directory: str) -> bool:
    try:
        return bool(os.listdir(os.path.join(directory, layout.ATTEMPTS)))
    except OSError:
        return False
