"""The zygote: a small single-threaded process with the runner's code loaded, which forks runners.

A run on this machine so costs a fork and no start of an interpreter. It ends when the courier does; the runners it
forked do not.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import struct
import sys
import time
import traceback
from typing import Any

from amlnb import host
from amlnb.errors import BackendUnavailable
from amlnb.runner import main as runner
from amlnb.runner import process_tree
from amlnb.tracking import context

_LENGTH = struct.Struct("<I")
_KILL_ROUNDS = 100


class Zygote:
    """The courier's end of its zygote."""

    def __init__(self) -> None:
        self._runners: set[int] = set()
        self._socket: socket.socket | None = None
        self._pid = 0
        self._fork()

    def launch(self, told: dict[str, Any]) -> int:
        """Fork a runner for a launch and return its pid.

        Raises
        ------
        BackendUnavailable
            The zygote is gone; another one is there for the next try.
        """
        data = json.dumps(told).encode("ascii")
        try:
            if self._socket is None:
                raise ConnectionError("no zygote")
            self._socket.sendall(_LENGTH.pack(len(data)) + data)
            pid = int(_LENGTH.unpack(_receive(self._socket, _LENGTH.size))[0])
            self._runners = {runner for runner in self._runners if host.start_time(runner) is not None} | {pid}
            return pid
        except OSError as error:
            self.close()
            self._fork()
            raise BackendUnavailable(f"the process that starts runners is gone: {error}") from error

    def end_orphans(self) -> None:
        """Kill what runners that died have left: the zygote inherits it, whatever its session or environment."""
        for _ in range(_KILL_ROUNDS):
            left = process_tree.descendants(self._pid, self._is_anothers) if self._pid else []
            if not left:
                return
            process_tree.send(left, signal.SIGKILL)
            time.sleep(0.01)

    def _is_anothers(self, pid: int) -> bool:
        return pid in self._runners or context.COURIER_MARK in process_tree.environment_of(pid)

    def close(self) -> None:
        """End the zygote; its runners go on."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._pid = 0

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid:
            theirs.close()
            self._socket = ours
            return
        try:
            _close_all_but(theirs.fileno())
            _serve(theirs)
        finally:
            os._exit(0)


def _close_all_but(kept: int) -> None:
    """Let go of what must end with the courier: its lock above all, and the pipes of its connections."""
    for name in os.listdir("/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"):
        if int(name) > 2 and int(name) != kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


def _serve(connection: socket.socket) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    # Runners that end are collected by the kernel; each sets this anew for its own children.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    process_tree.become_subreaper()
    gc.collect()
    gc.freeze()  # what is loaded stays shared between the runners
    while True:
        try:
            size = _LENGTH.unpack(_receive(connection, _LENGTH.size))[0]
            told = json.loads(_receive(connection, size))
        except ConnectionError:
            return
        connection.sendall(_LENGTH.pack(_fork_runner(connection, told)))


def _fork_runner(connection: socket.socket, told: dict[str, Any]) -> int:
    """Fork a runner and return its pid. It is in a session of its own, and outlives zygote and courier."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        # Whatever goes wrong from here on is told in courier.log.
        connection.close()  # else the courier could not tell that its zygote has died
        os.setsid()
        runner.run(told)
        code = 0
    except BaseException:  # noqa: BLE001 - the end of a process: it is told before
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("the other end has closed")
        data += part
    return data
