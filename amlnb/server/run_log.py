"""Logs of a run by byte ranges: whole lines as a terminal shows them, and a search, however long the file is."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from amlnb.core import layout
from amlnb.errors import UserErrorException
from amlnb.live.log_tail import folded_bars
from amlnb.live.terminal import PLAIN, style_after, terminal_line
from amlnb.server.routes import Answer
from amlnb.server.run_file import Opened, opened
from amlnb.store.files import find_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amlnb.server.content_contract import LogLine, LogMatches, LogPart, LogStyle
    from amlnb.server.served import Served
    from amlnb.specs.run_view import TextStyle

FORWARD, BACKWARD = "forward", "backward"
_LINES = 5000
# Where a line is longer, its end is what is shown of it, and it is cut into such lines.
_LONGEST_LINE = 1 << 16
_BEFORE = 1 << 14  # so far before the first line its colours are looked for
_SEARCHED = 1 << 25
_BLOCK = 1 << 20


def log(served: Served, values: dict[str, Any]) -> Answer:
    """Lines of a log."""
    directory = served.run_directory(values["workspace"], values["run"])
    name = values["file"]
    if find_file(directory, name) is None and name in (layout.USER_LOG, layout.BUILD_LOG):
        empty: LogPart = {"file": name, "size": 0, "from": 0, "to": 0, "lines": []}  # nothing was written yet
        return Answer(empty)
    with opened(directory, name) as file:
        first = _clipped(values["from"], file.size, values["direction"])
        if values["direction"] == FORWARD:
            begin = line_start(file, first)
            lines = list(islice(_lines(file, begin, min(file.size, first + values["bytes"])), _LINES))
            end = lines[-1].next if lines else begin
        else:
            begin = 0 if first <= values["bytes"] else line_start(file, first - values["bytes"], after=True)
            begin = min(begin, line_start(file, max(0, first - 1)))
            lines = list(_lines(file, _last(file, begin, first), first))
            end = first
        begin = lines[0].at if lines else end
        told: LogPart = {
            "file": name,
            "size": file.size,
            "from": begin,
            "to": end,
            "lines": _shown(file, begin, lines),
        }
    return Answer(told)


def search(served: Served, values: dict[str, Any]) -> Answer:
    """Lines of a log that hold a text, whatever its case; looks at 32 MB a request."""
    directory = served.run_directory(values["workspace"], values["run"])
    wanted, limit = values["text"].encode().lower(), values["limit"]
    if not wanted:
        raise UserErrorException("no text is given to search for", hint="give at least one character as 'text'")
    backward = values["direction"] == BACKWARD
    with opened(directory, values["file"]) as file:
        first = _clipped(values["from"], file.size, values["direction"])
        found: list[int] = []
        following: int | None = None
        for at, next_at in _hits(file, wanted, first, backward=backward):
            if at is not None:
                begin = line_start(file, at)
                if not found or found[-1] != begin:
                    found.append(begin)
            following = next_at
            if len(found) >= limit:
                break
        told: LogMatches = {
            "matches": [{"at": at, "line": _one(file, at)} for at in found],
            "next": following if following is not None and 0 < following < file.size else None,
        }
    return Answer(told)


def line_start(file: Opened, at: int, *, after: bool = False) -> int:
    """Where the line begins that holds a byte; with ``after`` the next one that begins there or behind."""
    if after:
        data = file.read(max(0, at - 1), _LONGEST_LINE)
        found = data.find(b"\n")
        return at if found < 0 else max(0, at - 1) + found + 1
    first = max(0, at - _LONGEST_LINE)
    found = file.read(first, at - first).rfind(b"\n")
    return first + found + 1 if found >= 0 else first


def _clipped(at: int | None, size: int, direction: str) -> int:
    """A position within the file; without one its beginning, or backward its end."""
    if at is None:
        return 0 if direction == FORWARD else size
    return min(at, size)


def _last(file: Opened, begin: int, end: int) -> int:
    """Where the last lines of [begin, end) begin, of which there are no more than one answer holds."""
    data = file.read(begin, end - begin)
    at = len(data)
    for _ in range(_LINES):
        at = data.rfind(b"\n", 0, max(0, at - 1))
        if at < 0:
            return begin
        at += 1
    return begin + at


class _Raw(NamedTuple):
    """A line of a file, without its break; the byte at which it begins, and that of the next one."""

    at: int
    next: int
    data: bytes


def _lines(file: Opened, begin: int, end: int) -> Iterator[_Raw]:
    """Lines that begin in [begin, end), each whole but for those that are too long."""
    data = folded_bars(file.read(begin, max(0, end - begin) + _LONGEST_LINE))
    at = 0
    while begin + at < end and at < len(data):
        found = data.find(b"\n", at, at + _LONGEST_LINE)
        stop = min(len(data), at + _LONGEST_LINE) if found < 0 else found
        following = stop + (found >= 0)
        yield _Raw(begin + at, begin + following, data[at:stop])
        at = following


def _shown(file: Opened, begin: int, lines: list[_Raw]) -> list[LogLine]:
    before = max(0, begin - _BEFORE)
    style = style_after(file.read(before, begin - before).decode("utf-8", errors="replace")) if begin else PLAIN
    shown: list[LogLine] = []
    for raw in lines:
        line, style = terminal_line(raw.data.decode("utf-8", errors="replace"), style)
        shown.append({"at": raw.at, "text": line.text, "styles": [(a, b, _style(each)) for a, b, each in line.styles]})
    return shown


def _one(file: Opened, at: int) -> LogLine:
    return _shown(file, at, list(_lines(file, at, at + 1)))[0]


def _style(style: TextStyle) -> LogStyle:
    told: Any = {}
    for name in ("colour", "ground"):
        colour = getattr(style, name)
        if colour is not None:
            told[name] = list(colour) if isinstance(colour, tuple) else colour
    told |= {name: True for name in ("bold", "dim", "italic", "underline", "inverse") if getattr(style, name)}
    found: LogStyle = told
    return found


def _hits(file: Opened, wanted: bytes, first: int, *, backward: bool) -> Iterator[tuple[int | None, int]]:
    """(place of a hit or None, where to go on), in the order of the search, for so many bytes."""
    at, looked = first, 0
    while looked < _SEARCHED and (at > 0 if backward else at < file.size):
        low = max(0, at - _BLOCK) if backward else at
        high = at if backward else min(file.size, at + _BLOCK)
        # A text that lies over the border of two blocks begins in this one.
        data = file.read(low, high - low + len(wanted) - 1).lower()
        places = _places(data, wanted, high - low)
        for place in reversed(places) if backward else places:
            hit = low + place
            yield hit, line_start(file, hit) if backward else _after(file, hit)
        at = low if backward else high
        looked += high - low
        yield None, at


def _places(data: bytes, wanted: bytes, end: int) -> list[int]:
    """Where a text begins in a block: once a line."""
    found, at = [], data.find(wanted)
    while 0 <= at < end:
        found.append(at)
        line_end = data.find(b"\n", at)
        at = data.find(wanted, line_end) if line_end >= 0 else -1
    return found


def _after(file: Opened, at: int) -> int:
    """Where the line behind the one that holds a byte begins."""
    found = file.read(at, _LONGEST_LINE).find(b"\n")
    return min(file.size, at + (_LONGEST_LINE if found < 0 else found + 1))
