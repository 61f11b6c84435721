"""Copying a run's log from an offset in pieces, however long it is; of a build's log the steps alone."""

from __future__ import annotations

import codecs
import os
import re
import sys
from typing import BinaryIO

from amlnb.cli.output import emit

_CHUNK_BYTES = 1 << 20
_TAIL_BLOCK_BYTES = 1 << 16
# The lines of a build's log (`amlnb.environments.program.StatusLog`) that are no tool's own.
_STEP = re.compile(rb"\d\d:\d\d:\d\d  ")
_FAILED = b"failed: "


class LogCopy:
    """Copies a growing log to a stream, byte by byte as it is.

    Parameters
    ----------
    path
        The log; it need not be there yet.
    out
        Where to.
    offset
        Where to begin, in bytes.
    """

    def __init__(self, path: str, out: BinaryIO, offset: int = 0) -> None:
        self._pieces = _Pieces(path, offset)
        self._out = out

    def copy_new(self) -> None:
        """Copy what has come since; at most a megabyte is in memory."""
        while data := self._pieces.read():
            self._out.write(data)
            self._out.flush()


class StepsCopy:
    """Copies the steps and the error of a growing build log; the thousands of lines of uv and compilers stay there.

    Parameters
    ----------
    path, out
        As for `LogCopy`.
    where
        Written once, before the first line that is left out would come: where all of them are.
    """

    def __init__(self, path: str, out: BinaryIO, where: str) -> None:
        self._pieces = _Pieces(path, 0)
        self._out = out
        self._where: bytes | None = where.encode()
        self._rest = b""
        self._failed = False

    def copy_new(self) -> None:
        """Copy the whole lines that have come since."""
        while data := self._pieces.read():
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._copy(line + b"\n")
        self._out.flush()

    def _copy(self, line: bytes) -> None:
        self._failed = self._failed or line.startswith(_FAILED)
        if self._failed or _STEP.match(line):
            self._out.write(line)
        elif self._where is not None and line.strip():
            self._out.write(self._where + b"\n")
            self._where = None


class JsonLogCopy:
    """Prints a growing log as objects ``{"offset", "text"}``, one a line; their texts together are the log."""

    def __init__(self, path: str, offset: int = 0) -> None:
        self._pieces = _Pieces(path, offset)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def copy_new(self) -> None:
        """Print what has come since."""
        offset = self._pieces.offset
        while data := self._pieces.read():
            emit({"offset": offset, "text": self._decoder.decode(data)})
            sys.stdout.flush()
            offset = self._pieces.offset


class _Pieces:
    def __init__(self, path: str, offset: int) -> None:
        self._path = path
        self.offset = offset

    def read(self) -> bytes:
        from amlnb.store.plain_files import read_from

        data = read_from(self._path, self.offset, _CHUNK_BYTES)
        self.offset += len(data)
        return data


def tail_offset(path: str, lines: int) -> int:
    """Offset at which the last lines of a file begin, found from its end; 0 if it has no more, or is not there."""
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below; a missing file is no error
    except FileNotFoundError:
        return 0
    with file:
        size = at = file.seek(0, os.SEEK_END)
        if lines == 0:
            return size
        # The newline that ends the last line begins no other one.
        left = lines
        while at > 0:
            start = max(0, at - _TAIL_BLOCK_BYTES)
            file.seek(start)
            block = file.read(at - start)
            end = len(block) - (at == size and block.endswith(b"\n"))
            while (found := block.rfind(b"\n", 0, end)) >= 0:
                left -= 1
                if left == 0:
                    return start + found + 1
                end = found
            at = start
    return 0
