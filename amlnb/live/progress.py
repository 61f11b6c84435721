"""How far a run is: as its script tells it, else as a progress bar in its log shows it. Pure."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from amlnb.core import coercion, states
from amlnb.specs.run_view import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amlnb.core.replay import RunFacts
    from amlnb.specs.run_view import LogLine
    from amlnb.store.journals import WriterReader

# A bar is written last; what a script says meanwhile stands above it.
_LINES = 3
_COUNTS = r"(?P<done>\d[\d.,]*)(?P<scale>[kMGTP]?)\w{0,8}/(?P<total>\d[\d.,]*)(?P<scale_of_total>[kMGTP]?)"
# tqdm: "epoch 3:  45%|####5     | 45/100 [00:12<00:14,  3.87it/s, loss=0.3]"
_TQDM = re.compile(rf"\d{{1,3}}%\|[^|]*\|\s*{_COUNTS}[^\[]{{0,20}}\[(?P<took>[\d:]+)<(?P<left>[\d:]+|\?)")
# Keras: "12/100 [==>......] - ETA: 12s - loss: 0.3", and from its third version "12/100 ━━━━━━ 1:23 10ms/step - loss"
_KERAS = re.compile(
    rf"^\s*{_COUNTS} (?:\[(?=[=>.]+\])[=>.]+\](?: - ETA: (?P<left>[\d:]+s?))?|[━╸╺]+\x20(?P<newer>[\d:]+s?)(?= ))"
)
_SCALES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_TEXT_LIMIT = 80
_BAR_LINES = 5
_COURIER = "courier"  # who tells how far the environment is


def run_progress(facts: RunFacts, writers: Iterable[WriterReader], lines: Sequence[LogLine]) -> Progress | None:
    """How far a run is, by what it has told and by the last lines of its log; None once it has ended."""
    if states.is_terminal(facts.state):
        return None
    prepares = facts.phase == states.PREPARING
    found = told_progress((writer.role, writer.progress) for writer in writers if (writer.role == _COURIER) == prepares)
    return found or shown_progress([line.text for line in lines[-_BAR_LINES:]])


def told_progress(told: Iterable[tuple[str, dict[str, Any] | None]]) -> Progress | None:
    """Read what scripts have told.

    Parameters
    ----------
    told
        (role, last progress event or None) of each writer. The lowest rank counts; of one rank, the latest.
    """
    found = [
        (int(role) if role.isdecimal() else math.inf, -(coercion.unix_time(event.get("time")) or 0.0), progress)
        for role, event in told
        if event is not None and (progress := _of_event(event)) is not None
    ]
    return min(found, key=lambda each: each[:2])[2] if found else None


def _of_event(event: dict[str, Any]) -> Progress | None:
    done, total = _number(event.get("done")), _number(event.get("total"))
    if done is None or total is None:
        return None
    begun, took = _number(event.get("begun")), _number(event.get("took"))
    left_s = None
    if begun is not None and took is not None and done > begun:
        left_s = max(0.0, (total - done) * (took / (done - begun)))
    return Progress(done, total, coercion.text(event.get("text")), left_s)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 <= value < 1e300 else None


def shown_progress(lines: Sequence[str]) -> Progress | None:
    """Read a progress bar, tqdm's or Keras's, in the last lines of a log; the last one counts.

    One that is full counts only on the last line: what comes below it is of the next thing. Where another bar stands
    directly above it, that one counts: it is around this one.
    """
    for number in range(len(lines) - 1, max(-1, len(lines) - 1 - _LINES), -1):
        progress = _of_line(lines[number], lines[number - 1] if number else "")
        if progress is None:
            continue
        around = _of_line(lines[number - 1], "") if number else None
        if around is not None and around.done < around.total and _which(around) != _which(progress):
            return around
        return progress if progress.done < progress.total or number == len(lines) - 1 else None
    return None


def _which(progress: Progress) -> tuple[str | None, float]:
    return progress.text, progress.total


def _of_line(line: str, before: str) -> Progress | None:
    found = _TQDM.search(line) if "%|" in line else None
    if found is not None:
        text, left = line[: found.start()].strip().rstrip(":"), found["left"]
    else:
        found = _KERAS.match(line) if "/" in line[:40] else None
        if found is None:
            return None
        text, left = before.strip() if before.startswith("Epoch ") else "", found["left"] or found["newer"] or ""
    done = _count(found["done"], found["scale"])
    total = _count(found["total"], found["scale_of_total"])
    if done is None or total is None:
        return None
    return Progress(done, total, text[:_TEXT_LIMIT] or None, _seconds(left) if done < total else 0.0)


def _count(text: str, scale: str) -> float | None:
    try:
        number = float(text.replace(",", "")) * _SCALES[scale]
    except ValueError:
        return None
    return number if number < 1e300 else None


def _seconds(text: str) -> float | None:
    """``00:14``, ``1:02:03`` or ``12s``."""
    parts = text.rstrip("s").split(":")
    if not all(part.isdecimal() and len(part) <= 6 for part in parts):
        return None
    seconds = 0.0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return seconds
