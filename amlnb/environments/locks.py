"""The locks of a workspace: one file a request. The first lock of a request stays until it is upgraded."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amlnb.core import layout
from amlnb.environments.lock import Lock
from amlnb.errors import EnvironmentBuildException, FormatError
from amlnb.specs.environment_spec import EnvironmentSpec

_FOLDER = "locks"


@dataclass(frozen=True)
class Stored:
    """A lock, and the request that it answers."""

    request: str
    spec: EnvironmentSpec
    lock: Lock


def folder(data: str) -> str:
    """Where the locks of a workspace are.

    Parameters
    ----------
    data
        The workspace's data directory.
    """
    return os.path.join(data, layout.ENVIRONMENTS, _FOLDER)


def read(data: str, request: str) -> Lock | None:
    """The lock of a request; None if it has none.

    Raises
    ------
    FormatError
        Its file is damaged, or of a newer version.
    """
    path = _path(data, request)
    try:
        found = _read(path)
        return None if found is None else Lock.from_dict(_mapping(found.get("lock")))
    except FormatError as error:
        hint = error.hint or "remove it: the next run locks its environment anew"
        raise FormatError(f"the lock {path!r} cannot be read: {error.message}", hint=hint) from error


def write(data: str, stored: Stored, *, replace: bool) -> Lock:
    """Keep the lock of a request and return the one that holds: without ``replace`` the first one stays.

    Raises
    ------
    EnvironmentBuildException
        It cannot be written.
    """
    path = _path(data, stored.request)
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(temporary, "w", encoding="ascii") as file:
            json.dump({"format": 1, "request": stored.spec.to_dict(), "lock": stored.lock.to_dict()}, file, indent=1)
        if replace:
            os.replace(temporary, path)
            return stored.lock
        os.link(temporary, path)
    except FileExistsError:
        return read(data, stored.request) or stored.lock
    except OSError as error:
        raise EnvironmentBuildException(
            f"the lock of the environment cannot be kept in {os.path.dirname(path)!r}: {error.strerror}",
            hint="free some space there, or name another folder for the workspace's data with AMLNB_HOME",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    return stored.lock


def every(data: str) -> Iterator[Stored]:
    """All locks of a workspace that can be read."""
    try:
        names = sorted(os.listdir(folder(data)))
    except OSError:
        return
    for name in names:
        with contextlib.suppress(FormatError, OSError):
            found = _read(os.path.join(folder(data), name)) if name.endswith(".json") else None
            if found is not None:
                spec = EnvironmentSpec.from_dict(_mapping(found.get("request")))
                yield Stored(name.removesuffix(".json"), spec, Lock.from_dict(_mapping(found.get("lock"))))


def _path(data: str, request: str) -> str:
    return os.path.join(folder(data), f"{request}.json")


def _read(path: str) -> dict[str, Any] | None:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise FormatError(f"it is no JSON: {error}") from error
    return _mapping(found)


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise FormatError(f"the lock of an environment is no object but {type(value).__name__}")
    return dict(value)
