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
from collections.abc import Callable
from typing import Any

from amlnb.errors import BackendUnavailable
from amlnb.runner import main as runner

_LENGTH = struct.Struct("<I")


class Zygote:
    """The courier's end of its zygote.

    Parameters
    ----------
    before
        Called first in the zygote: closes what the courier has open and its children must not keep.
    """

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before
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
            return int(_LENGTH.unpack(_receive(self._socket, _LENGTH.size))[0])
        except OSError as error:
            self.close()
            self._fork()
            raise BackendUnavailable(f"the process that starts runners is gone: {error}") from error

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
            ours.close()
            self._before()
            _serve(theirs)
        finally:
            os._exit(0)


def _serve(connection: socket.socket) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    # Runners that end are collected by the kernel; each sets this anew for its own children.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
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
        connection.close()  # else the courier could not tell that its zygote has died
        os.setsid()
        runner.run(told)
        code = 0
    finally:
        os._exit(code)


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("the other end has closed")
        data += part
    return data
