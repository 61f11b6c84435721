"""What is stale in the host-local cache: run sides of other versions, and memories of projects long not seen.

All of it is made again when it is needed, so age decides, except for run sides, which running jobs import from.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from amlnb.engine import queue
from amlnb.engine.courier.wake import LOCK
from amlnb.engine.delete import remove_tree

RUN_SIDES = "run sides of other versions"
SNAPSHOT_CACHES = "memories of old snapshots"
INDEXES = "indexes of workspaces not listed for long"
_RUN_SIDE = "run-side"
_STALE_S = 90 * 86400.0
_YOUNG_S = 3600.0


@dataclass(frozen=True)
class Item:
    """One thing to remove; ``bytes`` with all in it."""

    kind: str
    path: str
    bytes: int


def find(cache: str, kept: list[str]) -> list[Item]:
    """Return what is stale; why something else was left is appended to ``kept``."""
    found = _run_sides(cache, kept)
    for kind, folder in ((SNAPSHOT_CACHES, "snapshots"), (INDEXES, "index")):
        for path in _paths(os.path.join(cache, folder)):
            unfinished = folder == "snapshots" and not path.endswith(".json")
            if _age(path) > (_YOUNG_S if unfinished else _STALE_S):
                found.append(Item(kind, path, size_of(path)))
    return found


def remove(cache: str, item: Item) -> None:
    """Remove what was found.

    Raises
    ------
    OSError
        It cannot be removed.
    """
    if item.kind != RUN_SIDES:
        os.unlink(item.path)
        return
    # Away in one step, while no courier can begin to use it; then at leisure.
    aside = f"{item.path}.{os.urandom(8).hex()}"
    with _courier_held_off(cache) as free:
        if free:
            os.rename(item.path, aside)
    if free:
        remove_tree(aside)


def size_of(path: str) -> int:
    """Bytes of a file, or of all files in a folder."""
    total = 0
    with contextlib.suppress(OSError):
        total = os.lstat(path).st_size if not os.path.isdir(path) else 0
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size
    return total


def _run_sides(cache: str, kept: list[str]) -> list[Item]:
    """All run sides but the newest one, unless a process has one on its path, or could be given one now."""
    folders = sorted(_paths(os.path.join(cache, _RUN_SIDE)), key=_age)
    whole = [path for path in folders if "." not in os.path.basename(path)]
    unfinished = [path for path in folders if path not in whole and _age(path) > _YOUNG_S]
    found = [Item(RUN_SIDES, path, size_of(path)) for path in unfinished]
    if len(whole) < 2:
        return found
    with _courier_held_off(cache) as free:
        if not free or queue.names():
            kept.append("run sides of other versions, because the courier is at work; it ends when nothing is to do")
            return found
        used = _search_paths()
    return found + [Item(RUN_SIDES, path, size_of(path)) for path in whole[1:] if path not in used]


@contextlib.contextmanager
def _courier_held_off(cache: str) -> Iterator[bool]:
    """Hold the courier's lock; False if a courier lives."""
    try:
        fd = os.open(os.path.join(cache, LOCK), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:  # no courier has ever been here
        yield True
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        free = True
    except BlockingIOError:
        free = False
    try:
        yield free
    finally:
        os.close(fd)


def _search_paths() -> str:
    """Search paths of all processes of this user, as one text."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            found.append(process.environ().get("PYTHONPATH", ""))
    return "\n".join(found)


def _paths(folder: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    except OSError:
        return []


def _age(path: str) -> float:
    try:
        return time.time() - os.lstat(path).st_mtime
    except OSError:
        return 0.0
