"""The last lines of a log as a terminal would show them."""

from __future__ import annotations

import os
import re

from amlnb.live.terminal import style_after, terminal_line
from amlnb.specs.run_view import LogLine

_BLOCK = 16384
_COUNTED_AT_ONCE = 1024 * 1024
# Up and down again, as bars inside of bars do at every step: back to the start of the line that was left.
_UP_AND_DOWN = re.compile(rb"((?:\x1b\[A)+)(\n+)")


class LogTail:
    """Last lines of a growing file, read from the end; a poll of a file that has not grown costs one ``stat``.

    Parameters
    ----------
    path
        The log; it need not exist yet.
    lines
        How many to show.
    """

    def __init__(self, path: str, lines: int) -> None:
        self._path = path
        self._count = lines
        self._size = -1
        self._lines: tuple[LogLine, ...] = ()
        # Line breaks before an offset; None once there was too much to count.
        self._breaks: int | None = 0
        self._counted = 0
        self._earlier: int | None = 0

    def poll(self) -> bool:
        """Look at the file; True if `lines` changed."""
        try:
            size = os.stat(self._path).st_size
        except OSError:
            return False
        if size == self._size:
            return False
        before, self._size = self._lines, size
        self._lines = self._read(size)
        return self._lines != before

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """The last lines, oldest first; a progress bar is one line."""
        return self._lines

    @property
    def earlier(self) -> int | None:
        """How many lines there are before `lines`; None if the file has grown too fast to count them."""
        return self._earlier

    def _read(self, size: int) -> tuple[LogLine, ...]:
        start = max(0, size - _BLOCK)
        with open(self._path, "rb", buffering=0) as file:
            self._count_breaks(file.fileno(), start)
            data = os.pread(file.fileno(), _BLOCK, start)
        lines = folded_bars(data).split(b"\n")
        breaks = 0
        if lines and not lines[-1]:
            lines.pop()
        if start and len(lines) > 1:
            lines = lines[1:]  # its beginning was not read
            breaks = 1
        left_out = max(0, len(lines) - self._count)
        self._earlier = None if self._breaks is None else self._breaks + breaks + left_out
        shown, style = [], style_after(b"\n".join(lines[: -self._count]).decode("utf-8", errors="replace"))
        for raw in lines[-self._count :]:
            line, style = terminal_line(raw.decode("utf-8", errors="replace"), style)
            shown.append(line)
        return tuple(shown)

    def _count_breaks(self, descriptor: int, end: int) -> None:
        """Count the lines that end before an offset, as far as that is new and little."""
        if self._breaks is None:
            return
        if end - self._counted > _COUNTED_AT_ONCE or end < self._counted:
            self._breaks = None
            return
        while self._counted < end:
            data = os.pread(descriptor, end - self._counted, self._counted)
            if not data:
                return
            self._breaks += data.count(b"\n")
            self._counted += len(data)


def folded_bars(data: bytes) -> bytes:
    """Write steps of bars inside of bars as carriage returns; no byte changes its place but those of the steps."""
    return _UP_AND_DOWN.sub(_same_line, data)


def _same_line(found: re.Match[bytes]) -> bytes:
    up, down = found[1].count(b"A"), len(found[2])
    pairs = min(up, down)
    return b"\x1b[A" * (up - pairs) + b"\r" * (4 * pairs) + b"\n" * (down - pairs)
