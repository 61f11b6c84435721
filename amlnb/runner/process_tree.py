"""The processes of a run: who they are, how to end them all, what they use."""

from __future__ import annotations

import ctypes
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, List, Optional, Tuple

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def become_subreaper() -> None:
    """Make orphans below this process its children, however they tried to leave (setsid, double fork)."""
    prctl = getattr(_libc, "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent(parent_pid: int) -> None:
    """In a child just forked: be killed when the parent's main thread ends."""
    prctl = getattr(_libc, "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:  # it ended before the line above
        os._exit(1)


def descendants(pid: int, exempt: Callable[[int], bool] = lambda _: False) -> List[int]:
    """Pids of all living processes below ``pid``, parents before children (zombies left out).

    What ``exempt`` tells of a pid is left out, with all below it.
    """
    found: List[int] = []
    parents = None
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        children = _children(parent)
        if children is None:
            parents = parents if parents is not None else _children_by_parent()
            children = parents.get(parent, [])
        for child in children:
            if exempt(child):
                continue
            fields = _stat(child)
            if fields is not None and not _is_over(fields):
                found.append(child)
            waiting.append(child)
    return found


def environment_of(pid: int) -> List[bytes]:
    """Environment a process was started with, ``NAME=value`` each; empty if it is gone or not ours."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:
        return []


def is_of_pool(pid: int) -> bool:
    """Tell whether a process is a worker or helper of `multiprocessing` or joblib (loky), by its command line."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            command = file.read()
    except OSError:
        return True  # it has just ended
    # One that is just ending has no command line any more.
    return not command or b"multiprocessing" in command or b"loky" in command


def send(pids: List[int], number: int) -> None:
    """Send a signal to processes; those that are gone or not ours are passed over."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def carrying(variable: str, value: str) -> List[int]:
    """Pids of this user's processes that were started with an environment variable of this value."""
    wanted = f"{variable}={value}".encode("utf-8", "surrogateescape")
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        carries = wanted in environment_of(int(name))
        fields = _stat(int(name)) if carries else None
        if fields is not None and not _is_over(fields):
            found.append(int(name))
    return found


def usage(pids: List[int]) -> Tuple[float, int, int]:
    """CPU seconds (of children that ended included), resident bytes and number of processes."""
    cpu_ticks = resident_pages = count = 0
    for pid in pids:
        fields = _stat(pid)
        if fields is not None:
            # utime, stime, cutime, cstime and rss: fields 14 to 17 and 24 of proc(5), counted from the state here.
            cpu_ticks += sum(int(field) for field in fields[11:15])
            resident_pages += int(fields[21])
            count += 1
    return cpu_ticks / _TICKS_PER_S, resident_pages * _PAGE_BYTES, count


def _children(pid: int) -> Optional[List[int]]:
    """Children by the kernel's own list; None where the kernel has none."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    found: List[int] = []
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += [int(text) for text in file.read().split()]
        except FileNotFoundError:
            if os.path.isdir(f"/proc/{pid}/task/{task}"):
                return None
        except OSError:
            continue
    return found


def _children_by_parent() -> Dict[int, List[int]]:
    found: Dict[int, List[int]] = {}
    for name in os.listdir("/proc"):
        fields = _stat(int(name)) if name.isdigit() else None
        if fields is not None:
            found.setdefault(int(fields[1]), []).append(int(name))
    return found


def _is_over(fields: List[bytes]) -> bool:
    """Tell whether a process has ended; a zombie whose other threads go on (num_threads, field 20) has not."""
    return fields[0] == b"X" or (fields[0] == b"Z" and int(fields[17]) <= 1)


def _stat(pid: int) -> Optional[List[bytes]]:
    """Fields of /proc/<pid>/stat from the state on; None for a process that is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split() or None
    except OSError:
        return None
