"""The courier: the one process of a user and host that acts between a submission and its runner.

It starts queued runs in order, watches the running ones, brings home what runs elsewhere, and records deaths. All it
knows is in files: killed, it costs nothing, and the next submission or look starts another.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import signal
import sys
import threading
import time
import traceback
from typing import Any

from amlnb import host
from amlnb.compute.backend import Job
from amlnb.compute.local import LocalBackend
from amlnb.core import layout, states
from amlnb.engine import deaths, queue, run_side, slots, targets
from amlnb.engine.courier import wake
from amlnb.engine.courier.preparation import Preparations
from amlnb.engine.courier.worker import Worker, has_begun, log
from amlnb.engine.courier.zygote import Zygote
from amlnb.errors import AmlnbError, told_error
from amlnb.store.plain_files import read_json

_IDLE_S = 30.0
# Deaths are told by pidfds; this is for what nothing tells of (a cancel whose nudge was lost, a runner taken over).
_TICK_S = 2.0
# The log of a build grows in the runs that wait for it.
_BUILD_TICK_S = 0.3
_REMOTE_TICK_S = 0.3
_REMOTE_STOP_S = 5.0
_REMOTE_IDLE_S = 30.0
_LOCK_TRIES = 50
_LOCK_PAUSE_S = 0.1


def serve() -> int:
    """Be the courier until there is nothing to do; returns the exit code."""
    cache = host.cache_dir()
    os.chdir("/")
    lock = _elect(cache)
    if lock is None:
        return 0
    courier = _Courier(cache, lock)
    try:
        courier.loop()
    finally:
        courier.close()
    return 0


def _elect(cache: str) -> int | None:
    """Take the courier's lock; None if another courier lives (it has then been woken)."""
    fd = os.open(os.path.join(cache, wake.LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # The holder either hears the nudge, or is about to end and will let go of the lock.
            if wake.nudge():
                break
            time.sleep(_LOCK_PAUSE_S)
            continue
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d\n" % os.getpid(), 0)
        return fd
    os.close(fd)
    return None


class _Courier:
    def __init__(self, cache: str, lock: int) -> None:
        self._cache = cache
        self._lock = lock
        self._fifo = -1
        self._selector = selectors.DefaultSelector()
        self._pidfds: dict[int, int] = {}
        self._zygote = Zygote()
        self._run_side = run_side.stage(cache)
        self._preparations = Preparations(cache, self._watch)
        backend = LocalBackend(self._zygote.launch, self._zygote.end_orphans)
        self._local = Worker(backend, lambda: slots.count(self._cache), self._watch, self._preparations)
        self._remote: dict[str, _RemoteWorker] = {}
        self._known: set[str] = set()
        self._put_off_told: dict[str, str] = {}
        self._idle_since = time.monotonic()

    def loop(self) -> None:
        """Work until idle for long enough."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._open_fifo()
        heard = wake.NEWS
        while True:
            if heard or self._put_off_told:
                self._take_tickets()
            if wake.CANCEL in heard:
                for worker in (self._local, *(remote.worker for remote in self._remote.values())):
                    worker.look_for_cancels_at = 0.0
            self._local.step()
            self._let_go_of_idle_connections()
            busy = bool(self._local.entries or self._put_off_told) or self._preparations.busy
            busy = busy or any(worker.busy for worker in self._remote.values())
            if busy:
                self._idle_since = time.monotonic()
            elif time.monotonic() - self._idle_since > _idle_s():
                if self._may_end():
                    return
                continue
            tick_s = _BUILD_TICK_S if self._preparations.busy else _TICK_S
            heard = self._wait(tick_s if busy else _idle_s() / 2)

    def close(self) -> None:
        """Let go of everything; the runners go on."""
        for worker in self._remote.values():
            worker.stop()
        self._zygote.close()
        os.close(self._lock)

    def _may_end(self) -> bool:
        """Close the ears, look once more, and end only if nothing came in between."""
        self._selector.unregister(self._fifo)
        os.close(self._fifo)
        if not queue.names():
            return True
        self._open_fifo()
        self._idle_since = time.monotonic()
        return False

    def _open_fifo(self) -> None:
        path = os.path.join(self._cache, wake.FIFO)
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        # Open for writing too: a FIFO without any writer would poll as hung up for ever.
        self._fifo = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._fifo, selectors.EVENT_READ)

    def _wait(self, seconds: float) -> bytes:
        """Wait for news at most so long; returns what was written into the FIFO."""
        heard = b""
        for key, _ in self._selector.select(seconds):
            fd = key.fd
            if fd == self._fifo:
                heard = os.read(fd, 65536)
            elif fd in self._pidfds:
                self._selector.unregister(fd)
                os.close(fd)
                del self._pidfds[fd]
        return heard

    def _watch(self, pid: int) -> None:
        try:
            fd = os.pidfd_open(pid)
        except (OSError, AttributeError):  # ended already, or no pidfds on this system: the tick finds it
            return
        self._pidfds[fd] = pid
        self._selector.register(fd, selectors.EVENT_READ)

    # -- tickets ---------------------------------------------------------------------------------------------------

    def _take_tickets(self) -> None:
        names = queue.names()
        self._known &= set(names)
        self._put_off_told = {name: told for name, told in self._put_off_told.items() if name in names}
        for name in names:
            if name in self._known:
                continue
            try:
                ticket = queue.read(name)
                if ticket is None or not os.path.isdir(ticket.directory):
                    self._drop(name, "it is damaged" if ticket is None else f"{ticket.directory!r} is gone")
                    continue
                self._take(name, ticket)
                self._known.add(name)
                self._put_off_told.pop(name, None)
            except Exception as error:  # noqa: BLE001 - the boundary: one ticket must not stop the others
                self._put_off(name, error)

    def _fail(self, name: str, ticket: queue.Ticket, error: AmlnbError) -> None:
        """Seal a run that nobody has begun, and that nothing will make right."""
        deaths.seal_unstarted(ticket.directory, {"state": states.FAILED, "error": told_error("StartFailed", error)})
        queue.remove(name)

    def _drop(self, name: str, why: str) -> None:
        """Remove a ticket of which nothing can come."""
        if name in queue.names():
            log(f"ticket {name} was removed: {why}")
            queue.remove(name)

    def _put_off(self, name: str, error: Exception) -> None:
        """Leave a ticket for the next look; what is in its way is told once."""
        told = f"ticket {name} has to wait: {error!r}"
        if self._put_off_told.get(name) != told:
            self._put_off_told[name] = told
            log(told)

    def _take(self, name: str, ticket: queue.Ticket) -> None:
        if os.path.exists(os.path.join(ticket.directory, layout.FINAL_JSON)) and _is_here(ticket):
            queue.remove(name)
            return
        job = Job(
            run_id=ticket.run_id,
            directory=ticket.directory,
            attempt=1,
            snapshot=ticket.snapshot,
            objects=os.path.join(ticket.data, layout.OBJECTS),
            environ=ticket.environ,
            workspace=ticket.workspace,
            run_side=self._run_side,
            target=ticket.definition,
        )
        if _is_here(ticket):
            self._local.add(name, ticket, job)
            attempt = read_json(os.path.join(ticket.directory, layout.ATTEMPTS, "1.json"))
            if attempt is not None and host.liveness(attempt) == "alive":
                self._watch(int(attempt["pid"]))  # a run that an earlier courier started
            return
        # By its definition: a target that was replaced meanwhile is another machine.
        key = f"{ticket.target}\0{json.dumps(dict(ticket.definition), sort_keys=True)}"
        if key not in self._remote:
            try:
                self._remote[key] = _RemoteWorker(targets.backend(job.target, self._cache))
            except AmlnbError as error:
                if has_begun(ticket.directory):
                    raise
                self._fail(name, ticket, error)
                return
        self._remote[key].add(name, ticket, job)

    def _let_go_of_idle_connections(self) -> None:
        for key, worker in list(self._remote.items()):
            if worker.idle_s() > _REMOTE_IDLE_S:
                worker.stop()
                del self._remote[key]


class _RemoteWorker:
    """A worker in a thread of its own, so that a slow network holds up nobody else."""

    def __init__(self, backend: Any) -> None:
        self.worker = Worker(backend, lambda: None)
        self._new: list[tuple[str, queue.Ticket, Job]] = []
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._idle_since = time.monotonic()
        self._told = ""
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Tell whether there is anything left to do."""
        return bool(self._new) or bool(self.worker.entries)

    def idle_s(self) -> float:
        """Seconds since there was anything to do."""
        if self.busy:
            self._idle_since = time.monotonic()
        return time.monotonic() - self._idle_since

    def add(self, name: str, ticket: queue.Ticket, job: Job) -> None:
        """Hand over a ticket."""
        with self._guard:
            self._new.append((name, ticket, job))

    def stop(self) -> None:
        """End the thread, and the connection."""
        self._stop.set()
        self._thread.join(_REMOTE_STOP_S)
        close = getattr(self.worker.backend, "close", None)
        if close is not None and not self._thread.is_alive():
            close()

    def _loop(self) -> None:
        while not self._stop.wait(_REMOTE_TICK_S):
            with self._guard:
                new = list(self._new)
            try:
                for name, ticket, job in new:
                    self.worker.add(name, ticket, job)
                self.worker.step()
            except Exception as error:  # noqa: BLE001 - the boundary of a thread that must go on for its other runs
                if repr(error) != self._told:
                    self._told = repr(error)
                    log(traceback.format_exc())
            with self._guard:
                del self._new[: len(new)]


def _is_here(ticket: queue.Ticket) -> bool:
    return str(ticket.definition["kind"]) == targets.LOCAL


def _idle_s() -> float:
    return float(os.environ.get("AMLNB_COURIER_IDLE_S", _IDLE_S))
