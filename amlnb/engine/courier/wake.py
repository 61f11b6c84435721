"""Waking the courier of this user and host, or starting one."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time

from amlnb import host
from amlnb.engine import children
from amlnb.tracking import context

FIFO = "wake"
NEWS = b"."
CANCEL = b"c"
LOCK = "courier.lock"
LOG = "courier.log"

_ON_ITS_WAY_S = 3.0
_LONGEST_LOG_BYTES = 1024 * 1024
# Couriers that this process started, and when; collected so that none stays a zombie.
_started: dict[int, float] = {}


def wake(what: bytes = NEWS) -> bool:
    """Make the courier look around now (for cancels, with ``CANCEL``); start one if there is none.

    True if one had to be started.
    """
    if nudge(what):
        return False
    start()
    return True


def nudge(what: bytes = NEWS) -> bool:
    """Wake a courier that lives; False if there is none."""
    path = os.path.join(host.cache_dir(), FIFO)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENXIO):
            return False
        raise
    try:
        with contextlib.suppress(BlockingIOError):  # full: it has been told often enough
            os.write(fd, what)
    except BrokenPipeError:
        return False
    finally:
        os.close(fd)
    return True


def start() -> None:
    """Start a courier, detached, unless one that this process started is still on its way.

    If another one comes first, this one ends by itself.
    """
    collect()
    if any(time.monotonic() - at < _ON_ITS_WAY_S for at in _started.values()):
        return
    cache = host.cache_dir()
    environ = {**context.without_run(os.environ), "AMLNB_COURIER": "1", "AMLNB_CACHE_DIR": cache}
    log = os.path.join(cache, LOG)
    with contextlib.suppress(FileNotFoundError):
        if os.path.getsize(log) > _LONGEST_LOG_BYTES:
            os.replace(log, log + ".old")
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
    ]
    # -P: a module of the working directory must not stand in for one of ours.
    command = [sys.executable, "-P", "-m", "amlnb.engine.courier"]
    pid = os.posix_spawn(sys.executable, command, environ, file_actions=actions, setsid=True)
    _started[pid] = time.monotonic()


def collect() -> None:
    """Take the exit status of couriers that this process started and that have ended."""
    for pid in children.ended(_started):
        del _started[pid]
