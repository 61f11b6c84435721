"""``Workspace``: where experiments and runs are kept; a folder of this machine, with v1's names and search order."""

from __future__ import annotations

import json
import os
from typing import Any

from amlnb.api import run_reading
from amlnb.api.environment import Environment
from amlnb.api.experiment import Experiment
from amlnb.api.run import Run
from amlnb.core import layout
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.store import workspace_dir
from amlnb.store.run_names import choose
from amlnb.store.workspace_dir import WorkspaceDirectory, WorkspaceIds

_LOCATION = "local"
_FIRST_PORT = 20000
_PORTS = 20000


class CallableDict(dict[str, Any]):
    """A dict that may also be called, as the oldest v1 code did with ``ws.experiments()``."""

    def __call__(self) -> CallableDict:
        """Return the dict itself."""
        return self


class Workspace:
    """A workspace.

    Parameters
    ----------
    subscription_id, resource_group, workspace_name
        The names that identify it. Its data are in the user's data directory (``AMLNB_HOME`` overrides that) under
        these three names; they are made if they are not there.
    """

    def __init__(
        self, subscription_id: str, resource_group: str, workspace_name: str, auth: Any = None, **_: Any
    ) -> None:
        ids = WorkspaceIds(str(subscription_id), str(resource_group), str(workspace_name))
        self.directory: WorkspaceDirectory = workspace_dir.open_directory(workspace_dir.data_directory(ids, None), ids)

    @classmethod
    def from_config(
        cls, path: str | None = None, auth: Any = None, _logger: Any = None, _file_name: str | None = None
    ) -> Workspace:
        """Open the workspace of a project.

        Looks upwards from ``path`` (default: the working directory) for ``.azureml/config.json``, then for a
        ``.amlnb`` folder. A path to a file is used directly.

        Raises
        ------
        UserErrorException
            Nothing was found, or the configuration cannot be used.
        """
        start = os.path.abspath(path or ".")
        found = cls._find(os.path.join(start, _file_name) if _file_name and os.path.isdir(start) else start)
        if found is None:
            raise UserErrorException(
                f"no workspace was found: there is no .azureml/config.json (nor .amlnb) in {start!r} or above it",
                hint="'amlnb submit SCRIPT' in this folder makes one, and so does a cell that begins with %%submit; "
                "so does Workspace.create('my-workspace').write_config()",
            )
        return found

    @classmethod
    def find_or_create(cls, path: str = ".") -> tuple[Workspace, bool]:
        """Open the workspace of a project, or make one in ``path``; the second value tells that it was made."""
        found = cls._find(os.path.abspath(path))
        if found is not None:
            return found, False
        folder = os.path.abspath(path)
        name = "".join(c if c.isalnum() or c in "-_" else "-" for c in os.path.basename(folder))[:33] or "workspace"
        ids = workspace_dir.local_ids(name)
        return cls._open(workspace_dir.folder_data_directory(folder), ids), True

    @classmethod
    def create(
        cls,
        name: str,
        auth: Any = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        exist_ok: bool = False,
        **_: Any,
    ) -> Workspace:
        """Make a workspace in the user's data directory.

        Raises
        ------
        UserErrorException
            It exists, and ``exist_ok`` is not set; or its name cannot be used.
        """
        letters = name.replace("-", "").replace("_", "")
        if not (3 <= len(name) <= 33) or not letters.isalnum() or not name[0].isalnum():
            raise UserErrorException(
                f"{name!r} cannot be the name of a workspace",
                hint="3 to 33 letters, digits, '-' and '_', a letter or digit first",
            )
        local = workspace_dir.local_ids(name)
        ids = WorkspaceIds(subscription_id or local.subscription_id, resource_group or local.resource_group, name)
        path = workspace_dir.data_directory(ids, None)
        if os.path.isdir(path) and not exist_ok:
            raise UserErrorException(f"the workspace {name!r} exists in {path!r}", hint="pass exist_ok=True to open it")
        return cls._open(path, ids)

    @classmethod
    def get(
        cls, name: str, subscription_id: str | None = None, resource_group: str | None = None, **_: Any
    ) -> Workspace:
        """Open a workspace of the user's data directory by its names.

        Raises
        ------
        UserErrorException
            There is none of these names.
        """
        local = workspace_dir.local_ids(name)
        ids = WorkspaceIds(subscription_id or local.subscription_id, resource_group or local.resource_group, name)
        path = workspace_dir.data_directory(ids, None)
        if not os.path.isdir(path):
            raise UserErrorException(f"there is no workspace {name!r} in {path!r}", hint="Workspace.create makes one")
        return cls._open(path, ids)

    @classmethod
    def _find(cls, start: str) -> Workspace | None:
        config = workspace_dir.find_config(start)
        if config is not None:
            folder, ids = config
            # Made by create() and written down with write_config(): then its runs are in the user's data directory.
            created = workspace_dir.data_directory(ids, None)
            beside = workspace_dir.data_directory(ids, folder)
            return cls._open(created if os.path.isdir(created) and not os.path.isdir(beside) else beside, ids)
        if os.path.isfile(start):
            return None
        data = workspace_dir.find_data(start)
        return None if data is None else cls._at(data)

    @classmethod
    def _open(cls, path: str, ids: WorkspaceIds) -> Workspace:
        workspace = cls.__new__(cls)
        workspace.directory = workspace_dir.open_directory(path, ids)
        return workspace

    @classmethod
    def _at(cls, data: str) -> Workspace:
        """Open a workspace by its data directory."""
        workspace = cls.__new__(cls)
        workspace.directory = workspace_dir.open_directory(data)
        return workspace

    @property
    def name(self) -> str:
        """Name of the workspace."""
        return self.directory.ids.workspace_name

    @property
    def subscription_id(self) -> str:
        """Subscription id, as configured."""
        return self.directory.ids.subscription_id

    @property
    def resource_group(self) -> str:
        """Resource group, as configured."""
        return self.directory.ids.resource_group

    @property
    def location(self) -> str:
        """Always ``local``: there is no cloud behind it."""
        return _LOCATION

    @property
    def experiments(self) -> CallableDict:
        """``{name: Experiment}``."""
        return CallableDict({experiment.name: experiment for experiment in Experiment.list(self)})

    @property
    def environments(self) -> CallableDict:
        """``{name: Environment}``: the newest of each that is registered, and those that are given."""
        return CallableDict(Environment.list(self))

    @property
    def portal_url(self) -> str:
        """Address of the workspace's page: the port is fixed by the path of its data."""
        port = _FIRST_PORT + int(layout.short_hash(os.path.realpath(self.directory.path)), 16) % _PORTS
        return f"http://127.0.0.1:{port}"

    def get_details(self) -> dict[str, Any]:
        """What v1 told of a workspace, where it means something here."""
        ids = self.directory.ids
        return {
            "id": f"/subscriptions/{ids.subscription_id}/resourceGroups/{ids.resource_group}/workspaces/{self.name}",
            "name": self.name,
            "location": self.location,
            "type": "Workspace",
            "tags": {},
            "friendlyName": self.name,
            "description": "",
            "path": self.directory.path,
        }

    def write_config(self, path: str | None = None, file_name: str | None = None) -> None:
        """Write ``<path>/.azureml/config.json``, by which ``from_config`` finds this workspace again."""
        folder = os.path.join(path or ".", ".azureml")
        os.makedirs(folder, exist_ok=True)
        ids = self.directory.ids
        with open(os.path.join(folder, file_name or "config.json"), "w", encoding="utf-8") as file:
            json.dump(
                {
                    "subscription_id": ids.subscription_id,
                    "resource_group": ids.resource_group,
                    "workspace_name": ids.workspace_name,
                },
                file,
                indent=4,
            )

    def get_run(self, run_id: str) -> Run:
        """Return a run, of whatever experiment.

        Parameters
        ----------
        run_id
            As on the command line: its id, a unique beginning or end of it, ``experiment#3``, or ``last`` for the
            newest.

        Raises
        ------
        UserErrorException
            No run, or more than one, has that name.
        """
        directory = self.directory.find_run(run_id)
        if directory is None:
            from amlnb.store.index import Index

            directory = choose(run_id, Index(self.directory).list_runs()).directory
        return run_reading.run_at(directory)

    def _repr_html_(self) -> str | None:
        from amlnb.api.cards import workspace_html

        try:
            return workspace_html(self.directory)
        except (OSError, AmlnbError):  # told by whoever asks for the runs
            return None

    def __repr__(self) -> str:
        ids = self.directory.ids
        return (
            f"Workspace.create(name={self.name!r}, subscription_id={ids.subscription_id!r}, "
            f"resource_group={ids.resource_group!r})"
        )
