"""The index: a SQLite file in the host-local cache that makes listing runs fast.

It holds nothing of its own: every row is read from a run directory, and the file can be deleted at any time.
A sealed run is read again only when its edits changed.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from dataclasses import dataclass
from typing import Any

from amlnb import host
from amlnb.core import coercion, layout
from amlnb.errors import AmlnbError, FormatError, text_of
from amlnb.store.run_reader import RunReader
from amlnb.store.workspace_dir import WorkspaceDirectory

_VERSION = 3
_LOCK_WAIT_S = 30.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS runs (
    directory TEXT PRIMARY KEY, signature TEXT NOT NULL, sealed INTEGER NOT NULL,
    id TEXT NOT NULL, experiment TEXT NOT NULL, created REAL NOT NULL, summary TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS runs_by_id ON runs (id);
CREATE INDEX IF NOT EXISTS runs_by_experiment ON runs (experiment, created);
"""


@dataclass(frozen=True)
class RunSummary:
    """One run in a listing. Times are Unix seconds; ``metrics`` is ``{name: {"count", "last", "min", "max"}}``."""

    directory: str
    id: str
    experiment: str
    number: int
    display_name: str | None
    type: str | None
    state: str
    target: str
    parent: str | None
    created: float
    started: float | None
    ended: float | None
    archived: bool
    script: str | None
    arguments: list[Any]
    error: str | None
    tags: dict[str, str | None]
    properties: dict[str, str]
    metrics: dict[str, dict[str, float]]


class Index:
    """Listing of one workspace's runs.

    Parameters
    ----------
    workspace
        The workspace whose runs are listed.
    path
        The SQLite file; by default one in the host-local cache, named after the workspace's path.
    """

    def __init__(self, workspace: WorkspaceDirectory, path: str | None = None) -> None:
        self._workspace = workspace
        self._path = path
        self._readers: dict[str, RunReader] = {}
        self.unreadable: dict[str, str] = {}

    @property
    def path(self) -> str:
        """The SQLite file.

        Raises
        ------
        OSError
            There is no host-local cache folder, and none can be made.
        """
        if self._path is None:
            name = layout.short_hash(os.path.realpath(self._workspace.path)) + ".sqlite"
            self._path = os.path.join(host.cache_dir(), "index", name)
        return self._path

    def list_runs(self, experiment: str | None = None, run_id: str | None = None) -> list[RunSummary]:
        """Bring the index up to date and return the runs, the newest first.

        ``unreadable`` then holds ``{directory: message}`` of those that cannot be read. Where the cache folder cannot
        be used (full, read-only), the runs are read anew.
        """
        last: Exception | None = None
        for attempt in (self._open, self._open_anew, _open_in_memory):
            try:
                with contextlib.closing(attempt()) as connection:
                    self._refresh(connection)
                    found = self._select(connection, experiment, run_id)
                    connection.commit()
                    return found
            # It is only a cache: cannot be opened, is damaged, or holds rows that are none of ours.
            except (sqlite3.Error, OSError, ValueError, TypeError) as error:
                last = error
        raise FormatError(
            f"the runs of {self._workspace.path!r} cannot be listed: {last}", hint="'amlnb doctor' may tell more"
        ) from last

    def rebuild(self) -> int:
        """Delete the index, read every run again, and return their number."""
        self.delete()
        return len(self.list_runs())

    def delete(self) -> None:
        """Delete the index; nothing is lost."""
        self._readers.clear()
        for ending in ("", "-wal", "-shm", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path + ending)

    def _open(self) -> sqlite3.Connection:
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        return _prepared(sqlite3.connect(self.path, timeout=_LOCK_WAIT_S))

    def _open_anew(self) -> sqlite3.Connection:
        self.delete()
        return self._open()

    def _refresh(self, connection: sqlite3.Connection) -> None:
        known = {
            name: (mark, sealed)
            for name, mark, sealed in connection.execute("SELECT directory, signature, sealed FROM runs")
        }
        present = {os.path.basename(path) for path in self._workspace.run_directories()}
        gone = known.keys() - present
        self.unreadable = {}
        rows = []
        for name in sorted(present):
            directory = os.path.join(self._workspace.runs, name)
            mark = _signature(directory)
            if name in known and known[name] == (mark, 1):
                continue
            try:
                rows.append(self._row(name, directory, mark))
            except Exception as error:  # noqa: BLE001 - the boundary: one run must not hide the others
                self.unreadable[directory] = _told(directory, error)
                gone |= {name} & known.keys()
        connection.executemany("DELETE FROM runs WHERE directory = ?", [(name,) for name in sorted(gone)])
        connection.executemany("INSERT OR REPLACE INTO runs VALUES (?,?,?,?,?,?,?)", rows)

    def _row(self, name: str, directory: str, mark: str) -> tuple[Any, ...]:
        reader = self._readers.get(name) or RunReader(directory)
        reader.refresh()
        summary = summarise(reader)
        sealed = reader.final is not None
        if sealed:
            self._readers.pop(name, None)
        else:
            self._readers[name] = reader
        f"{name}{reader.id}{reader.experiment}".encode()  # here, because SQLite takes no lone surrogates either
        created = coercion.unix_time(reader.record["created"]) or 0.0
        return (name, mark, int(sealed), reader.id, reader.experiment, created, json.dumps(summary))

    def _select(self, connection: sqlite3.Connection, experiment: str | None, run_id: str | None) -> list[RunSummary]:
        # The number counts within the experiment, so it is taken before any filter.
        query = (
            "SELECT directory, id, experiment, created, summary, number FROM (SELECT *, row_number() OVER "
            "(PARTITION BY experiment ORDER BY created, id) AS number FROM runs) "
            "WHERE (?1 IS NULL OR experiment = ?1) AND (?2 IS NULL OR id = ?2) ORDER BY created DESC, id DESC"
        )
        return [
            RunSummary(
                directory=os.path.join(self._workspace.runs, directory),
                id=found_id,
                experiment=found_experiment,
                number=number,
                created=created,
                **json.loads(summary),
            )
            for directory, found_id, found_experiment, created, summary, number in connection.execute(
                query, (experiment, run_id)
            )
        ]


