"""What is printed inside of ``with run:`` is kept with the run as well, as ``logs/user_log.txt``.

Standard library only, Python 3.7+.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock, get_ident

from amlnb.core import layout
from amlnb.tracking import faults

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List

_LOGS = "logs"
_STREAMS = ("stdout", "stderr")
# Consoles that copy now, in this process; and who changes or uses one, its files included.
_running: List[Console] = []
# Never given up: a thread that prints at the moment of a change may hold one without a reference of its own.
_tees: List[_Tee] = []
_lock = RLock()
# A child that is forked finds it free, and what it guards as it was between two writes.
os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class Console:
    """Copies stdout and stderr from :meth:`start` to :meth:`stop`; several may at a time.

    Parameters
    ----------
    run_directory
        The run whose log they go to; ``./logs/user_log.txt`` is appended to as well, as v1 did.
    """

    name = "user_log.txt"

    def __init__(self, run_directory: str) -> None:
        self._run_directory = run_directory
        self._folders = [os.path.join(run_directory, layout.WORK, _LOGS)]
        try:
            self._folders.insert(0, os.path.abspath(_LOGS))
        except OSError as error:  # the working directory is gone
            faults.tell_once(_LOGS, error)
        self._files: List[int] = []
        self._is_faulty = False

    @property
    def folder(self) -> str:
        """The ``./logs`` of when it was made."""
        return self._folders[0]

    def start(self) -> None:
        """Begin to copy; where nothing can be written, training goes on without."""
        for folder in self._folders:
            path = os.path.join(folder, self.name)
            # A run directory that was deleted, or could not be made yet, is not made here.
            if folder == self._folders[-1] and not os.path.isdir(self._run_directory):
                continue
            try:
                os.makedirs(folder, exist_ok=True)
                self._files.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666))
            except OSError as error:
                self._tell(error)
        with _lock:
            _running.append(self)
            for name in _STREAMS:
                stream = getattr(sys, name)
                # A process may have none; and one tee serves all.
                if stream is not None and not isinstance(stream, _Tee):
                    setattr(sys, name, _tee_of(stream))

    def write(self, text: str) -> None:
        """Add to the log alone."""
        data = text.encode("utf-8", "backslashreplace")
        with _lock:
            for file in self._files:
                try:
                    _write_whole(file, data)
                except OSError as error:
                    self._tell(error)

    def stop(self) -> None:
        """Copy no more; after the last one stdout and stderr are what they were, unless somebody has replaced them."""
        with _lock:
            if self in _running:
                _running.remove(self)
            files, self._files = self._files, []
            for file in files:
                os.close(file)
            for name in _STREAMS:
                stream = getattr(sys, name)
                if not _running and isinstance(stream, _Tee):
                    setattr(sys, name, stream.stream)

    def _tell(self, error: OSError) -> None:
        if not self._is_faulty:
            self._is_faulty = True
            faults.tell(
                f"amlnb: part of what is printed is missing in {self.name!r} of the run ({error.strerror or error})\n"
                "hint: free some space or make the folder writable; it is printed all the same\n"
            )


class _Tee:
    """A stream whose text goes to all that copy, too."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> Any:
        written = self.stream.write(text)
        if get_ident() in faults.telling:
            return written  # our own words, of a fault that the log may have as well
        for console in _running:
            console.write(text)
        return written

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name == "stream":  # of a copy that is being made
            raise AttributeError(name)
        return getattr(self.stream, name)


def _tee_of(stream: Any) -> _Tee:
    for tee in _tees:
        if tee.stream is stream:
            return tee
    _tees.append(_Tee(stream))
    return _tees[-1]


def _write_whole(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]
