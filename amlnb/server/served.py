"""What a server serves: workspaces by their keys, the tables of their runs, and the runs by their ids."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from amlnb.core import layout, states
from amlnb.engine.served_pages import PAGE
from amlnb.engine.slots import WaitingLine
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.server import workspaces
from amlnb.server.faults import NotThere
from amlnb.server.readers import Readers
from amlnb.server.run_table import RunTable
from amlnb.store import known_workspaces, workspace_dir

if TYPE_CHECKING:
    from collections.abc import Callable

    from amlnb.core.replay import RunFacts
    from amlnb.live.curves import Curves
    from amlnb.server.contract import WorkspaceInfo
    from amlnb.store.run_reader import RunReader
    from amlnb.store.workspace_dir import WorkspaceDirectory

_FOUND_AT_MOST = 4096


class Served:
    """What a server serves, for any number of threads.

    Parameters
    ----------
    root
        The folder below which the files are that a page names: the root of the Jupyter server.
    base_url
        Begins and ends with ``/``.
    acts
        Whether runs can be changed and submitted here.
    only
        Data directory of the one workspace that is served; None for all of this user.
    """

    def __init__(self, root: str, *, base_url: str = "/", acts: bool = True, only: str | None = None) -> None:
        self.root = os.path.realpath(root)
        self.base_url = base_url
        self.acts = acts
        self.only = None if only is None else os.path.abspath(only)
        self._lock = threading.Lock()
        self._seen: dict[str, str] = {}  # key -> data directory
        self.readers = Readers()
        self._line = WaitingLine()
        self._tables: dict[str, RunTable] = {}
        self._runs: dict[tuple[str, str], str] = {}
        # Called with workspace key and run id when something was changed by way of this server.
        self.on_change: Callable[[str, str], None] = lambda *_: None
        # The curves of a run, by workspace key and run id, where they are in memory because a page follows it.
        self.curves: Callable[[str, str], Curves | None] = lambda *_: None
        # In the same way, all that was read of a run that has ended.
        self.ended: Callable[[str, str], RunReader | None] = lambda *_: None

    @property
    def page(self) -> str:
        """Address of the page, below that of the host."""
        return f"{self.base_url}{PAGE}"

    def folder(self, path: str | None) -> str:
        """Absolute path of a folder or file that a page names relative to the root.

        Links below the root are followed, as Jupyter's own pages follow them: who put them there meant it.

        Raises
        ------
        UserErrorException
            It leads out of the root.
        """
        full = os.path.normpath(os.path.join(self.root, (path or "").lstrip("/")))
        if full != self.root and not full.startswith(self.root.rstrip("/") + "/"):
            raise UserErrorException(
                f"{path!r} is not below the root of this server", hint=f"give a path below {self.root!r}"
            )
        return full

    def workspaces(self, folder: str | None = None) -> list[WorkspaceInfo]:
        """The workspaces that are served, that of the folder first; one that cannot be opened is left out."""
        current = self.only if self.only is not None else workspaces.data_of_folder(self.folder(folder))
        found = [current] if current else []
        if self.only is None:
            found += [
                *self._seen.values(),
                *workspaces.everywhere(self.root),
            ]
        told: dict[str, WorkspaceInfo] = {}
        for path in found:
            key = known_workspaces.key_of(path)
            if key in told:
                continue
            try:
                name = workspace_dir.open_directory(path).ids.workspace_name
            except (AmlnbError, OSError):
                continue
            self._seen[key] = path
            told[key] = {"key": key, "name": name, "path": path, "current": path == current}
        return list(told.values())

    def workspace(self, key: str) -> WorkspaceDirectory:
        """A workspace by its key.

        Raises
        ------
        NotThere
            None of that key is served.
        """
        path = self._path_of(key)
        if path is None or not os.path.isdir(path):
            raise NotThere(f"there is no workspace {key!r} here", hint="'workspaces' tells those that are served")
        return workspace_dir.open_directory(path)

    def table(self, key: str) -> RunTable:
        """The table of a workspace's runs, kept from request to request."""
        with self._lock:
            table = self._tables.get(key)
        if table is not None:
            if os.path.isdir(table.directory.path):
                return table
            with self._lock:
                self._tables.pop(key, None)  # the workspace was deleted
        made = RunTable(self.workspace(key))
        with self._lock:
            return self._tables.setdefault(key, made)

    def run_directory(self, key: str, run_id: str) -> str:
        """Directory of a run by its full id.

        Raises
        ------
        NotThere
            The workspace has none of that id.
        """
        workspace = self.workspace(key)
        kept = self._runs.get((key, run_id))
        if kept is not None and os.path.exists(os.path.join(kept, layout.RUN_JSON)):
            return kept
        found = workspace.find_run(run_id)
        if found is None:
            raise NotThere(
                f"there is no run {run_id[:300]!r} in the workspace {workspace.ids.workspace_name!r}",
                hint="it was deleted, or its workspace was moved",
            )
        if len(self._runs) >= _FOUND_AT_MOST:
            self._runs.clear()
        self._runs[key, run_id] = found
        return found

    def waits(self, run_id: str, facts: RunFacts) -> str | None:
        """Why a run has not started yet; None where it has, or where it waits for no slot of this host."""
        return self._line.reason(run_id) if facts.state == states.NOT_STARTED else None

    def changed(self, key: str, run_id: str) -> None:
        """See at once that a run was changed, made or deleted by way of this server."""
        self.table(key).touch(run_id)
        self.on_change(key, run_id)

    def _path_of(self, key: str) -> str | None:
        if self.only is not None:
            return self.only if key == known_workspaces.key_of(self.only) else None
        path = self._seen.get(key) or known_workspaces.find(key)
        if path is None:
            self.workspaces()
            path = self._seen.get(key)
        return path
