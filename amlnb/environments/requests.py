"""A request for an environment, what there is of it, and the order to build it: light, the courier lives with it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from amlnb.environments import locks, prefixes
from amlnb.environments.builder import Interpreter
from amlnb.environments.lock import Lock
from amlnb.specs.environment_spec import EnvironmentSpec


@dataclass(frozen=True)
class Request:
    """A request.

    Attributes
    ----------
    spec
        What was asked for; its notes tell where another Python was taken.
    interpreter
        The Python that was chosen.
    """

    key: str
    spec: EnvironmentSpec
    interpreter: Interpreter


@dataclass(frozen=True)
class Found:
    """What there is of a request.

    Attributes
    ----------
    lock
        What it is exactly; None as long as that was not decided.
    prefix
        Where it is built; None if it is not.
    """

    lock: Lock | None = None
    prefix: str | None = None

    @property
    def interpreter(self) -> str | None:
        """Path of its Python, where it is built on this machine's own file system."""
        if self.prefix is None or (self.lock is not None and self.lock.image):
            return None
        return prefixes.interpreter_of(self.prefix)


def find(data: str, cache: str, key: str, lock: Lock | None = None) -> Found:
    """Look a request up; nothing is built.

    Parameters
    ----------
    data, cache
        The workspace's data directory, and the host-local cache.
    key
        The request's.
    lock
        What it is to be, in place of the lock that the workspace has of it.

    Raises
    ------
    FormatError
        Its lock is damaged.
    """
    lock = lock or locks.read(data, key)
    if lock is None:
        return Found()
    prefix = prefixes.path_of(cache, lock.key)
    return Found(lock, prefix if prefixes.is_built(prefix) else None)


@dataclass(frozen=True)
class Order:
    """What a builder process is told on its standard input; it is in no file that others may read.

    Attributes
    ----------
    data, folder
        The workspace's data directory, and where the person works.
    upgrade
        Decide anew what it is, though there is a lock.
    only_lock
        Decide what it is, and build nothing.
    lock
        Build this one; of a run that is run again, or of a file.
    """

    request: Request
    data: str
    folder: str
    upgrade: bool = False
    only_lock: bool = False
    lock: Lock | None = None
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it, credentials included."""
        return {
            "key": self.request.key,
            "spec": self.request.spec.to_dict(),
            "python": [self.request.interpreter.path, self.request.interpreter.version],
            "data": self.data,
            "folder": self.folder,
            "upgrade": self.upgrade,
            "only_lock": self.only_lock,
            "lock": None if self.lock is None else self.lock.to_dict(),
            "credentials": dict(self.credentials),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Order:
        """Read what `to_dict` made."""
        spec = replace(EnvironmentSpec.from_dict(value["spec"]), credentials=value["credentials"])
        lock = value["lock"]
        return cls(
            Request(value["key"], spec, Interpreter(*value["python"])),
            value["data"],
            value["folder"] if os.path.isdir(value["folder"]) else "/",
            value["upgrade"],
            value["only_lock"],
            None if lock is None else Lock.from_dict(lock),
            value["credentials"],
        )
