"""Built environments: one folder a lock in the host-local cache, shared by all workspaces of a user.

A folder counts only once its marker is there, which is written last; whoever builds or removes one holds its lock file,
and a run that uses one holds it shared for as long as it lives.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amlnb.environments.lock import Lock
from amlnb.errors import EnvironmentBuildException, FormatError, UserErrorException

FOLDER = "environments"
# Beside it: logs of builds, and who is at which request.
BUILDS = "builds"
MARKER = "amlnb-environment.json"
_LOCK, _USED = ".lock", ".used"
_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Built:
    """An environment that is ready.

    Attributes
    ----------
    bytes, own_bytes
        What its files hold, and what of it is freed when it is removed: the rest is shared, by hard links, with uv's
        cache or other environments.
    last_used
        When a run last began with it, in Unix time.
    in_use
        A run uses it now.
    names
        What it was called where it was asked for.
    """

    key: str
    prefix: str
    lock: Lock
    bytes: int
    own_bytes: int
    last_used: float
    in_use: bool
    names: tuple[str, ...] = ()


def path_of(cache: str, key: str) -> str:
    """The folder of an environment, built or not."""
    return os.path.join(cache, FOLDER, key)


def lock_path(prefix: str) -> str:
    """The file that a run holds shared while it uses an environment."""
    return prefix + _LOCK


def interpreter_of(prefix: str) -> str:
    """The Python of a built environment."""
    return os.path.join(prefix, "bin", "python")


def is_built(prefix: str) -> bool:
    """Tell whether an environment is finished, and its Python does not lead to one that was removed."""
    python = interpreter_of(prefix)
    return os.path.isfile(os.path.join(prefix, MARKER)) and (os.path.exists(python) or not os.path.islink(python))


def finish(prefix: str, lock: Lock, name: str | None) -> None:
    """Mark an environment as finished."""
    temporary = os.path.join(prefix, MARKER + ".new")
    with open(temporary, "w", encoding="ascii") as file:
        json.dump({"format": 1, "name": name, "lock": lock.to_dict()}, file)
    os.replace(temporary, os.path.join(prefix, MARKER))
    touch(prefix)


def touch(prefix: str) -> None:
    """Note that an environment is used now."""
    with open(prefix + _USED, "ab"):
        os.utime(prefix + _USED)


@contextlib.contextmanager
def held(prefix: str, *, wait: bool = True) -> Iterator[bool]:
    """Hold an environment for oneself, to build or remove it; False if somebody else has it and ``wait`` is not set.

    Raises
    ------
    EnvironmentBuildException
        The folder of environments cannot be written to.
    """
    try:
        os.makedirs(os.path.dirname(prefix), exist_ok=True)
        fd = os.open(lock_path(prefix), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EnvironmentBuildException(
            f"environments cannot be written to {os.path.dirname(prefix)!r}: {error.strerror}",
            hint="name another folder with AMLNB_CACHE_DIR",
        ) from error
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(fd)


def clear(prefix: str) -> None:
    """Make room for a build: what a killed one left goes away. The caller holds the environment."""
    if os.path.lexists(prefix):
        # The marker first: half a folder must not look finished, should this be killed too.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(os.path.join(prefix, MARKER))
        if os.path.isdir(prefix) and not os.path.islink(prefix):
            shutil.rmtree(prefix)
        else:
            os.unlink(prefix)
    os.makedirs(prefix)


def remove(cache: str, key: str) -> int:
    """Remove an environment and return the bytes that were freed.

    Raises
    ------
    UserErrorException
        There is none of that key, or a run uses it.
    """
    prefix = path_of(cache, key)
    # What is no key may lead to another folder.
    if not _KEY.fullmatch(key) or not os.path.isdir(prefix):
        raise UserErrorException(
            f"there is no built environment {key!r}", hint="'amlnb env list' shows those that there are"
        )
    with held(prefix, wait=False) as free:
        if not free:
            raise UserErrorException(
                f"the environment {key!r} is in use", hint="wait for its runs, or cancel them, and try again"
            )
        _, freed = sizes(prefix)
        clear(prefix)
        os.rmdir(prefix)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(prefix + _USED)
    return freed


def keys(cache: str, beginning: str = "") -> list[str]:
    """Keys of the finished environments that begin so, the one used last first; nothing is read of them."""
    top = os.path.join(cache, FOLDER)
    try:
        found = [name for name in os.listdir(top) if name.startswith(beginning) and is_built(os.path.join(top, name))]
    except OSError:
        return []
    return sorted(found, key=lambda name: -last_used(os.path.join(top, name)))


def every(cache: str, beginning: str = "") -> Iterator[Built]:
    """All finished environments of this user on this host whose keys begin so, the one used last first."""
    top = os.path.join(cache, FOLDER)
    for name in keys(cache, beginning):
        prefix = os.path.join(top, name)
        with contextlib.suppress(FormatError, EnvironmentBuildException, OSError):
            marker = read_marker(prefix)
            total, own = sizes(prefix)
            with held(prefix, wait=False) as free:
                in_use = not free
            called = marker.get("name")
            yield Built(
                name,
                prefix,
                Lock.from_dict(marker["lock"]),
                total,
                own,
                last_used(prefix),
                in_use,
                (called,) if isinstance(called, str) else (),
            )


def remove_unfinished(cache: str, older_than_s: float) -> int:
    """Remove the folders of builds that were killed and that nobody builds now; returns the bytes that were freed."""
    top = os.path.join(cache, FOLDER)
    freed = 0
    for name in sorted(os.listdir(top)) if os.path.isdir(top) else ():
        prefix = os.path.join(top, name)
        if os.path.isdir(prefix) and _is_left(prefix, older_than_s):
            with held(prefix, wait=False) as free:
                # Once more: between the two somebody may have begun to build it, or even finished.
                if free and _is_left(prefix, older_than_s):
                    freed += sizes(prefix)[1]
                    clear(prefix)
                    os.rmdir(prefix)
    return freed


def _is_left(prefix: str, older_than_s: float) -> bool:
    try:
        return not is_built(prefix) and time.time() - os.stat(prefix).st_mtime > older_than_s
    except FileNotFoundError:
        return False


def last_used(prefix: str) -> float:
    """When a run last began with an environment, in Unix time; 0 if that is not known."""
    try:
        return os.stat(prefix + _USED).st_mtime
    except OSError:
        return 0.0


def read_marker(prefix: str) -> dict[str, Any]:
    """What stands in a finished environment's marker.

    Raises
    ------
    FormatError
        It is damaged.
    """
    try:
        with open(os.path.join(prefix, MARKER), encoding="utf-8") as file:
            found = json.load(file)
    except ValueError as error:
        raise FormatError(f"the marker of {prefix!r} is damaged: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("lock"), dict):
        raise FormatError(f"the marker of {prefix!r} is damaged")
    return found


def sizes(prefix: str) -> tuple[int, int]:
    """Bytes of all files of a folder, and of those that are nowhere else by a hard link."""
    total = own = 0
    for top, _, names in os.walk(prefix):
        for name in names:
            with contextlib.suppress(OSError):
                info = os.lstat(os.path.join(top, name))
                total += info.st_size
                own += info.st_size if info.st_nlink == 1 else 0
    return total, own
