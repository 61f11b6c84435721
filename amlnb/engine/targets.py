"""Compute targets by name: ``local`` always, others by a file in the workspace's ``targets`` folder.

Its ``kind`` says what a target is: ``ssh`` is another machine; ``local`` is a name for this one, whose runs share its
slots, and what v1 says of a cluster stands beside it.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
from collections.abc import Mapping
from typing import Any

from amlnb import host
from amlnb.compute.backend import Backend
from amlnb.core import coercion, layout
from amlnb.errors import ComputeTargetException
from amlnb.store.plain_files import read_from, read_json

LOCAL = "local"
SSH = "ssh"
_KINDS = (LOCAL, SSH)
# With its ending and that of an unfinished file it is a file's name on every file system.
_LONGEST_NAME = 200


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
    known = names(data)
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        raise _not_found(
            name,
            f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}; 'amlnb target add' adds one",
        )
    definition = find(data, name)
    if definition is None:
        path = _path(data, name)
        raise ComputeTargetException(
            f"the definition of the compute target {name!r} in {path!r} is damaged",
            hint=f"make it again: ComputeTarget.create(...) or attach(...) replaces it; 'amlnb target remove {name}' "
            "takes it away",
        )
    return definition


def find(data: str, name: str) -> dict[str, Any] | None:
    """What the file of a target says; None if it is not there or damaged."""
    found = read_json(_path(data, name)) if name in names(data) else None
    return found if found is not None and isinstance(found.get("kind"), str) else None


def is_here(data: str, name: str) -> bool:
    """Tell whether a name stands for this machine; False also where there is none of that name."""
    return name == LOCAL or (find(data, name) or {}).get("kind") == LOCAL


def has_home_here(record: Mapping[str, Any]) -> bool:
    """Tell whether a run's files are this machine's own, by the run's record, whatever its target is called."""
    home = coercion.mapping(record.get("home"))
    return str(home.get("kind", LOCAL)) == LOCAL


def resolve(data: str, name: str, *, soft: bool) -> tuple[dict[str, Any], str | None]:
    """Definition of the target that a run is for, and what there is to tell of it.

    Parameters
    ----------
    data
        The workspace's data directory.
    name
        As the run names it.
    soft
        A name that stands for nothing means this machine, which is told; v1 code names clusters of its cloud.

    Raises
    ------
    ComputeTargetException
        There is none of that name, and it is not soft, or a slip of the pen for ``local`` or the name of another
        machine; or it could not be attached; or its file is damaged.
    """
    if not soft or name in names(data):
        return read(data, name), None
    refused = read_from(_refusal_path(data, name), 0).decode(errors="replace") if is_name(name) else ""
    if refused:
        raise ComputeTargetException(
            f"the compute target {name!r} could not be attached, so its runs have no machine: {refused}",
            hint="attach it as its error says; "
            f"'amlnb target remove {name}' forgets it, and its runs are then on this machine",
        )
    meant = (each for each in names(data) if each == LOCAL or not is_here(data, each))
    near = next((each for each in meant if is_slip(name, each)), None)
    if near is not None:
        raise _not_found(name, f"did you mean {near!r}?")
    return {"kind": LOCAL}, (
        f"the compute target {name!r} was never made here, so this run is on this machine; "
        f"hint: 'amlnb target add {name} --host HOST' gives the name to another one"
    )


def is_name(name: object) -> bool:
    """Tell whether a compute target can be called so."""
    if not isinstance(name, str) or not 0 < len(os.fsencode(name)) <= _LONGEST_NAME or name == LOCAL:
        return False
    return all(c.isalnum() or c in "-_." for c in name) and not name.startswith(".")


def write(data: str, name: str, definition: dict[str, Any]) -> None:
    """Add a target or replace its definition.

    Raises
    ------
    ComputeTargetException
        The name or the kind cannot be used.
    """
    if not is_name(name):
        raise ComputeTargetException(
            f"{name!r} cannot be the name of a compute target",
            hint=f"1 to {_LONGEST_NAME} letters, digits, '-', '_' and '.'; not 'local'",
        )
    if definition.get("kind") not in _KINDS:
        raise ComputeTargetException(
            f"compute targets of kind {definition.get('kind')!r} are not known", hint=f"use {' or '.join(_KINDS)}"
        )
    path = _path(data, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    host.replace_file(path, json.dumps(definition, indent=1).encode("ascii"))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_refusal_path(data, name))


def refuse(data: str, name: str, reason: str) -> None:
    """Keep that a name was to become another machine's and did not, so that no run of it is on this machine instead.

    A name that cannot be a target's is none to keep; `write` and `remove` forget it.
    """
    if is_name(name) and name not in names(data):
        os.makedirs(os.path.join(data, layout.TARGETS), exist_ok=True)
        host.replace_file(_refusal_path(data, name), reason.encode())


def remove(data: str, name: str) -> None:
    """Remove a target, damaged or not; runs that were made on it stay.

    Raises
    ------
    ComputeTargetException
        There is none of that name, or it is ``local``.
    """
    if name == LOCAL:
        raise ComputeTargetException("the compute target 'local' is this machine, and cannot be removed")
    if name in names(data):
        os.unlink(_path(data, name))
        return
    try:
        os.unlink(_refusal_path(data, name))
    except OSError:
        read(data, name)


def backend(definition: Mapping[str, Any], cache: str) -> Backend:
    """Back end of a target that is not this machine.

    Raises
    ------
    ComputeTargetException
        Its kind is not known to this version.
    """
    if definition["kind"] == SSH:
        from amlnb.compute.ssh import SshBackend

        return SshBackend(definition, cache)
    raise ComputeTargetException(
        f"compute targets of kind {definition['kind']!r} are not known to this version", hint="upgrade amlnb"
    )


def is_slip(name: str, meant: str) -> bool:
    """Tell whether a name is another one, misspelt by a letter: not where the letter tells two machines apart.

    ``gpu-bx``, ``gpu-obx`` and ``GPU_box`` are ``gpu-box``; ``gpu-box2`` and ``cpu-box`` are names of their own.
    """
    a, b = (each.lower().replace("_", "-") for each in (name, meant))
    if len(a) == len(b):
        differing = [i for i in range(len(a)) if a[i] != b[i]]
        if len(differing) == 2:
            first, second = differing
            return second == first + 1 and a[first : second + 1] == b[second] + b[first]
        inside = [i for i in differing if 0 < i < len(a) - 1 and b[i - 1 : i + 2].isalpha() and a[i].isalpha()]
        return len(differing) == len(inside) <= 1
    short, long = sorted((a, b), key=len)
    return any(long[:i] + long[i + 1 :] == short and long[i].isalpha() for i in range(len(long)))


def _not_found(name: str, hint: str) -> ComputeTargetException:
    return ComputeTargetException(
        f"ComputeTargetNotFound: there is no compute target {name!r} in this workspace", hint=hint
    )


def _refusal_path(data: str, name: str) -> str:
    return os.path.join(data, layout.TARGETS, f"{name}.refused")


def _path(data: str, name: str) -> str:
    return os.path.join(data, layout.TARGETS, f"{name}.json")
