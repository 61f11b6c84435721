"""What happens when the file system refuses tracking: it is told once on stderr, and training goes on.

Metrics wait in their journal (see ``append_file``); tags, properties, child runs and the ends of runs wait here. All is
tried again, in its order, at the next writes, at a flush, and at exit.
"""

from __future__ import annotations

import os
import sys
from _thread import allocate_lock, get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List, Tuple

_MOST_KEPT = 10000
_MOST_UNTOLD = 10
_MOST_KEPT_BYTES = 64 * 1024 * 1024

told: List[str] = []
# (run directory, what is written, the write, bytes it holds): later ones of a run wait for earlier ones.
kept: List[Tuple[str, str, Callable[[], Any], int]] = []
_untold: List[str] = []
# Threads that tell at this moment.
telling: List[int] = []
_lock = allocate_lock()


def tell(text: str) -> None:
    """Write to stderr, if there is one to write to; what a full disk refuses there is told when it is over."""
    _untold.append(text)
    tell_late()


def tell_late() -> None:
    """Write what could not be told when it happened."""
    thread = get_ident()
    if thread in telling:
        return  # the call that this one is in does it
    telling.append(thread)
    try:
        _tell_all()
    finally:
        telling.remove(thread)


def _tell_all() -> None:
    while _untold:
        try:
            sys.stderr.write(_untold[0])
            sys.stderr.flush()
        except OSError:
            if not hasattr(getattr(sys.stderr, "buffer", None), "raw"):  # else it waits in that buffer
                del _untold[:-_MOST_UNTOLD]
                return
        except (ValueError, AttributeError, RuntimeError):
            pass  # closed, missing, or busy with what a signal interrupted
        del _untold[:1]


def tell_once(path: str, error: OSError) -> None:
    """Say, once a process, that tracking has trouble writing ``path``."""
    if told:
        return
    told.append(path)
    tell(
        f"amlnb: could not write {path!r} ({error.strerror or error}). Training goes on; what "
        "is logged is kept in memory and tried again.\n"
        "hint: free some space or make the folder writable, and nothing will be missing\n"
    )


def attempt(directory: str, what: str, write: Callable[[], Any], size: int = 0) -> bool:
    """Do a write in a run directory, behind those that wait; True if it is done, else it waits as well.

    Parameters
    ----------
    directory
        The run directory.
    what
        What is written, for messages.
    write
        Writes, or raises OSError and leaves nothing behind.
    size
        How many bytes it holds in memory.

    Raises
    ------
    Exception
        Whatever ``write`` raises that is no OSError.
    """
    retry()
    if not any(each[0] == directory for each in kept):
        try:
            write()
        except OSError as error:
            tell_once(directory, error)
        else:
            return True
    keep(directory, what, write, size)
    return False


def keep(directory: str, what: str, write: Callable[[], Any], size: int = 0) -> None:
    """Keep a write, to be tried again; it raises OSError until it is done."""
    if len(kept) < _MOST_KEPT and sum(each[3] for each in kept) + size <= _MOST_KEPT_BYTES:
        kept.append((directory, what, write, size))
    else:
        tell(f"amlnb: too much waits to be written; given up: the {what} of {directory!r}\n")


def retry() -> None:
    """Try again what waits, and what could not be told. Does nothing while that is under way already."""
    if _untold:
        tell_late()
    # Not waited for: who holds the lock may wait for the caller's journal, or be what a signal interrupted.
    if not kept or not _lock.acquire(False):
        return
    stuck = set()
    try:
        for each in list(kept):
            directory, what, write, _ = each
            if directory in stuck:
                continue
            try:
                write()
            except OSError:
                stuck.add(directory)
                continue
            except Exception as error:  # noqa: BLE001 - the boundary: its caller has gone on long ago
                tell(f"amlnb: the {what} of {directory!r} could not be written: {error}\n")
            kept.remove(each)
    finally:
        _lock.release()


def after_fork() -> None:
    """In the child: what waits is the parent's to write, and the child tells its own trouble."""
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = allocate_lock()
    del told[:], kept[:], _untold[:]


os.register_at_fork(after_in_child=after_fork)
