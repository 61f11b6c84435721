"""Environments, as the faces see them: what there is of one, building it while one waits, those that are built."""

from __future__ import annotations

import contextlib
import fnmatch
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from amlnb import host
from amlnb.engine.builder_process import BuilderProcess
from amlnb.engine.delete import remove_tree
from amlnb.environments import locks, prefixes
from amlnb.environments.asking import request_of
from amlnb.environments.lock import Lock
from amlnb.environments.prefixes import Built
from amlnb.environments.requests import Found, Order, Request
from amlnb.environments.requests import find as find_request
from amlnb.errors import EnvironmentBuildException, UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.store.plain_files import read_from

DEFAULT_DAYS = 30
_TICK_S = 0.01
_UNFINISHED_S = 3600.0
_LEFT_S = 2 * 86400.0


@dataclass(frozen=True)
class Freed:
    """What `gc` removed.

    Attributes
    ----------
    keys
        Of the environments.
    bytes
        What that freed: files that other environments or uv's cache hold too stay.
    in_use
        Keys of those that are old, and that a run uses.
    """

    keys: tuple[str, ...]
    bytes: int
    in_use: tuple[str, ...]


def find(spec: EnvironmentSpec, data: str, lock: Lock | None = None) -> tuple[Request, Found]:
    """Look an environment up; nothing is built.

    Parameters
    ----------
    spec
        What is asked for.
    data
        The workspace's data directory.
    lock
        What it is to be, in place of the lock that the workspace has of it.

    Raises
    ------
    EnvironmentBuildException
        No Python of this machine is of the version that it asks for.
    FormatError
        Its lock is damaged.
    """
    request = request_of(spec, os.environ)
    return request, find_request(data, host.cache_dir(), request.key, lock)


def build(spec: EnvironmentSpec, data: str, on_line: Callable[[str], None]) -> Found:
    """Build an environment and wait for it.

    Parameters
    ----------
    spec, data
        As for `find`.
    on_line
        Gets the lines of the log as they come.

    Raises
    ------
    EnvironmentBuildException
        It cannot be built; with the tool's own words.
    """
    return _carry_out(_order(spec, data), on_line)


def lock(spec: EnvironmentSpec, data: str, on_line: Callable[[str], None], *, upgrade: bool = False) -> Lock:
    """Decide what an environment is, exactly, and keep that.

    Parameters
    ----------
    upgrade
        Decide anew, though it was decided before.

    Raises
    ------
    EnvironmentBuildException
        No packages meet it.
    """
    order = replace(_order(spec, data), only_lock=True, upgrade=upgrade)
    found = _carry_out(order, on_line)
    if found.lock is None:
        raise EnvironmentBuildException("the builder process left no lock", hint="this is a defect of amlnb")
    return found.lock


def built(data: str | None = None, beginning: str = "") -> list[Built]:
    """All built environments of this user on this host, the one used last first.

    Parameters
    ----------
    data
        A workspace's data directory: its requests give the environments their names.
    beginning
        Of the keys.
    """
    called: dict[str, set[str]] = {}
    for stored in locks.every(data) if data is not None else ():
        if stored.spec.called:
            called.setdefault(stored.lock.key, set()).add(stored.spec.called)
    return [
        replace(each, names=tuple(sorted(called.get(each.key, set()) | set(each.names))))
        for each in prefixes.every(host.cache_dir(), beginning)
    ]


def remove(key: str) -> int:
    """Remove a built environment by its key, or a unique beginning of it; returns the bytes that were freed.

    Raises
    ------
    UserErrorException
        There is none, or several, of that key; or a run uses it.
    """
    cache = host.cache_dir()
    keys = prefixes.keys(cache, key)
    if key and len(keys) > 1:
        raise UserErrorException(f"{len(keys)} environments begin with {key!r}", hint="give more of it")
    return prefixes.remove(cache, keys[0] if key and keys else key)


def gc(days: float = DEFAULT_DAYS) -> Freed:
    """Remove environments that no run has begun with for so many days, and what killed builds left.

    A later run that asks for one of them has it built anew, from its lock: the very same.
    """
    cache = host.cache_dir()
    removed, in_use, freed = [], [], 0
    for each in prefixes.every(cache):
        if time.time() - each.last_used < days * 86400.0:
            continue
        if each.in_use:
            in_use.append(each.key)
            continue
        with contextlib.suppress(UserErrorException):  # a run has just begun to use it, or another gc was faster
            freed += prefixes.remove(cache, each.key)
            removed.append(each.key)
    freed += prefixes.remove_unfinished(cache, _UNFINISHED_S)
    for path in _left_of_builds(cache):
        with contextlib.suppress(FileNotFoundError):  # another gc was faster, or the build ended just now
            freed += os.lstat(path).st_size if os.path.isfile(path) else prefixes.sizes(path)[1]
            remove_tree(path) if os.path.isdir(path) else os.unlink(path)
    return Freed(tuple(removed), freed, tuple(in_use))


def _left_of_builds(cache: str) -> list[str]:
    """Logs of builds whose courier was killed, and folders in which conda packages were looked at."""
    found = []
    # A lock file stays: whoever holds it is not alone any more once another one of its name is there.
    of_builds = [(prefixes.BUILDS, f"*.{kind}") for kind in ("log", "json", "json.*", "tmp", "pid")]
    for folder, pattern in (*of_builds, ("conda", "resolving-*")):
        top = os.path.join(cache, folder)
        for name in sorted(os.listdir(top)) if os.path.isdir(top) else ():
            path = os.path.join(top, name)
            with contextlib.suppress(FileNotFoundError):  # a build that goes on removes its own files
                if fnmatch.fnmatch(name, pattern) and time.time() - os.lstat(path).st_mtime > _LEFT_S:
                    found.append(path)
    return found


def _order(spec: EnvironmentSpec, data: str) -> Order:
    request = request_of(spec, os.environ)
    return Order(request, data, os.getcwd(), credentials=spec.credentials)


def _carry_out(order: Order, on_line: Callable[[str], None]) -> Found:
    process = BuilderProcess(host.cache_dir(), order.request.key)
    try:
        process.start(order.to_dict(), sys.executable, os.environ)
        offset, rest = 0, b""
        while True:
            ended = process.ended()  # asked first: what it wrote until then is read below
            new = read_from(process.log, offset)
            offset += len(new)
            *lines, rest = (rest + new).split(b"\n")
            for line in lines:
                on_line(line.decode("utf-8", "replace"))
            if ended is not None:
                break
            time.sleep(_TICK_S)
    finally:
        while process.ended() is None and process.runs:  # interrupted
            process.end()
            time.sleep(_TICK_S)
        process.close()
    if ended:
        raise EnvironmentBuildException(ended["message"], ended.get("hint"))
    return find_request(order.data, host.cache_dir(), order.request.key)
