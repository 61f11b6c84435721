"""One connection to the far end of an SSH target, whose stdin and stdout carry frames."""

from __future__ import annotations

import io
import json
import os
import stat
import tarfile
from collections.abc import Callable, Iterable
from typing import Any

from amlnb.compute import ssh_command
from amlnb.compute.ssh_command import SshTarget
from amlnb.compute.ssh_process import SshProcess
from amlnb.core import frames
from amlnb.errors import BackendUnavailable, ComputeTargetException

# Without any byte for this long, a connection counts as cut. ssh's own keep-alive is faster (ServerAliveInterval); this
# is for a far end that is there and does not answer.
_SILENCE_S = 60.0
_LONGEST_BANNER = 1 << 20
_PATIENCE_S = 5.0

OnFrame = Callable[[dict[str, Any], bytes], None]


class RelayLink:
    """A connection with a relay that answers.

    Parameters
    ----------
    target
        Where to.
    cache
        The host-local cache folder, for the control socket.
    run_side
        Folder with the run side of amlnb, named by its content.

    Raises
    ------
    BackendUnavailable
        The host cannot be reached now.
    ComputeTargetException
        It can never be used like this: unknown host key, no permission, no Python.
    """

    def __init__(self, target: SshTarget, cache: str, run_side: str) -> None:
        self._target = target
        self._socket = ssh_command.control_path(target, cache)
        _make_private(os.path.dirname(self._socket))
        self._version = os.path.basename(run_side)
        self._decoder = frames.Decoder()
        greeting = self._connect()
        if greeting is None:
            self._stage(run_side)
            greeting = self._connect()
        if greeting is None:
            raise ComputeTargetException(f"our files do not stay on {target.name}", hint="look at its root there")
        self.hostname = str(greeting["hostname"])

    def ask(self, request: dict[str, Any], on_frame: OnFrame | None = None) -> dict[str, Any]:
        """Send a request and return the answer; frames before it go to ``on_frame``, in order.

        Raises
        ------
        BackendUnavailable
            The connection is cut; this link is of no more use.
        ComputeTargetException
            The far end answered with an error.
        """
        self.send([(request, b"")])
        while True:
            for header, data in self._frames():
                if "error" in header:
                    raise ComputeTargetException(
                        f"{self._target.name} answered: {header['error']}", hint=header.get("hint")
                    )
                if header.get("done"):
                    return header
                if on_frame is not None:
                    on_frame(header, data)

    def send(self, parts: Iterable[tuple[dict[str, Any], bytes]]) -> None:
        """Send frames.

        Raises
        ------
        BackendUnavailable
            The connection is cut.
        """
        try:
            for header, data in parts:
                self._ssh.write(frames.encode(header, data))
        except (TimeoutError, BrokenPipeError) as error:
            raise self._cut(str(error)) from error

    def close(self) -> None:
        """Close the connection; what was started over there goes on."""
        self._ssh.end()

    def _frames(self) -> list[tuple[dict[str, Any], bytes]]:
        """Return the frames that came, maybe none yet."""
        try:
            data = self._ssh.read()
            if not data:
                raise self._cut("it was closed")
            return self._decoder.feed(data)
        except (TimeoutError, ValueError) as error:
            raise self._cut(str(error)) from error

    def _cut(self, why: str) -> BackendUnavailable:
        self._ssh.end()
        complaint = " ".join(self._ssh.complaint.split())
        return BackendUnavailable(
            f"the connection to {self._target.name} is cut: {why}{f' ({complaint})' if complaint else ''}"
        )

    # -- opening -----------------------------------------------------------------------------------------------------

    def _start(self, script: str) -> None:
        command = ssh_command.ssh_arguments(self._target, self._socket)
        self._ssh = SshProcess([*command, *ssh_command.remote_command(self._target, script)], _SILENCE_S)

    def _connect(self) -> dict[str, Any] | None:
        """Start the relay and return its greeting; None if our files are not there."""
        self._start(ssh_command.serve_script(self._target, self._version))
        received = b""
        while True:
            data = self._read_banner()
            received += data
            head, found, rest = (b"\n" + received).partition(b"\n" + frames.GREETING)
            if found and b"\n" in rest:
                line, _, tail = rest.partition(b"\n")
                if tail:
                    raise self._cut("it answered before it was asked")
                greeting: dict[str, Any] = json.loads(line)
                return greeting
            if not data and ssh_command.ABSENT in head:
                self._ssh.end(_PATIENCE_S)
                return None
            if not data or len(received) > _LONGEST_BANNER:
                raise self._refusal()

    def _read_banner(self) -> bytes:
        try:
            return self._ssh.read()
        except TimeoutError as error:
            raise self._cut(str(error)) from error

    def _stage(self, run_side: str) -> None:
        """Bring the run side there."""
        self._start(ssh_command.unpack_script(self._target, self._version))
        answer = b""
        try:
            self._ssh.write(_tar(run_side))
            self._ssh.close_input()
        except BrokenPipeError:
            pass  # it has something to say instead, or ended
        except TimeoutError as error:
            raise self._cut(str(error)) from error
        while data := self._read_banner():
            answer += data
        if ssh_command.OLD_PYTHON in answer:
            self._ssh.end(_PATIENCE_S)
            there = answer.partition(ssh_command.OLD_PYTHON)[2].split()[0].decode("ascii", "replace")
            raise ComputeTargetException(
                f"{self._target.python!r} on {self._target.name} is Python {there}; 3.7 is the oldest that runs",
                hint="give the target the path of a newer one there ('python')",
            )
        if ssh_command.STAGED not in answer:
            raise self._refusal()
        self._ssh.end(_PATIENCE_S)

    def _refusal(self) -> Exception:
        self._ssh.end(_PATIENCE_S)
        return ssh_command.refusal(self._target, self._ssh.code, self._ssh.complaint)


def _make_private(folder: str) -> None:
    """Make the folder of the control socket; whoever can open that socket can use the connection."""
    os.makedirs(folder, mode=0o700, exist_ok=True)
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise ComputeTargetException(
            f"the folder of the control socket, {folder!r}, is open to others", hint="remove it, or chmod 700"
        )


def _tar(folder: str) -> bytes:
    """Return a folder as a tar, without what Python compiled and without names of users here."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.add(folder, arcname=".", filter=_plain)
    return buffer.getvalue()


def _plain(item: tarfile.TarInfo) -> tarfile.TarInfo | None:
    item.uid = item.gid = 0
    item.uname = item.gname = ""
    return None if os.path.basename(item.name) == "__pycache__" else item
