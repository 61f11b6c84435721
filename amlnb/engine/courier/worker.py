"""One target's share of the courier's work: start what waits, in order; watch what runs; finish what ended."""

from __future__ import annotations

import contextlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from amlnb.compute.backend import Backend, Job, JobStatus, Standing
from amlnb.core import events, layout, states
from amlnb.core.edits import fold
from amlnb.engine import deaths, queue
from amlnb.engine.courier.models import ModelBringer
from amlnb.engine.courier.preparation import Preparations, Waiting
from amlnb.engine.targets import LOCAL
from amlnb.environments.program import FAILED
from amlnb.errors import AmlnbError, BackendUnavailable, told_error
from amlnb.runner import verdict
from amlnb.store.edits import EditReader
from amlnb.store.plain_files import read_json
from amlnb.tracking import create
from amlnb.tracking.arrival import Arrival
from amlnb.tracking.journal import JournalWriter

# A runner that dies before it claims its run is started again, so often.
_MOST_STARTS = 3
_CANCEL_AGAIN_S = 2.0
_COARSE_NS = 2 * 10**9


@dataclass
class Entry:
    """One ticket and what this courier remembers of it; all of it can be found again in the run directory."""

    name: str
    ticket: queue.Ticket
    job: Job
    edits: EditReader
    starts: int = 0
    active: bool = False
    may_have_started: bool = False
    told: str = ""
    edits_mark: int = -1
    cancel_requested: bool = False
    said_failed: dict[str, Any] | None = None
    cancel_sent_at: float = 0.0
    unreachable: str | None = None
    preparing: Waiting | None = None
    models: ModelBringer | None = None


