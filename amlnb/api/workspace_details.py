"""What there is to tell of a workspace beside its runs; which there are; and the end of one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import re
import sys
from typing import Any

import platformdirs

from amlnb import host
from amlnb.api import run_configuration_values as values
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
_CONFIG_FOLDERS = (".azureml", "aml_config", "")
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{2,32}")
_TYPE = "Microsoft.MachineLearningServices/workspaces"
_OF_A_CLOUD = (
    *("containerRegistry", "keyVault", "applicationInsights", "identityPrincipalId", "identityTenantId"),
    *("identityType", "storageAccount", "imageBuildCompute", "discoveryUrl", "cmkKeyvault"),
)


def read(path: str) -> dict[str, Any]:
    """The record of a workspace, by its data directory."""
    return read_json(os.path.join(path, _RECORD)) or {}


def check_name(name: object) -> None:
    """See that a workspace can be called so.

    Raises
    ------
    UserErrorException
        It cannot.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserErrorException(
            f"{name!r} cannot be the name of a workspace",
            hint="3 to 33 letters, digits, '-' and '_', a letter or digit first",
        )


def ids_of(name: str, subscription_id: str | None, resource_group: str | None) -> WorkspaceIds:
    """Names of a workspace; those that were not given are those of one that never had any in a cloud."""
    local = workspace_dir.local_ids(name)
    return WorkspaceIds(subscription_id or local.subscription_id, resource_group or local.resource_group, name)


def opened(ids: WorkspaceIds) -> WorkspaceDirectory:
    """Open the workspace of these names; where there is none it is made, which is told.

    Raises
    ------
    UserErrorException
        A name is none.
    """
    for what, given in dataclasses.asdict(ids).items():
        if not isinstance(given, str) or not given:
            raise UserErrorException(f"{what} is {given!r}", hint="give a text: there is no cloud, so any will do")
    path = data_of(ids)
    is_new = not os.path.isdir(path)
    if is_new and configured(ids.workspace_name, ids.subscription_id, ids.resource_group) is None:
        check_name(ids.workspace_name)
    found = workspace_dir.open_directory(path, ids)
    if is_new:
        print(f"amlnb: made the workspace {ids.workspace_name!r} in {path!r}", file=sys.stderr)
    return found


def start_of_search(path: str | os.PathLike[str], file_name: str | None) -> str:
    """Where the search for a workspace begins: a folder; or a configuration file, by its path or by its name.

    Raises
    ------
    UserErrorException
        The path does not exist, or there is no file of that name in it or above it.
    """
    start = os.path.abspath(path)
    if not os.path.exists(start):
        raise UserErrorException(
            f"no workspace was found: the path {os.fspath(path)!r} does not exist",
            hint=f"it is relative to {os.getcwd()!r}",
        )
    if file_name is None or os.path.isfile(start):
        return start
    folder = start
    while True:
        for place in _CONFIG_FOLDERS:
            found = os.path.join(folder, place, file_name)
            if os.path.isfile(found):
                return found
        if os.path.dirname(folder) == folder:
            break
        folder = os.path.dirname(folder)
    raise UserErrorException(
        f"no workspace was found: there is no {os.path.join(_CONFIG_FOLDERS[0], file_name)!r} in {start!r} or above it",
        hint=f"workspace.write_config(file_name={file_name!r}) writes it",
    )


def tags(given: object) -> dict[str, str] | None:
    """Tags of a workspace; None for none.

    Raises
    ------
    UserErrorException
        They are no dict.
    """
    return None if given is None else values.texts(given, "tags")


def keep(path: str, **given: object) -> None:
    """Keep what was said of a workspace (tags, friendly_name, description) with its record; None is nothing."""
    said = {name: value for name, value in given.items() if value is not None}
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
        "description": coercion.text(record.get("description")) or "",
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
