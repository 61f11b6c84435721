"""Opening one file of a run, and nothing that is none of it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import Self

from amlnb.errors import UserErrorException
from amlnb.server.faults import NotThere
from amlnb.store.files import find_file


@dataclass(frozen=True)
class Opened:
    """An open file; used with `with`, which closes it."""

    descriptor: int
    size: int
    modified: float

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def read(self, first: int, length: int) -> bytes:
        """Bytes from a position on; fewer at the end of the file."""
        return os.pread(self.descriptor, length, first)


def opened(directory: str, name: str) -> Opened:
    """Open a file of a run.

    Parameters
    ----------
    directory
        The run directory.
    name
        The file's name among those of the run.

    Raises
    ------
    NotThere
        The run has no such file.
    UserErrorException
        It cannot be read.
    """
    path = find_file(directory, name)
    if path is None:
        raise NotThere(f"the run has no file {name[:300]!r}", hint="'files' tells those it has")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise UserErrorException(f"{name[:300]!r} cannot be read: {error.strerror}") from error
    found = os.fstat(descriptor)
    # What the path is may have changed since: what was opened counts.
    if not stat.S_ISREG(found.st_mode) or not _is_of(directory, path, found):
        os.close(descriptor)
        raise NotThere(f"{name[:300]!r} is no file of the run")
    return Opened(descriptor, found.st_size, found.st_mtime)


def _is_of(directory: str, path: str, found: os.stat_result) -> bool:
    real = os.path.realpath(path)
    if not real.startswith(os.path.realpath(directory) + os.sep):
        return False
    try:
        return os.path.samestat(found, os.lstat(real))
    except OSError:
        return False
