"""All runs of one workspace, kept in memory between requests: what changed is read, and nothing else."""

from __future__ import annotations

import dataclasses
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from amlnb.core import layout, states
from amlnb.engine import queue
from amlnb.engine.courier import wake
from amlnb.engine.listing import up_to_date
from amlnb.engine.look import look
from amlnb.errors import AmlnbError, text_of
from amlnb.server import query
from amlnb.server.run_rows import elapsed_s, parameters
from amlnb.store.index import Index, RunSummary, summarise
from amlnb.store.run_reader import RunReader

if TYPE_CHECKING:
    from amlnb.store.workspace_dir import WorkspaceDirectory

_FRESH_S = 0.25
# A folder's time has a grain: what was changed a moment ago may change again without its time.
_GRAIN_NS = 50_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class Listed:
    """A run of the table, and what a query is asked of."""

    summary: RunSummary
    record: query.Record


class RunTable:
    """The runs of a workspace, for any number of threads.

    Parameters
    ----------
    directory
        The workspace.
    clock
        Unix seconds, for the time that running runs have taken.
    """

    def __init__(self, directory: WorkspaceDirectory, clock: Callable[[], float] = time.time) -> None:
        self.directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._marks: dict[str, int] = {}  # of run directories, by name; those of runs that go on are 0
        self._listed: dict[str, Listed] = {}
        self._readers: dict[str, RunReader] = {}
        self._ordered: tuple[Listed, ...] = ()
        self._by_id: dict[str, Listed] = {}
        self._children: dict[str, int] = {}
        self.unreadable: dict[str, str] = {}
        self.version = 0

    def runs(self, *, at_once: bool = False) -> tuple[Listed, ...]:
        """All runs, the newest first, not older than a quarter of a second; with ``at_once`` as they are now."""
        with self._lock:
            if at_once or time.monotonic() - self._looked > _FRESH_S:
                self._refresh()
                self._looked = time.monotonic()
            return self._ordered

    def get(self, run_id: str, *, at_once: bool = False) -> Listed | None:
        """A run by its full id, as of the last look unless it is new."""
        found = None if at_once else self._by_id.get(run_id)
        if found is None:
            self.runs(at_once=at_once)
            found = self._by_id.get(run_id)
        return found

    def children(self, run_id: str) -> int:
        """How many runs have this one as their parent, as of the last look."""
        return self._children.get(run_id, 0)

    def _refresh(self) -> None:
        marks = self._read_marks()
        if self._read_changed(marks) if self.version else self._read_all(marks):
            self.version += 1
            self._order()

    def _read_marks(self) -> dict[str, int]:
        """When the edits of each run were last changed; 0 for one that is to be read again at any rate."""
        found = {}
        young = time.time_ns() - _GRAIN_NS
        for path in self.directory.run_directories():
            try:
                changed = os.stat(f"{path}/{layout.EDITS}").st_mtime_ns
            except OSError:
                changed = 1  # it never had an edit, or lost that folder
            found[os.path.basename(path)] = changed if changed < young else 0
        return found

    def _read_all(self, marks: dict[str, int]) -> bool:
        index = Index(self.directory)
        for run in up_to_date(index):
            name = os.path.basename(run.directory)
            self._listed[name] = self._made(run)
            if not _has_ended(run):
                marks[name] = 0
        self.unreadable = dict(index.unreadable)
        self._marks = marks
        return True

    def _read_changed(self, marks: dict[str, int]) -> bool:
        gone = self._marks.keys() - marks.keys()
        for name in gone:
            for kept in (self._marks, self._listed, self._readers):
                kept.pop(name, None)
            self.unreadable.pop(os.path.join(self.directory.runs, name), None)
        due = [name for name, mark in marks.items() if not mark or self._marks.get(name) != mark]
        if any(name in self._listed and not _has_ended(self._listed[name].summary) for name in due) and queue.names():
            wake.wake()
        changed = bool(gone)
        for name in due:
            changed |= self._read(name, marks[name])
        return changed

    def _read(self, name: str, mark: int) -> bool:
        """Read a run; whether it is another one than before."""
        directory = os.path.join(self.directory.runs, name)
        try:
            reader = self._readers.get(name) or RunReader(directory)
            before = self._listed.get(name)
            summary = _summary(reader, before.summary if name in self._readers and before else None)
        except Exception as error:  # noqa: BLE001 - the boundary: one run must not hide the others
            self.unreadable[directory] = text_of(error) if isinstance(error, (AmlnbError, OSError)) else repr(error)
            self._marks[name] = 0
            return self._listed.pop(name, None) is not None
        self.unreadable.pop(directory, None)
        if _has_ended(summary):
            self._readers.pop(name, None)
            self._marks[name] = mark
        else:
            self._readers[name] = reader
            self._marks[name] = 0
        if before is not None:
            summary = dataclasses.replace(summary, number=before.summary.number)
        if before is not None and before.summary == summary and _has_ended(summary):
            return False
        self._listed[name] = self._made(summary)
        return True

    def _made(self, run: RunSummary) -> Listed:
        fields = {
            "state": run.state,
            "name": run.display_name,
            "id": run.id,
            "experiment": run.experiment,
            "number": run.number,
            "type": run.type,
            "target": run.target,
            "parent": run.parent,
            "script": run.script,
            "error": run.error if run.state == states.FAILED else None,
            "created": run.created,
            "started": run.started,
            "ended": run.ended,
            "elapsed": elapsed_s(run.started, run.ended, self._clock()),
            "archived": run.archived,
        }
        return Listed(run, query.Record(fields, parameters(run), run.metrics, run.tags))

    def _order(self) -> None:
        """Put the runs in order, and number them within their experiments."""
        counts: dict[str, int] = {}
        oldest_first = sorted(self._listed.items(), key=lambda item: (item[1].summary.created, item[1].summary.id))
        ordered = []
        for name, listed in oldest_first:
            run = listed.summary
            number = counts[run.experiment] = counts.get(run.experiment, 0) + 1
            if run.number != number:
                listed = self._listed[name] = self._made(dataclasses.replace(run, number=number))
            ordered.append(listed)
        self._ordered = tuple(reversed(ordered))
        self._by_id = {listed.summary.id: listed for listed in ordered}
        children: dict[str, int] = {}
        for listed in ordered:
            if listed.summary.parent is not None:
                children[listed.summary.parent] = children.get(listed.summary.parent, 0) + 1
        self._children = children


def _summary(reader: RunReader, before: RunSummary | None) -> RunSummary:
    """Sum up a run, once what is owed to it is done (`amlnb.engine.listing`).

    Parameters
    ----------
    before
        What the same reader told before; it is told again if nothing has changed.
    """
    grown = reader.refresh()
    if before is not None and not grown and before.state == reader.facts().state != states.NOT_STARTED:
        return before
    told = summarise(reader)
    is_dead = told["ended"] is None and states.is_terminal(told["state"])
    if is_dead or (told["state"] == states.NOT_STARTED and not queue.holds(reader.id)):
        look(reader)
        told = summarise(reader)
    return RunSummary(
        directory=reader.directory,
        id=reader.id,
        experiment=reader.experiment,
        number=0,
        created=float(reader.record["created"]),
        **told,
    )


def _has_ended(run: RunSummary) -> bool:
    return run.ended is not None and states.is_terminal(run.state)
