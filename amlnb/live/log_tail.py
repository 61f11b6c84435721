"""The last lines of a log as a terminal would show them."""

from __future__ import annotations

import os
import re

# Control sequences (CSI, OSC and two-character escapes) and the control characters that are no text.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_a-z])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BLOCK = 16384
_LINE_LIMIT = 500


def plain_line(raw: str) -> str:
    """Show one line as a terminal leaves it.

    What a carriage return or a backspace goes back over is overwritten, colours are dropped.

    Longer than 500 characters, it is cut with an ellipsis.
    """
    text = _ESCAPES.sub("", raw)
    shown = _CONTROLS.sub("", _overwritten(text).expandtabs(4))
    return shown if len(shown) <= _LINE_LIMIT else shown[: _LINE_LIMIT - 1] + "…"


def _overwritten(text: str) -> str:
    """Play the moves of a cursor: to the start of the line, and one character back."""
    if "\r" not in text and "\b" not in text:
        return text
    shown: list[str] = []
    column = 0
    for character in text:
        if character == "\r":
            column = 0
        elif character == "\b":
            column = max(0, column - 1)
        else:
            shown[column : column + 1] = [character]
            column += 1
    return "".join(shown)


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
        self._lines: tuple[str, ...] = ()

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
    def lines(self) -> tuple[str, ...]:
        """The last lines, oldest first; a progress bar is one line."""
        return self._lines

    def _read(self, size: int) -> tuple[str, ...]:
        start = max(0, size - _BLOCK)
        with open(self._path, "rb", buffering=0) as file:
            file.seek(start)
            data = file.read(_BLOCK)
        text = data.decode("utf-8", errors="replace")
        lines = text.split("\n")
        if start and len(lines) > 1:
            lines = lines[1:]  # its beginning was not read
        if lines and not lines[-1]:
            lines.pop()
        return tuple(plain_line(line) for line in lines[-self._count :])