@dataclass
class Worker:
    """The runs of one target.

    Parameters
    ----------
    backend
        The target's back end.
    slots
        How many of its runs may be active at once; asked before each start. None is no limit of ours.
    watch
        Called with a pid of this host whose end is worth waking up for.
    preparations
        Who makes the environments of its runs; None where the target's own Python is all there is.
    """

    backend: Backend
    slots: Callable[[], int | None]
    watch: Callable[[int], None] = lambda _: None
    preparations: Preparations | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    backing_off_until: float = 0.0
    look_for_cancels_at: float = 0.0

    def add(self, name: str, ticket: queue.Ticket, job: Job) -> None:
        """Take a ticket; a run that has an attempt already is only watched."""
        arrival = Arrival(ticket.directory, ticket.data, partial(_warn, ticket.directory))
        job = replace(job, arrived=arrival.is_over)
        entry = Entry(name, ticket, job, EditReader(ticket.directory))
        entry.active = has_begun(ticket.directory)
        if not entry.active:
            entry.preparing = _waiting(ticket)
        self.entries[name] = entry

    def step(self) -> None:
        """Do all that can be done now; trouble with one run is told, and tried again at the next step."""
        if time.monotonic() >= self.look_for_cancels_at:
            self.look_for_cancels_at = time.monotonic() + _CANCEL_AGAIN_S
            self._look_for_cancels()
        active = [entry for entry in self.entries.values() if entry.active]
        if active:
            self._watch(active)
        self._prepare()
        if time.monotonic() >= self.backing_off_until:
            self._start_waiting()

    def _prepare(self) -> None:
        """Bring the environments of those that wait nearer."""
        if self.preparations is None:
            return
        self.preparations.step()
        for entry in [entry for entry in self.entries.values() if entry.preparing is not None]:
            with _others_go_on(entry):
                self._prepare_one(entry, self.preparations)
        self.preparations.end_orphans()

    def _prepare_one(self, entry: Entry, preparations: Preparations) -> None:
        assert entry.preparing is not None  # noqa: S101 - seen by the caller
        try:
            launch = preparations.launch_of(entry.preparing)
        except AmlnbError as error:
            self._end(entry, {"state": states.FAILED, "error": told_error(FAILED, error)})
            return
        if launch is not None:
            entry.preparing = None
            entry.job = replace(entry.job, environment=launch)

    def _start_waiting(self) -> None:
        waiting = [name for name, entry in self.entries.items() if not entry.active and entry.preparing is None]
        slots = self.slots() if waiting else None
        free = None if slots is None else slots - sum(entry.active for entry in self.entries.values())
        for name in sorted(waiting):
            if free is not None and free <= 0:
                return
            entry = self.entries[name]
            if self._environment_is_gone(entry):
                entry.preparing = _waiting(entry.ticket)
                continue
            try:
                self._start(entry)
            except BackendUnavailable as error:
                self._tell_unreachable(entry, str(error))
                self.backing_off_until = time.monotonic() + 1.0
                return
            except (AmlnbError, OSError) as error:
                with _others_go_on(entry):
                    self._fail(entry, error)
                continue
            free = None if free is None else free - 1

    def _environment_is_gone(self, entry: Entry) -> bool:
        """Tell whether the environment of a run was removed while the run waited for a slot."""
        waited = None if self.preparations is None else _waiting(entry.ticket)
        if self.preparations is None or waited is None:
            return False
        try:
            return not self.preparations.is_there(waited)
        except AmlnbError:  # told in `_prepare_one`
            return True

    def _start(self, entry: Entry) -> None:
        if entry.starts >= _MOST_STARTS:
            raise AmlnbError(
                f"the runner of {entry.job.run_id!r} ended {_MOST_STARTS} times before it could begin",
                hint="look into courier.log in the cache folder that 'amlnb doctor' names",
            )
        self.backend.stage(entry.job)
        if entry.job.target.get("kind") != LOCAL:
            _write_mirror(entry, None)  # so that the next courier knows, should this one be killed right now
        # From here on a connection that breaks may leave a runner behind that nobody has told us of.
        entry.may_have_started = True
        pid = self.backend.start(entry.job)
        entry.starts += 1
        entry.active = True
        if pid is not None:
            self.watch(pid)

    def _watch(self, active: list[Entry]) -> None:
        jobs = [entry.job for entry in active]
        try:
            self.backend.read(jobs)
            standings = self.backend.poll(jobs)
        except BackendUnavailable as error:
            for entry in active:
                self._tell_unreachable(entry, str(error))
            return
        for entry in active:
            with _others_go_on(entry):
                self._act(entry, standings[entry.job.run_id])

    def _act(self, entry: Entry, status: JobStatus) -> None:
        """Do what a job's standing asks for."""
        self._tell_unreachable(entry, status.reason if status.standing is Standing.UNKNOWN else None)
        if status.standing is Standing.ENDED:
            self._finish(entry)
        elif status.standing is Standing.LOST:
            deaths.end_leftovers(entry.job.run_id)
            if entry.job.arrived():
                deaths.record_death(entry.job.directory)
                self._finish(entry)
        elif status.standing is Standing.NOT_STARTED:
            entry.active = entry.may_have_started = False
        elif status.standing is Standing.RUNNING and entry.job.target.get("kind") != LOCAL:
            entry.edits.refresh()
            entry.models = entry.models or ModelBringer(entry.job, entry.ticket.data, self.backend)
            entry.models.step(entry.edits.ordered())

    def _look_for_cancels(self) -> None:
        for entry in list(self.entries.values()):
            with _others_go_on(entry):
                self._look_for_cancel(entry)

    def _look_for_cancel(self, entry: Entry) -> None:
        try:
            mark = os.stat(os.path.join(entry.job.directory, layout.EDITS)).st_mtime_ns
        except FileNotFoundError:
            if not os.path.exists(entry.job.directory):
                self._finish(entry)  # the run was removed
            return
        # As long as the mark is young, a second edit in the same tick of a coarse clock would not have changed it.
        if mark != entry.edits_mark or time.time_ns() - mark < _COARSE_NS:
            entry.edits.refresh()
            edited = fold({}, entry.edits.ordered())
            entry.cancel_requested, entry.said_failed = edited.cancel, edited.cancel_error
            entry.edits_mark = mark
        if not entry.cancel_requested:
            return
        if not entry.active and not entry.may_have_started:
            canceled: dict[str, object] = {"state": states.CANCELED, "reason": "canceled before it started"}
            self._end(entry, verdict.as_said(canceled, entry.said_failed))
        elif entry.active and time.monotonic() - entry.cancel_sent_at > _CANCEL_AGAIN_S:
            entry.cancel_sent_at = time.monotonic()
            try:
                self.backend.cancel(entry.job)
            except BackendUnavailable as error:
                self._tell_unreachable(entry, str(error))

    def _fail(self, entry: Entry, error: Exception) -> None:
        self._end(entry, {"state": states.FAILED, "error": told_error("StartFailed", error)})

    def _end(self, entry: Entry, outcome: dict[str, object]) -> None:
        """End a run that never got a runner."""
        deaths.seal_unstarted(entry.job.directory, outcome)
        self._finish(entry)

    def _finish(self, entry: Entry) -> None:
        if entry.preparing is not None and self.preparations is not None:
            self.preparations.forget(entry.preparing)
        queue.remove(entry.name)
        del self.entries[entry.name]

    def _tell_unreachable(self, entry: Entry, reason: str | None) -> None:
        """Leave beside a mirror why its home cannot be asked, for readers to show."""
        if reason == entry.unreachable or entry.job.target.get("kind") == LOCAL:
            return
        entry.unreachable = reason
        _write_mirror(entry, reason)


def _waiting(ticket: queue.Ticket) -> Waiting | None:
    return None if ticket.environment is None else Waiting(ticket.directory, ticket.environment, ticket.environ)


@contextlib.contextmanager
def _others_go_on(entry: Entry) -> Iterator[None]:
    """Keep the trouble with one run (a full disk, a damaged file) from the others; the next step tries again."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the boundary: one run must not stop the courier
        if repr(error) != entry.told:
            entry.told = repr(error)
            log(f"{entry.job.run_id}: {traceback.format_exc()}")


def _warn(directory: str, text: str) -> None:
    journal = JournalWriter(directory, "courier")
    journal.write_event({"t": events.WARNING, "time": time.time(), "text": text})
    journal.close()


def _write_mirror(entry: Entry, reason: str | None) -> None:
    path = os.path.join(entry.job.directory, layout.MIRROR_JSON)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path + ".new")  # of a courier that was killed
    create.write_json(path + ".new", {"unreachable": reason})
    os.replace(path + ".new", path)


def has_begun(directory: str) -> bool:
    """Tell whether a runner has, or may have, taken a run: by its attempt, or the mark beside a mirror."""
    attempts = os.path.join(directory, layout.ATTEMPTS)
    begun = os.path.isdir(attempts) and bool(os.listdir(attempts))
    return begun or read_json(os.path.join(directory, layout.MIRROR_JSON)) is not None


def log(text: str) -> None:
    """Write into courier.log, which is this process's stderr."""
    sys.stderr.write(f"{time.strftime('%F %T')} {text.rstrip()}\n")