def summarise(reader: RunReader) -> dict[str, Any]:
    """Fields of :class:`RunSummary` that are read from a run's files."""
    facts, record = reader.facts(), reader.record
    definition = coercion.mapping(record.get("definition"))
    return {
        "display_name": facts.display_name,
        "type": coercion.text(record.get("type")),
        "state": facts.state,
        "target": str(record.get("target", "local")),
        "parent": coercion.text(record.get("parent")),
        "started": facts.started,
        "ended": facts.ended,
        "archived": facts.archived,
        "script": coercion.text(definition.get("script")),
        "arguments": coercion.items(definition.get("arguments")),
        "error": (facts.error or {}).get("message"),
        "tags": facts.tags,
        "properties": facts.properties,
        "metrics": reader.summaries(),
    }


def _prepared(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Make the tables, if need be; the connection is closed if that fails."""
    try:
        connection.execute("PRAGMA synchronous=OFF")
        if connection.execute("PRAGMA user_version").fetchone()[0] != _VERSION:
            connection.execute("DROP TABLE IF EXISTS runs")
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version={_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _open_in_memory() -> sqlite3.Connection:
    return _prepared(sqlite3.connect(":memory:"))


def _told(directory: str, error: Exception) -> str:
    if isinstance(error, (AmlnbError, OSError)):
        return text_of(error)
    return (
        f"{directory!r} holds what no run has: {type(error).__name__}: {error}\n"
        "hint: restore its files from a copy; the other runs are not touched by it"
    )


def _signature(directory: str) -> str:
    """Changes whenever an edit is added."""
    try:
        edits = os.listdir(os.path.join(directory, layout.EDITS))
    except OSError:
        return ""
    return f"{len(edits)} {max(edits, default='')!a}"  # SQLite takes no name that is not UTF-8
