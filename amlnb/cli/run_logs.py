"""``amlnb run logs``: a run's log, copied from an offset in pieces, however long it is."""

from __future__ import annotations

import codecs
import os
import sys
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from amlnb.cli.output import Json, emit, note
from amlnb.cli.run_names import RunName, find_run
from amlnb.core import layout

if TYPE_CHECKING:
    from amlnb.store.run_reader import RunReader

_CHUNK_BYTES = 1 << 20
_TAIL_BLOCK_BYTES = 1 << 16


def logs(
    run: RunName,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", min=0, metavar="LINES", help="Begin with the last lines only.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the log of a run.

    Stdout and stderr of its script, in the order of their writing. Ctrl-C ends the following only; the run goes on.
    """
    from amlnb.api.workspace import Workspace
    from amlnb.store.run_reader import RunReader

    found = find_run(Workspace.from_config(), run)
    path = os.path.join(found.directory, layout.USER_LOG)
    offset = 0 if tail is None else tail_offset(path, tail)
    log = JsonLogCopy(found.directory, offset) if as_json else LogCopy(found.directory, sys.stdout.buffer, offset)
    if follow:
        _follow(RunReader(found.directory), log)
        return
    log.copy_new()
    if not os.path.exists(path):
        note(f"the run {found.id} has no log yet: it is {found.state}" if not found.ended else "the run has no log")


def _follow(reader: RunReader, log: LogCopy | JsonLogCopy) -> None:
    from amlnb.cli.run_wait import detached, ending
    from amlnb.engine.follow import until_ended

    try:
        for _ in until_ended(reader):
            log.copy_new()
    except KeyboardInterrupt:
        detached(reader.id)
    note(ending(reader.id, reader.facts()))


class LogCopy:
    """Copies a growing log to a stream, byte by byte as it is.

    Parameters
    ----------
    directory
        The run directory; the log need not be there yet.
    out
        Where to.
    offset
        Where to begin, in bytes.
    """

    def __init__(self, directory: str, out: BinaryIO, offset: int = 0) -> None:
        self._pieces = _Pieces(directory, offset)
        self._out = out

    def copy_new(self) -> None:
        """Copy what has come since; at most a megabyte is in memory."""
        while data := self._pieces.read():
            self._out.write(data)
            self._out.flush()


class JsonLogCopy:
    """Prints a growing log as objects ``{"offset", "text"}``, one a line; their texts together are the log."""

    def __init__(self, directory: str, offset: int = 0) -> None:
        self._pieces = _Pieces(directory, offset)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def copy_new(self) -> None:
        """Print what has come since."""
        offset = self._pieces.offset
        while data := self._pieces.read():
            emit({"offset": offset, "text": self._decoder.decode(data)})
            sys.stdout.flush()
            offset = self._pieces.offset


class _Pieces:
    def __init__(self, directory: str, offset: int) -> None:
        self._path = os.path.join(directory, layout.USER_LOG)
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
