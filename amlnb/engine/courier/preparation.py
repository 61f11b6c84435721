"""Environments of the runs that wait: one builder process a request, whose log every waiting run gets as it grows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from amlnb.core import events, layout, states
from amlnb.engine.builder_process import BuilderProcess, end_orphans
from amlnb.environments import launching, prefixes, requests
from amlnb.environments.lock import Lock
from amlnb.environments.program import FAILED
from amlnb.errors import EnvironmentBuildException, told_error
from amlnb.store.plain_files import read_from
from amlnb.tracking import create
from amlnb.tracking.journal import JournalWriter

# A builder that is killed before it can say anything is started again, so often.
_MOST_STARTS = 2
_AT_ONCE = 2
_COPY_BYTES = 1 << 20


@dataclass
class Waiting:
    """A run that waits for its environment.

    Parameters
    ----------
    directory
        The run directory.
    order
        What a builder process is told, and under ``builder`` the Python that runs it.
    environ
        The submitter's environment variables.
    """

    directory: str
    order: Mapping[str, Any]
    environ: Mapping[str, str] = field(repr=False)
    copied: int = 0
    journal: JournalWriter | None = None
    told: dict[str, Any] = field(default_factory=dict)
    key: tuple[str, ...] = field(init=False)
    lock: Lock | None = field(init=False)

    def __post_init__(self) -> None:
        given = self.order.get("lock")
        self.lock = None if given is None else Lock.from_dict(given)
        # A run that is run again may want an older lock of the same request; what fails for one workspace may well be
        # built for another.
        self.key = (str(self.order["key"]), "" if self.lock is None else self.lock.key, str(self.order["data"]))

    def copy_log(self, log: str) -> None:
        """Append what is new in the build's log to the run's."""
        new = read_from(log, self.copied, _COPY_BYTES)
        if new:
            path = os.path.join(self.directory, layout.BUILD_LOG)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "ab") as file:
                file.write(new)
            self.copied += len(new)

    def write(self, event: Mapping[str, Any]) -> None:
        """Write an event of the courier's into the run's journals."""
        if self.journal is None:
            self.journal = JournalWriter(self.directory, "courier")
        self.journal.write_event({**event, "time": time.time()})
        self.journal.rest()  # of a thousand runs that wait, none keeps a file open

    def tell(self, status: Mapping[str, Any]) -> None:
        """Tell how far its environment is, if that is news."""
        told = {"text": status.get("text"), "done": status.get("done"), "total": status.get("total")}
        if not self.told:
            self.write({"t": events.STATE, "attempt": 1, "phase": states.PREPARING})
        if told != self.told:
            self.told = told
            if told["done"] is not None:
                self.write({"t": events.PROGRESS, **told})

    def tell_others_go_first(self) -> None:
        """Tell that its environment is not even begun, once."""
        if not self.told:
            self.tell({"text": "waiting for other builds"})
            path = os.path.join(self.directory, layout.BUILD_LOG)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "a", encoding="ascii") as file:
                file.write(f"{time.strftime('%H:%M:%S')}  waiting for other builds\n")

    def close(self) -> None:
        """Close the run's journal."""
        if self.journal is not None:
            self.journal.close()
            self.journal = None


@dataclass
class _Build:
    """A request that is built for the runs that wait for it."""

    process: BuilderProcess
    starts: int = 0
    ending: bool = False
    error: dict[str, str] | None = None
    waiting: set[str] = field(default_factory=set)


class Preparations:
    """What the courier does about environments.

    Parameters
    ----------
    cache
        The host-local cache.
    watch
        Called with the pid of a process whose end is worth waking up for.
    """

    def __init__(self, cache: str, watch: Callable[[int], None]) -> None:
        self._cache = cache
        self._watch = watch
        self._builds: dict[tuple[str, ...], _Build] = {}

    @property
    def busy(self) -> bool:
        """Tell whether anything is being built."""
        return any(build.process.runs for build in self._builds.values())

    def launch_of(self, run: Waiting) -> dict[str, Any] | None:
        """What the runner of a run is told of its environment; None as long as that is not ready.

        Raises
        ------
        EnvironmentBuildException
            It cannot be made.
        FormatError
            Its lock is damaged.
        """
        build = self._builds.get(run.key)
        if build is None or not build.process.runs:
            found = requests.find(run.order["data"], self._cache, run.order["key"], run.lock)
            if found.prefix is not None:
                return self._ready(run, found)
        if build is None:
            build = self._builds[run.key] = _Build(BuilderProcess(self._cache, run.order["key"]))
        build.waiting.add(run.directory)
        if build.error is not None:
            run.copy_log(build.process.log)
            raise EnvironmentBuildException(build.error["message"], build.error.get("hint"))
        if not build.process.runs and sum(each.process.runs for each in self._builds.values()) < _AT_ONCE:
            self._start(build, run)
        if build.process.runs:
            run.tell(build.process.status())
            run.copy_log(build.process.log)
        elif build.error is None:
            run.tell_others_go_first()
        return None

    def is_there(self, run: Waiting) -> bool:
        """Tell whether the environment of a run is still as `launch_of` said."""
        return requests.find(run.order["data"], self._cache, run.order["key"], run.lock).prefix is not None

    def forget(self, run: Waiting) -> None:
        """A run waits no more; what nobody waits for is not built on."""
        run.close()
        if run.key in self._builds:
            self._builds[run.key].waiting.discard(run.directory)

    def step(self) -> None:
        """Look at the builder processes."""
        for key, build in list(self._builds.items()):
            if build.process.runs:
                build.ending = build.ending or not build.waiting
                if build.ending:
                    build.process.end()
                self._look(build)
            elif not build.waiting:
                build.process.close()
                del self._builds[key]

    def end_orphans(self) -> None:
        """End the builders of a courier that was killed, once nobody waits for them; all runs have been looked at."""
        end_orphans(self._cache, {key[0] for key, build in self._builds.items() if build.waiting})

    def _start(self, build: _Build, run: Waiting) -> None:
        order = {name: value for name, value in run.order.items() if name != "builder"}
        try:
            self._watch(build.process.start(order, run.order["builder"], run.environ))
            build.starts += 1
        except EnvironmentBuildException as error:
            build.error = told_error(FAILED, error)
        except OSError as error:
            build.error = {"message": f"the process that builds environments cannot be started: {error}"}

    def _look(self, build: _Build) -> None:
        ended = build.process.ended()
        if build.ending:  # no crash: whoever came meanwhile has it begun anew
            if ended is not None:
                build.ending, build.starts = False, 0
            return
        killed = bool(ended) and "code" not in (ended or {})
        if ended and not (killed and build.starts < _MOST_STARTS):
            build.error = ended

    def _ready(self, run: Waiting, found: requests.Found) -> dict[str, Any]:
        prefix, lock = found.prefix, found.lock
        assert prefix is not None  # noqa: S101 - seen by the caller
        assert lock is not None  # noqa: S101 - what is built is locked
        build = self._builds.get(run.key)
        if build is not None:
            run.copy_log(build.process.log)
        prefixes.touch(prefix)
        path = os.path.join(run.directory, layout.ENVIRONMENT_JSON)
        if not os.path.exists(path):
            told = {"request": run.order["key"], "prefix": prefix, "lock": lock.to_dict()}
            create.publish_json(path, {"format": layout.FORMAT, **told})
            for note in lock.notes:
                run.write({"t": events.WARNING, "text": note})
        if run.told:  # it may have to wait for a slot now
            run.write({"t": events.STATE, "attempt": 1, "phase": states.QUEUED})
        self.forget(run)
        return launching.told(prefix, lock)
