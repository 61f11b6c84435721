"""Compute targets by name: ``local`` always, others by a file in the workspace's ``targets`` folder."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Mapping
from typing import Any

from amlnb.compute.backend import Backend
from amlnb.core import layout
from amlnb.errors import ComputeTargetException
from amlnb.store.plain_files import read_json

LOCAL = "local"


def names(data: str) -> list[str]:
    """Names of the targets of a workspace, ``local`` first."""
    try:
        found = os.listdir(os.path.join(data, layout.TARGETS))
    except FileNotFoundError:
        found = []
    return [LOCAL, *sorted(name[: -len(".json")] for name in found if name.endswith(".json"))]


def read(data: str, name: str) -> dict[str, Any]:
    """Definition of a target.

    Raises
    ------
    ComputeTargetException
        There is none of that name, or its file is damaged.
    """
    if name == LOCAL:
        return {"kind": LOCAL}
    path = _path(data, name)
    known = names(data)
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        raise ComputeTargetException(
            f"ComputeTargetNotFound: there is no compute target {name!r} in this workspace",
            hint=f"did you mean {near[0]!r}?"
            if near
            else f"there are: {', '.join(known)}; 'amlnb target add' adds one",
        )
    definition = read_json(path)
    if definition is None or not isinstance(definition.get("kind"), str):
        raise ComputeTargetException(f"the definition of the compute target {name!r} in {path!r} is damaged")
    return definition


def write(data: str, name: str, definition: dict[str, Any]) -> None:
    """Add a target or replace its definition.

    Raises
    ------
    ComputeTargetException
        The name or the kind cannot be used.
    """
    if not name or name == LOCAL or not all(c.isalnum() or c in "-_." for c in name) or name.startswith("."):
        raise ComputeTargetException(
            f"{name!r} cannot be the name of a compute target", hint="letters, digits, '-', '_' and '.'; not 'local'"
        )
    if definition.get("kind") != "ssh":
        raise ComputeTargetException(
            f"compute targets of kind {definition.get('kind')!r} are not known", hint="use ssh"
        )
    path = _path(data, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.{os.getpid()}.new"
    with open(temporary, "w", encoding="ascii") as file:
        json.dump(definition, file, indent=1)
    os.replace(temporary, path)


def remove(data: str, name: str) -> None:
    """Remove a target, damaged or not; runs that were made on it stay.

    Raises
    ------
    ComputeTargetException
        There is none of that name, or it is ``local``.
    """
    if name == LOCAL:
        raise ComputeTargetException("the compute target 'local' is this machine, and cannot be removed")
    if name not in names(data):
        read(data, name)
    os.unlink(_path(data, name))


def backend(definition: Mapping[str, Any], cache: str) -> Backend:
    """Back end of a target that is not this machine.

    Raises
    ------
    ComputeTargetException
        Its kind is not known to this version.
    """
    if definition["kind"] == "ssh":
        from amlnb.compute.ssh import SshBackend

        return SshBackend(definition, cache)
    raise ComputeTargetException(
        f"compute targets of kind {definition['kind']!r} are not known to this version", hint="upgrade amlnb"
    )


def _path(data: str, name: str) -> str:
    return os.path.join(data, layout.TARGETS, f"{name}.json")
