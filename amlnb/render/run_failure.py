"""What a failed run shows of its failure: the traceback's end, and the local values where it happened. Pure."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amlnb.core import coercion, states
from amlnb.render.formatting import one_line
from amlnb.specs.run_view import LogLine

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amlnb.specs.run_view import RunView

# The file of a frame whose lines are those of a notebook's cell.
THE_CELL = "the cell"
TRACEBACK_LIMIT = 16
LOCALS_LIMIT = 12
_LINES_BEFORE = 4
_OTHERS = re.compile(r"[/\\](?:site-packages|dist-packages)[/\\]|[/\\]lib(?:64)?[/\\]python3[\d.t]*[/\\]|^<")
_BEGIN = "Traceback (most recent call last):"
_FRAME = re.compile(r'  File "([^"]*)", line \d+')
_LEFT_OUT = LogLine("  …")


@dataclass(frozen=True)
class Local:
    """A local value: its name, its type with shape or length, and the value itself if it is a number, a dict's keys."""

    name: str
    kind: str
    value: str


@dataclass(frozen=True)
class FailedFrame:
    """A place of the failure in the user's own code.

    Attributes
    ----------
    where
        ``in loss(), line 7 of the cell``, or ``at train.py, line 12``.
    hidden
        How many local values are left out.
    """

    where: str
    values: tuple[Local, ...]
    hidden: int


def traceback_lines(view: RunView) -> tuple[LogLine, ...]:
    """Return the last traceback in the log's tail of a failed run, with up to 4 lines before it.

    At most 16 lines: of a longer traceback the frames of libraries are left out, but for the last one. Nothing if
    there is none.
    """
    if view.state != states.FAILED:
        return ()
    begins = [number for number, line in enumerate(view.log_tail) if line.text.endswith(_BEGIN)]
    if not begins:
        return ()
    lines = view.log_tail[begins[-1] :]
    if len(lines) <= TRACEBACK_LIMIT:
        before = min(begins[-1], _LINES_BEFORE, TRACEBACK_LIMIT - len(lines))
        return view.log_tail[begins[-1] - before :]
    return _shortened(lines)


def _shortened(lines: Sequence[LogLine]) -> tuple[LogLine, ...]:
    """Keep the person's own frames of a traceback, the last one, and what follows them."""
    starts = [number for number, line in enumerate(lines) if _FRAME.match(line.text)]
    if not starts:
        return lines[0], _LEFT_OUT, *lines[len(lines) - TRACEBACK_LIMIT + 2 :]
    last = starts[-1] + 1
    while last < len(lines) and lines[last].text[:1] in ("", " "):
        last += 1
    kept: list[LogLine] = [lines[0]]
    for start, end in zip(starts, [*starts[1:], last], strict=True):
        file = _FRAME.match(lines[start].text)
        if start == starts[-1] or (file and not _OTHERS.search(file[1])):
            kept += lines[start:end]
        elif kept[-1] is not _LEFT_OUT:
            kept.append(_LEFT_OUT)
    kept += lines[last:]
    if len(kept) <= TRACEBACK_LIMIT:
        return tuple(kept)
    return (*kept[: TRACEBACK_LIMIT // 2], _LEFT_OUT, *kept[len(kept) - TRACEBACK_LIMIT // 2 + 1 :])


def failed_frames(view: RunView) -> list[FailedFrame]:
    """Where a failed run's own code stood: the innermost place, and the outermost if that is another one."""
    details = coercion.mapping((view.error or {}).get("details"))
    frames = [coercion.mapping(frame) for frame in coercion.items(details.get("frames"))]
    own = [frame for frame in frames if is_own(frame)] or frames[-1:]
    found: list[FailedFrame] = []
    room = LOCALS_LIMIT
    for frame in dict.fromkeys((len(own) - 1, 0)) if own else ():
        values = [local_value(coercion.mapping(local)) for local in coercion.items(own[frame].get("locals"))]
        shown = values[-room:] if room else []  # what was made last tells most
        if shown:
            found.append(FailedFrame(_where(own[frame]), tuple(shown), len(values) - len(shown)))
            room -= len(shown)
    return found


def _where(frame: dict[str, Any]) -> str:
    file, line = str(frame.get("file") or "?"), coercion.scalar_text(frame.get("line")) or "?"
    place = f"line {line} of the cell" if file == THE_CELL else f"{os.path.basename(file)}, line {line}"
    function = str(frame.get("function") or "")
    return one_line(f"at {place}" if function in ("", "<module>") else f"in {function}(), {place}", 80)


def is_own(frame: Mapping[str, Any]) -> bool:
    """Whether a frame of a failure is of the person's own code, and of no library's."""
    return not _OTHERS.search(str(frame.get("file")))


def local_value(told: Mapping[str, Any]) -> Local:
    """A local value of a frame, as it was told, in short texts."""
    kind = str(told.get("type") or "?")
    shape, length = told.get("shape"), told.get("length")
    if isinstance(shape, list):
        kind += f" ({', '.join(str(n) for n in shape[:8])}{',' if len(shape) == 1 else ''})"
    if told.get("dtype"):
        kind += f" {told['dtype']}"
    if isinstance(length, int):
        kind += f" of {length:,}"
    value = one_line(str(told.get("value") or ""), 40) or keys_text(told)
    return Local(one_line(str(told.get("name")), 40), one_line(kind, 60), value)


def keys_text(told: Mapping[str, Any]) -> str:
    """The first keys of a local value that is a dict, as one line; empty if none were told."""
    keys, length = coercion.texts(told.get("keys")), told.get("length")
    if not keys:
        return ""
    more = ", …" if isinstance(length, int) and length > len(keys) else ""
    return one_line(f"keys {', '.join(keys)}", 80) + more
