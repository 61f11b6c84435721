"""What there is to tell of a workspace beside its runs; which there are; and the end of one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
from collections.abc import Mapping
from typing import Any

import platformdirs

from amlnb import host
from amlnb.core import coercion
from amlnb.engine.delete import check_ended, remove_tree
from amlnb.errors import UserErrorException
from amlnb.store import workspace_dir
from amlnb.store.index import Index
from amlnb.store.plain_files import read_json
from amlnb.store.workspace_dir import WorkspaceDirectory, WorkspaceIds
from amlnb.tracking import context

LOCATION = "local"
_RECORD = "workspace.json"
_TYPE = "Microsoft.MachineLearningServices/workspaces"
_OF_A_CLOUD = (
    *("containerRegistry", "keyVault", "applicationInsights", "identityPrincipalId", "identityTenantId"),
    *("identityType", "storageAccount", "imageBuildCompute", "discoveryUrl", "cmkKeyvault"),
)


def read(path: str) -> dict[str, Any]:
    """The record of a workspace, by its data directory."""
    return read_json(os.path.join(path, _RECORD)) or {}


def keep(path: str, tags: Mapping[str, str] | None, friendly_name: str | None) -> None:
    """Keep what was said of a workspace with its record."""
    given = {"tags": dict(tags or {}), "friendly_name": friendly_name}
    said = {name: value for name, value in given.items() if value}
    if not said:
        return
    host.replace_file(os.path.join(path, _RECORD), json.dumps({**read(path), **said}).encode("ascii"))


def place(folder: str, ids: WorkspaceIds) -> str:
    """Data directory of the workspace whose configuration is in a folder.

    One that was made by its names, and then written down there, has its data in the user's data directory. In a run,
    whose source has a copy of the configuration, it is the run's own workspace.
    """
    own = _of_run(ids)
    if own is not None:
        return own
    created, beside = workspace_dir.data_directory(ids, None), workspace_dir.data_directory(ids, folder)
    return created if os.path.isdir(created) and not os.path.isdir(beside) else beside


def configured(name: str, subscription_id: str | None, resource_group: str | None) -> tuple[str, WorkspaceIds] | None:
    """Data directory and names of the workspace of these names, if the configuration of the working directory is its.

    Parameters
    ----------
    name, subscription_id, resource_group
        Its names; None for any.
    """
    try:
        config = workspace_dir.find_config(os.getcwd())
    except UserErrorException:  # told by whoever asks for that one
        return None
    if config is None:
        return None
    folder, ids = config
    asked = WorkspaceIds(subscription_id or ids.subscription_id, resource_group or ids.resource_group, name)
    return (place(folder, ids), ids) if asked == ids else None


def data_of(ids: WorkspaceIds) -> str:
    """Data directory of a workspace by its names: of the one that is configured here, or in the user's directory."""
    here = configured(ids.workspace_name, ids.subscription_id, ids.resource_group)
    return _of_run(ids) or workspace_dir.data_directory(ids, None) if here is None else here[0]


def _of_run(ids: WorkspaceIds) -> str | None:
    """Data directory of the workspace of the run that this process is part of, if it has these names."""
    run = context.current()
    if run is None:
        return None
    data = os.path.dirname(os.path.dirname(run.directory))
    record = read(data)  # {} on another machine
    names = WorkspaceIds(*(str(record.get(name)) for name in ("subscription_id", "resource_group", "name")))
    return data if names == ids else None


def every() -> list[str]:
    """Data directories of the workspaces that are known by their names, not by a folder."""
    home = os.path.abspath(os.environ.get("AMLNB_HOME") or platformdirs.user_data_dir("amlnb"))
    try:
        names = sorted(os.listdir(home))
    except OSError:
        return []
    return [path for path in (os.path.join(home, name) for name in names) if read(path)]


def details(directory: WorkspaceDirectory) -> dict[str, Any]:
    """What v1 told of a workspace; what only a cloud has is None."""
    ids, record = directory.ids, read(directory.path)
    name = ids.workspace_name
    return {
        "id": f"/subscriptions/{ids.subscription_id}/resourceGroups/{ids.resource_group}/providers/{_TYPE}/{name}",
        "name": name,
        "identity": None,
        "location": LOCATION,
        "type": _TYPE,
        "tags": coercion.scalar_texts(record.get("tags")),
        "sku": "Basic",
        "workspaceid": record.get("id"),
        "description": "",
        "friendlyName": coercion.text(record.get("friendly_name")) or name,
        "creationTime": dt.datetime.fromtimestamp(directory.created, dt.UTC).isoformat(),
        "hbiWorkspace": False,
        **dict.fromkeys(_OF_A_CLOUD),
        "path": directory.path,
    }


def delete(directory: WorkspaceDirectory) -> None:
    """Remove a workspace's data directory.

    Raises
    ------
    UserErrorException
        A run of it has not ended, or it cannot be removed.
    """
    check_ended(Index(directory).list_runs())
    try:
        remove_tree(directory.path)
    except OSError as error:
        raise UserErrorException(
            f"the workspace in {directory.path!r} cannot be removed whole: {error}", hint="remove that folder by hand"
        ) from error


def write_config(ids: WorkspaceIds, path: str, file_name: str | None) -> None:
    """Write the file by which a workspace is found again, into the ``.azureml`` of a folder."""
    folder = os.path.join(path, ".azureml")
    os.makedirs(folder, exist_ok=True)
    document = json.dumps(dataclasses.asdict(ids), indent=4)
    host.replace_file(os.path.join(folder, file_name or "config.json"), document.encode("ascii"))
