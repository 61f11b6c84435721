"""Everything about one run, read from its directory and kept up to date from offsets."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

from amlnb import host
from amlnb.core import identity, layout, metrics
from amlnb.core.replay import RunFacts, replay
from amlnb.store import run_record
from amlnb.store import series as series_
from amlnb.store.edits import EditReader
from amlnb.store.journals import WriterReader, list_writers
from amlnb.store.plain_files import read_json
from amlnb.store.run_record import read_record
from amlnb.store.summaries import Summaries

# A runner writes system metrics every few seconds; this long without any is worth telling.
_SILENT_S = 60.0


class RunReader:
    """A reader of one run directory, for any number of threads.

    Parameters
    ----------
    directory
        The run directory, a home or a mirror.
    clock
        Monotonic seconds; only used to notice a runner that another host has and that has gone silent.

    Raises
    ------
    UserErrorException
        There is no run in that directory.
    FormatError
        Its record is damaged, or of a newer format.
    """

    def __init__(self, directory: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.directory = directory
        self.record = read_record(directory)
        self._clock = clock
        self._writers: dict[str, WriterReader] = {}
        self._edits = EditReader(directory)
        self._final: dict[str, Any] | None = None
        self._summaries = Summaries()
        self._grown = clock()
        # What is new is read once: a run has one reader for whoever waits for it, and for the callbacks of its end.
        self._lock = threading.RLock()

    @property
    def id(self) -> str:
        """The run's id."""
        return str(self.record["id"])

    @property
    def experiment(self) -> str:
        """Name of the run's experiment."""
        return str(self.record["experiment"])

    def refresh(self) -> bool:
        """Read what is new; True if there was anything."""
        with self._lock:
            changed = self._edits.refresh()
            if self._final is not None:
                return changed
            # The seal is looked for first: what it seals was written before it, so it is then read below.
            final = run_record.read_final(self.directory)
            for base in list_writers(os.path.join(self.directory, layout.JOURNALS)):
                if base not in self._writers:
                    self._writers[base] = WriterReader(base)
            for writer in self._writers.values():
                changed |= writer.refresh()
            self._final = final
            changed |= final is not None
            if changed:
                self._grown = self._clock()
            return changed

    def read_on(self) -> bool:
        """Read what the writers that are known have written since; True if there was anything.

        Two system calls a writer, for who looks many times a second; the rest is left to :meth:`refresh`.
        """
        with self._lock:
            grown = [writer.refresh() for writer in self._writers.values()]
            if any(grown):
                self._grown = self._clock()
            return any(grown)

    @property
    def final(self) -> dict[str, Any] | None:
        """Content of ``final.json``, once the run is sealed; empty if it is damaged."""
        return self._final

    @property
    def writers(self) -> list[WriterReader]:
        """The writers of the run, by name."""
        with self._lock:
            return [self._writers[base] for base in sorted(self._writers)]

    @property
    def skipped(self) -> int:
        """Damaged slots and lines that were passed over."""
        return sum(writer.skipped for writer in self.writers)

    def facts(self) -> RunFacts:
        """State and everything else that the files tell, as of the last :meth:`refresh`."""
        with self._lock:
            alive = identity.UNKNOWN if self._final else self.liveness()
            if alive == identity.DEAD:
                self.refresh()  # a runner seals and then ends: its end may be what was seen
            events = [event for writer in self.writers for event in writer.states]
            return replay(self.record, self._edits.ordered(), events, self._final, alive, self._unreachable(alive))

    def runner(self) -> dict[str, Any] | None:
        """Identity of the process that keeps the run: its latest runner, or the owner of a run without one.

        Empty if its file is damaged; None if nobody has begun to keep the run.
        """
        return run_record.keeper(self.directory, self.record)

    def liveness(self) -> str:
        """``alive``, ``dead`` (proved) or ``unknown`` of the process that keeps the run.

        Of a run whose home is elsewhere it is always unknown: what stands here is a mirror, and the pid in it another
        host's, even where that host is this one. Its back end proves deaths there.
        """
        return identity.UNKNOWN if run_record.is_mirror(self.record) else host.liveness(self.runner())

    def metric_names(self) -> list[str]:
        """Names of the metrics, rank 0's first."""
        with self._lock:
            return series_.names(self.writers)

    def series(self, name: str) -> series_.Series:
        """Numeric points of a metric."""
        with self._lock:
            return series_.series(self.writers, name)

    def summaries(self) -> dict[str, dict[str, float]]:
        """All numeric metrics, ``{name: {"count", "last", "min", "max"}}``, in the order of first use."""
        with self._lock:
            return self._summaries.take(self.writers)

    def system_series(self) -> dict[str, series_.Series]:
        """What the runner sampled of the run's use of the machine, ``{name: points}`` (docs/format.md), read anew."""
        writers = [WriterReader(base) for base in list_writers(os.path.join(self.directory, layout.SYSTEM))]
        for writer in writers:
            writer.refresh()
        return {name: series_.series(writers, name) for name in series_.names(writers)}

    def metrics(self, name: str | None = None) -> dict[str, Any]:
        """Metrics in the shapes of v1's ``get_metrics()``; of one name if given ({} if it is not there)."""
        with self._lock:
            found: dict[str, Any] = {}
            if name is None:
                for writer in self.writers:
                    writer.group()
            for each in self.metric_names() if name is None else [name]:
                logged = series_.logged_values(self.writers, each)
                if logged:
                    found[each] = metrics.shape(self.id, logged)
            return found

    def _unreachable(self, alive: str) -> str | None:
        if run_record.is_mirror(self.record):
            told = read_json(os.path.join(self.directory, layout.MIRROR_JSON)) or {}
            reason = told.get("unreachable")
            return str(reason) if reason else None
        runner = self.runner()
        if alive != identity.UNKNOWN or runner is None:
            return None
        silent = self._clock() - self._grown
        if silent < _SILENT_S:
            return None
        host_name = runner.get("hostname")
        where = f"it runs on {host_name!r}" if host_name else "the file that names its runner is damaged"
        return f"{where}, and nothing came from there for {silent:.0f} s"
