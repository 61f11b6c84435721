"""What is printed inside of ``with run:`` is kept with the run as well, as ``logs/user_log.txt``.

Standard library only, Python 3.7+.
"""

from __future__ import annotations

import os
import sys

from amlnb.core import layout
from amlnb.tracking import faults

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List

_LOGS = "logs"


class Console:
    """Copies stdout and stderr from :meth:`start` to :meth:`stop`.

    Parameters
    ----------
    run_directory
        The run whose log they go to; ``./logs/user_log.txt`` is appended to as well, as v1 did.
    """

    name = "user_log.txt"

    def __init__(self, run_directory: str) -> None:
        self._run_directory = run_directory
        self._folders = [os.path.abspath(_LOGS), os.path.join(run_directory, layout.WORK, _LOGS)]
        self._files: List[int] = []
        self._tees: List[_Tee] = []

    @property
    def folder(self) -> str:
        """The ``./logs`` of when it was started."""
        return self._folders[0]

    def start(self) -> None:
        """Begin to copy; where nothing can be written, training goes on without."""
        for folder in self._folders:
            path = os.path.join(folder, self.name)
            # A run directory that was deleted, or could not be made yet, is not made here.
            if folder == self._folders[1] and not os.path.isdir(self._run_directory):
                continue
            try:
                os.makedirs(folder, exist_ok=True)
                self._files.append(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666))
            except OSError as error:
                faults.tell_once(path, error)
        self._tees = [_Tee(stream, self.write) for stream in (sys.stdout, sys.stderr)]
        sys.stdout, sys.stderr = self._tees

    def write(self, text: str) -> None:
        """Add to the log alone."""
        data = text.encode("utf-8", "backslashreplace")
        for file in self._files:
            try:
                os.write(file, data)
            except OSError as error:
                faults.tell_once(self._run_directory, error)

    def stop(self) -> None:
        """Let stdout and stderr be what they were, unless somebody has replaced them since."""
        if sys.stdout is self._tees[0]:
            sys.stdout = self._tees[0].stream
        if sys.stderr is self._tees[1]:
            sys.stderr = self._tees[1].stream
        files, self._files = self._files, []
        for file in files:
            os.close(file)


class _Tee:
    """A stream whose text goes to a second place too."""

    def __init__(self, stream: Any, write: Any) -> None:
        self.stream = stream
        self._write = write

    def write(self, text: str) -> Any:
        written = self.stream.write(text)
        self._write(text)
        return written

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
