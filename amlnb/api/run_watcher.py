"""One thread that waits for the ends of runs on behalf of all who asked to be told."""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from amlnb.engine.follow import Follower
from amlnb.errors import UserErrorException
from amlnb.store.run_reader import RunReader

_PAUSE_S = 0.2
# A file system may be away for a moment; for longer, whoever waits is told.
_PATIENCE_S = 120.0

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Watched:
    """A run that is waited for.

    Attributes
    ----------
    ended
        Called once from the watcher's thread, and must return at once: with None when the run has ended, or with what
        keeps it from being read.
    """

    follower: Follower
    ended: Callable[[Exception | None], object]
    faulty_since: float | None = field(default=None)


class RunWatcher:
    """Its thread lives as long as there is a run to wait for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: list[Watched] = []
        self._thread: threading.Thread | None = None

    def add(self, directory: str, ended: Callable[[Exception | None], object]) -> Watched:
        """Wait for the run of a directory."""
        # A reader of its own: others look at the run in other threads.
        watched = Watched(Follower(RunReader(directory)), ended)
        with self._lock:
            self._watched.append(watched)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="amlnb-watcher", daemon=True)
                self._thread.start()
        return watched

    def remove(self, watched: Watched) -> None:
        """Wait no longer; nothing if it is over already."""
        with self._lock:
            if watched in self._watched:
                self._watched.remove(watched)

    def _run(self) -> None:
        while True:
            for watched in list(self._watched):
                over, error = _look(watched)
                if over and watched in self._watched:
                    self.remove(watched)
                    watched.ended(error)
            with self._lock:
                if not self._watched:
                    self._thread = None
                    return
            time.sleep(_PAUSE_S)


@functools.cache
def run_watcher() -> RunWatcher:
    """The watcher of this process."""
    return RunWatcher()


def _look(watched: Watched) -> tuple[bool, Exception | None]:
    """Tell whether there is nothing more to wait for, and why if not because the run has ended."""
    try:
        watched.follower.poll()
    except UserErrorException as error:  # its directory is gone, or damaged
        return True, error
    except Exception as error:  # noqa: BLE001 - a thread's boundary: told to who waits once it lasts
        now = time.monotonic()
        if watched.faulty_since is None:
            watched.faulty_since = now
            _log.warning("A run that is waited for cannot be read at the moment: %r", error)
        return now - watched.faulty_since > _PATIENCE_S, error
    watched.faulty_since = None
    return watched.follower.ended, None
