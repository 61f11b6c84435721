"""All runs of one workspace, kept in memory between requests: what changed is read, and nothing else."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from amlnb.core import layout, states
from amlnb.engine import queue
from amlnb.engine.courier import wake
from amlnb.engine.listing import up_to_date
from amlnb.engine.look import look
from amlnb.errors import AmlnbError, text_of
from amlnb.server import query
from amlnb.server.run_rows import elapsed_s, parameters
from amlnb.store.index import Index, RunSummary, summarise
from amlnb.store.light_reader import read_facts
from amlnb.store.run_reader import RunReader

if TYPE_CHECKING:
    from amlnb.store.workspace_dir import WorkspaceDirectory

_Facets = TypeVar("_Facets")
_FRESH_S = 0.25
_FACETS = 64
# Runs that have ended: so many are looked at in turn at each look, or this part of them all.
_IN_TURN = 500
_TURNS = 8
# A folder's time has a grain: what was changed a moment ago may change again without its time.
_GRAIN_NS = 50_000_000


class Names(NamedTuple):
    """Names of the parameters, metrics and tags of a run; one object for all runs of a table that have the same."""

    parameters: tuple[str, ...]
    metrics: tuple[str, ...]
    tags: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Listed:
    """A run of the table.

    Attributes
    ----------
    record
        What a query is asked of.
    last
        Last values of the metrics, in the order of their names.
    """

    summary: RunSummary
    record: query.Record
    names: Names
    last: tuple[float, ...]


class Seen(NamedTuple):
    """The runs of a table, the newest first, and the table's version at that moment."""

    version: int
    runs: tuple[Listed, ...]


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
        self._lock_ahead = threading.Lock()
        self._is_ahead = False
        self._looked = float("-inf")
        self._marks: dict[str, int] = {}  # of run directories, by name; 0 is to be read at the next look
        self._sealed: set[str] = set()  # names of runs that were read after their seal: only edits come
        self._runs_mark = 0
        self._turn = 0
        self._listed: dict[str, Listed] = {}
        self._readers: dict[str, RunReader] = {}
        self._ordered: tuple[Listed, ...] = ()
        self._places: dict[str, int] = {}
        self._by_id: dict[str, Listed] = {}
        self._children: dict[str, int] = {}
        self._names: dict[Names, Names] = {}
        self._facets: dict[Hashable, tuple[int, Any]] = {}
        self.unreadable: dict[str, str] = {}
        self.version = 0

    def runs(self) -> tuple[Listed, ...]:
        """All runs, the newest first, as they were at the last look, which is not a quarter of a second ago."""
        return self.seen().runs

    def seen(self) -> Seen:
        """As `runs`, with what tells whether they are still the same."""
        with self._lock:
            if time.monotonic() - self._looked > _FRESH_S:
                self._look()
            return Seen(self.version, self._ordered)

    def look(self) -> tuple[Listed, ...]:
        """Look now, and return all runs, the newest first.

        New runs, those that are gone and those that go on are seen at once; the edits of runs that have ended are
        looked at in turn, so that ten thousand of them cost a few milliseconds.
        """
        with self._lock:
            self._look()
            return self._ordered

    def read_ahead(self) -> None:
        """Begin to read the runs in a thread, once: among ten thousand that takes a second, for which nobody waits."""
        with self._lock_ahead:
            if self._is_ahead:
                return
            self._is_ahead = True
        threading.Thread(target=self._read_ahead, name="amlnb-table", daemon=True).start()

    def _read_ahead(self) -> None:
        with contextlib.suppress(AmlnbError, OSError):  # told to who asks
            self.runs()

    def touch(self, run_id: str) -> None:
        """Read a run anew at once: it was changed from here."""
        with self._lock:
            listed = self._by_id.get(run_id)
            if listed is None:
                self._look()
            else:
                name = os.path.basename(listed.summary.directory)
                self._settle(self._read_due([name] if os.path.isdir(listed.summary.directory) else []), gone=False)
                self._looked = float("-inf")

    def get(self, run_id: str) -> Listed | None:
        """A run by its full id, as of the last look unless it is new."""
        found = self._by_id.get(run_id)
        if found is None:
            self.runs()
            found = self._by_id.get(run_id)
        return found

    def reader(self, run_id: str) -> RunReader | None:
        """The reader of a run that goes on, as of the last look; it is not to be refreshed by others."""
        listed = self._by_id.get(run_id)
        return None if listed is None else self._readers.get(os.path.basename(listed.summary.directory))

    def children(self, run_id: str) -> int:
        """How many runs have this one as their parent, as of the last look."""
        return self._children.get(run_id, 0)

    def facets(self, version: int, key: Hashable, make: Callable[[], _Facets]) -> _Facets:
        """What was made under a key of the runs that were seen at a version; made anew for another one."""
        kept = self._facets.get(key)
        if kept is not None and kept[0] == version:
            return kept[1]  # type: ignore[no-any-return]  # of the type that was made under that key
        if len(self._facets) >= _FACETS:
            self._facets.clear()
        made = make()
        self._facets[key] = (version, made)
        return made

    def _look(self) -> None:
        if self.version:
            gone = self._list()
            due = self._due()
            if any(name in self._listed and name not in self._sealed for name in due):
                self._wake()
            self._settle(self._read_due(due), gone=gone)
        else:
            self._read_all()
            self._settle(set(self._listed), gone=True)
        self._looked = time.monotonic()

    def _settle(self, changed: set[str], *, gone: bool) -> None:
        """Put what was read into its place; new runs, and those that are gone, change the places of the others."""
        if gone or not changed <= self._places.keys() & self._listed.keys():
            self._order()
        elif changed:
            ordered = list(self._ordered)
            for name in changed:
                listed = self._listed[name]
                ordered[self._places[name]] = self._by_id[listed.summary.id] = listed
            self._ordered = tuple(ordered)
        else:
            return
        self.version += 1

    def _list(self) -> bool:
        """See which run directories there are, if that may have changed; whether any is gone."""
        young = time.time_ns() - _GRAIN_NS
        try:
            changed = os.stat(self.directory.runs).st_mtime_ns
        except OSError:
            changed = 0
        if changed == self._runs_mark and changed:
            return False
        present = {os.path.basename(path) for path in self.directory.run_directories()}
        self._runs_mark = changed if changed < young else 0
        gone = self._marks.keys() - present
        for name in gone:
            for kept in (self._marks, self._listed, self._readers):
                kept.pop(name, None)
            self._sealed.discard(name)
            self.unreadable.pop(os.path.join(self.directory.runs, name), None)
        for name in present - self._marks.keys():
            self._marks[name] = 0
        return bool(gone)

    def _due(self) -> list[str]:
        """Names of the run directories that are to be read: new, going on, or with an edit that was not seen yet."""
        names = list(self._marks)
        count = max(_IN_TURN, len(names) // _TURNS)
        begin = self._turn if self._turn < len(names) else 0
        turn = set(names[begin : begin + count])
        self._turn = begin + count
        return [
            name for name, mark in self._marks.items() if not mark or (name in turn and self._mark_of(name) != mark)
        ]

    def _mark_of(self, name: str) -> int:
        """When the edits of a run were last changed; 0 if that was so lately that they may change unseen."""
        try:
            changed = os.stat(f"{self.directory.runs}/{name}/{layout.EDITS}").st_mtime_ns
        except OSError:
            return 1  # it never had an edit, or lost that folder
        return changed if changed < time.time_ns() - _GRAIN_NS else 0

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            if queue.names():
                wake.wake()

    def _read_all(self) -> None:
        marks = {os.path.basename(path): 0 for path in self.directory.run_directories()}
        marks = {name: self._mark_of(name) for name in marks}  # before they are read
        sealed = {name for name in marks if os.path.exists(f"{self.directory.runs}/{name}/{layout.FINAL_JSON}")}
        index = Index(self.directory)
        try:
            runs = up_to_date(index)
        except OSError:  # without the host-local cache nothing can be done for them
            runs = index.list_runs()
        for run in runs:
            name = os.path.basename(run.directory)
            self._listed[name] = self._made(run)
            self._marks[name] = marks[name] if name in sealed else 0
        self._sealed = sealed & self._listed.keys()
        self.unreadable = dict(index.unreadable)
        self._marks |= {os.path.basename(directory): 0 for directory in self.unreadable}

    def _read_due(self, names: Sequence[str]) -> set[str]:
        """Read runs; names of those that are other ones than before."""
        return {name for name in names if self._read(name)}

    def _read(self, name: str) -> bool:
        directory = os.path.join(self.directory.runs, name)
        mark, before = self._mark_of(name), self._listed.get(name)
        try:
            if before is not None and name in self._sealed:
                summary = _edited(before.summary)
            else:
                reader = self._readers.get(name) or RunReader(directory)
                self._readers[name] = reader
                summary = _summary(reader, None if before is None else before.summary)
                if reader.final is not None:
                    self._sealed.add(name)
        except Exception as error:  # noqa: BLE001 - the boundary: one run must not hide the others
            self.unreadable[directory] = text_of(error) if isinstance(error, (AmlnbError, OSError)) else repr(error)
            self._marks[name] = 0
            return self._listed.pop(name, None) is not None
        self.unreadable.pop(directory, None)
        if name in self._sealed:
            self._readers.pop(name, None)
        self._marks[name] = mark if name in self._sealed else 0
        if before is not None:
            summary = dataclasses.replace(summary, number=before.summary.number)
        self._listed[name] = self._made(summary)
        return before is None or before.summary != summary

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
        given = parameters(run)
        names = Names(tuple(given), tuple(run.metrics), tuple(run.tags))
        last = tuple(told["last"] for told in run.metrics.values())
        record = query.Record(fields, given, run.metrics, run.tags)
        return Listed(run, record, self._names.setdefault(names, names), last)

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
        self._places = {name: len(ordered) - 1 - at for at, (name, _) in enumerate(oldest_first)}
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
    with contextlib.suppress(
        OSError
    ):  # without the host-local cache nothing can be done for it; it is shown all the same
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


def _edited(run: RunSummary) -> RunSummary:
    """A run that is sealed, with the edits that it has now; its metrics are not read again."""
    facts = read_facts(run.directory)
    return dataclasses.replace(
        run,
        display_name=facts.display_name,
        archived=facts.archived,
        tags=facts.tags,
        properties=facts.properties,
    )
