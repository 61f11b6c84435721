"""A workspace's data directory: where it is, what is in it."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import platformdirs

from amlnb.core import coercion, layout
from amlnb.errors import FormatError, UserErrorException
from amlnb.store import known_workspaces, run_record
from amlnb.store.plain_files import read_json

DATA_FOLDER = ".amlnb"
_WORKSPACE_JSON = "workspace.json"
_LOCAL_ID = "00000000-0000-0000-0000-000000000000"
_LOCAL_GROUP = "local"
# v1's search order within one folder.
_CONFIG_FILES = (
    ".azureml/config.json",
    ".azureml/project.json",
    "aml_config/config.json",
    "aml_config/project.json",
    "config.json",
)


@dataclass(frozen=True)
class WorkspaceIds:
    """The three names that identify a workspace in v1."""

    subscription_id: str
    resource_group: str
    workspace_name: str


@dataclass(frozen=True)
class WorkspaceDirectory:
    """An opened data directory.

    Attributes
    ----------
    path
        Absolute path of the data directory (usually ``.amlnb``).
    ids
        The workspace's names.
    created
        Unix seconds.
    """

    path: str
    ids: WorkspaceIds
    created: float

    @property
    def runs(self) -> str:
        """Folder of the run directories."""
        return os.path.join(self.path, layout.RUNS)

    @property
    def objects(self) -> str:
        """Folder of the content-addressed objects."""
        return os.path.join(self.path, layout.OBJECTS)

    @property
    def models(self) -> str:
        """Folder of the registered models."""
        return os.path.join(self.path, layout.MODELS)

    @property
    def targets(self) -> str:
        """Folder of the compute targets."""
        return os.path.join(self.path, layout.TARGETS)

    def run_directories(self) -> list[str]:
        """Paths of all run directories, by name."""
        return run_record.run_directories(self.runs)

    def find_run(self, run_id: str) -> str | None:
        """Directory of the run with this full id; None if there is none."""
        return run_record.find_run(self.runs, run_id)

    def experiment_directory(self, name: str) -> str:
        """Directory of an experiment, whether it exists or not."""
        return os.path.join(self.path, layout.EXPERIMENTS, layout.experiment_directory_name(name))

    def make_experiment(self, name: str) -> str:
        """Make an experiment's directory and record, if need be, and return its path.

        Whoever makes a run begins with this, so here it is kept that there is such a workspace.
        """
        known_workspaces.remember(self.path)
        directory = self.experiment_directory(name)
        record = os.path.join(directory, "experiment.json")
        if not os.path.exists(record):
            os.makedirs(os.path.join(directory, layout.EDITS), exist_ok=True)
            _write_new(record, {"format": layout.FORMAT, "name": name, "created": time.time()})
        return directory

    def experiment_names(self) -> list[str]:
        """Names of all experiments, in alphabetical order."""
        folder = os.path.join(self.path, layout.EXPERIMENTS)
        try:
            entries = os.listdir(folder)
        except FileNotFoundError:
            return []
        records = (read_json(os.path.join(folder, entry, "experiment.json")) for entry in entries)
        return sorted(str(record["name"]) for record in records if record and "name" in record)


def find_config(start: str) -> tuple[str, WorkspaceIds] | None:
    """Find v1's configuration file from ``start`` upwards.

    Parameters
    ----------
    start
        A folder to begin at, or the path of a configuration file, which is then used directly.

    Returns
    -------
    tuple of (str, WorkspaceIds) or None
        The folder beside which the data live, and the ids.

    Raises
    ------
    UserErrorException
        A configuration file is there and cannot be used.
    """
    start = os.path.abspath(start)
    if os.path.isfile(start):
        folder = os.path.dirname(start)
        if os.path.basename(folder) in (".azureml", "aml_config"):
            folder = os.path.dirname(folder)
        return folder, _read_ids(start)
    for folder in _upwards(start):
        for name in _CONFIG_FILES:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and (name != "config.json" or "workspace_name" in (read_json(path) or {})):
                return folder, _read_ids(path)
    return None


def find_data(start: str) -> str | None:
    """Find the existing data directory of a folder from ``start`` upwards, as git finds its directory."""
    for folder in _upwards(os.path.abspath(start)):
        path = folder_data_directory(folder)
        if os.path.isdir(path):
            return path
    return None


def folder_data_directory(folder: str) -> str:
    """Where the data of a workspace live that is known by its folder alone.

    ``.amlnb`` in it; or, with ``AMLNB_HOME``, a folder there that is named after its path.
    """
    home = os.environ.get("AMLNB_HOME")
    if not home:
        return os.path.join(folder, DATA_FOLDER)
    key = f"folder\0{os.path.realpath(folder)}"
    return os.path.join(os.path.abspath(home), f"{layout.slug(os.path.basename(folder))}-{layout.short_hash(key)}")


def data_directory(ids: WorkspaceIds, beside: str | None) -> str:
    """Where the data of a workspace live.

    ``AMLNB_HOME`` decides if it is set; else ``.amlnb`` in the folder ``beside``; else the user's data directory.
    """
    home = os.environ.get("AMLNB_HOME")
    if not home and beside is not None:
        return os.path.join(beside, DATA_FOLDER)
    home = home or platformdirs.user_data_dir("amlnb")
    key = f"{ids.subscription_id}/{ids.resource_group}/{ids.workspace_name}"
    return os.path.join(os.path.abspath(home), f"{layout.slug(ids.workspace_name)}-{layout.short_hash(key)}")


def local_ids(name: str) -> WorkspaceIds:
    """Ids of a workspace that never had any in a cloud."""
    return WorkspaceIds(_LOCAL_ID, _LOCAL_GROUP, name)


def open_directory(path: str, ids: WorkspaceIds | None = None) -> WorkspaceDirectory:
    """Open a data directory, and make it first if it is missing and ``ids`` are given.

    Raises
    ------
    UserErrorException
        It is missing, and no ids were given; or it cannot be made.
    FormatError
        It is damaged or of a newer format.
    """
    path = os.path.abspath(path)
    record_path = os.path.join(path, _WORKSPACE_JSON)
    if not os.path.exists(record_path):
        if ids is None and not os.path.isdir(path):
            raise UserErrorException(
                f"there is no workspace in {path!r}", hint="'amlnb run list' in a project shows one"
            )
        _make(path, ids or local_ids(os.path.basename(os.path.dirname(path)) or "workspace"))
    record = read_json(record_path)
    if record is None or not isinstance(record.get("format"), int):
        raise FormatError(
            f"{record_path!r} is damaged", hint="remove that one file: the runs beside it are complete without it"
        )
    if record["format"] > layout.FORMAT:
        raise FormatError(
            f"{record_path!r} has format {record['format']}, and this amlnb reads up to {layout.FORMAT}",
            hint="upgrade amlnb: pip install -U amlnb",
        )
    found = WorkspaceIds(
        str(record.get("subscription_id", _LOCAL_ID)),
        str(record.get("resource_group", _LOCAL_GROUP)),
        str(record.get("name", "workspace")),
    )
    return WorkspaceDirectory(path, ids or found, coercion.unix_time(record.get("created")) or 0.0)


def _make(path: str, ids: WorkspaceIds) -> None:
    record = {
        "format": layout.FORMAT,
        "id": str(uuid.uuid4()),
        "name": ids.workspace_name,
        "subscription_id": ids.subscription_id,
        "resource_group": ids.resource_group,
        "created": time.time(),
    }
    try:
        for folder in (layout.RUNS, layout.EXPERIMENTS, layout.OBJECTS, layout.TARGETS):
            os.makedirs(os.path.join(path, folder), exist_ok=True)
        # Whatever version control the folder is under, the runs are not part of it.
        ignore = os.path.join(path, ".gitignore")
        if not os.path.exists(ignore):
            with open(ignore, "w", encoding="ascii") as file:
                file.write("*\n")
        _write_new(os.path.join(path, _WORKSPACE_JSON), record)
    except OSError as error:
        raise UserErrorException(
            f"cannot make a workspace in {path!r}: {error.strerror}",
            hint="work in a folder you can write to, or set AMLNB_HOME to one",
        ) from error


def _write_new(path: str, value: object) -> None:
    """Write a JSON file whole; if another process was first, its file stays."""
    temporary = f"{path}.{uuid.uuid4().hex}"
    with open(temporary, "x", encoding="ascii") as file:
        json.dump(value, file)
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    except OSError:
        os.replace(temporary, path)
        return
    os.unlink(temporary)


def _upwards(folder: str) -> Iterator[str]:
    while True:
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def _read_ids(path: str) -> WorkspaceIds:
    config = read_json(path)
    if config is None:
        raise UserErrorException(
            f"the workspace configuration {path!r} is not a JSON object",
            hint='it holds {"subscription_id": "...", "resource_group": "...", "workspace_name": "..."}',
        )
    name = config.get("workspace_name")
    if not isinstance(name, str) or not name:
        raise UserErrorException(
            f"the workspace configuration {path!r} has no workspace_name (it has {sorted(config)})",
            hint='add "workspace_name": "my-workspace"',
        )
    return WorkspaceIds(
        str(config.get("subscription_id", _LOCAL_ID)), str(config.get("resource_group", _LOCAL_GROUP)), name
    )
