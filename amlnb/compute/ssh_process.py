"""One running ssh: bytes to it and from it, each with a limit to the silence that is borne."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile

from amlnb.errors import ComputeTargetException


class SshProcess:
    """An ssh process and our ends of its pipes.

    Parameters
    ----------
    command
        The whole command line.
    silence_s
        Seconds without any byte after which a read or a write raises TimeoutError.

    Raises
    ------
    ComputeTargetException
        There is no ssh here.
    """

    def __init__(self, command: list[str], silence_s: float) -> None:
        self._silence_ms = silence_s * 1000
        # Not a pipe: ssh's master process keeps it open for as long as it lives.
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        theirs_in, self._in = os.pipe()
        self._out, theirs_out = os.pipe()
        try:
            self._process = subprocess.Popen(
                command, stdin=theirs_in, stdout=theirs_out, stderr=self._complaints, start_new_session=True
            )
        except FileNotFoundError as error:
            os.close(self._in)
            os.close(self._out)
            self._complaints.close()
            raise ComputeTargetException(
                "there is no program 'ssh' on this machine", hint="install the OpenSSH client"
            ) from error
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        os.set_blocking(self._in, False)
        self.code: int | None = None
        self.complaint = ""

    def read(self) -> bytes:
        """Return what came, at least one byte; b'' once nothing will come any more."""
        self._wait(self._out, select.POLLIN)
        return os.read(self._out, 1 << 18)

    def write(self, data: bytes) -> None:
        """Write all of ``data``; BrokenPipeError once nobody reads it."""
        view = memoryview(data)
        while view:
            self._wait(self._in, select.POLLOUT)
            try:
                view = view[os.write(self._in, view) :]
            except BlockingIOError:
                continue

    def close_input(self) -> None:
        """Let the far end see the end of its input."""
        if self._in >= 0:
            os.close(self._in)
            self._in = -1

    def end(self, patience_s: float = 0.0) -> None:
        """End ssh, after waiting so long for it to end by itself; then `code` and `complaint` tell how it went."""
        if self._out < 0:
            return
        self.close_input()
        os.close(self._out)
        self._out = -1
        try:
            self.code = self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._complaints.seek(0)
        self.complaint = self._complaints.read().decode("utf-8", "replace").strip()
        self._complaints.close()

    def _wait(self, descriptor: int, event: int) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(self._silence_ms):
            raise TimeoutError(f"nothing came for {self._silence_ms / 1000:.0f} s")
