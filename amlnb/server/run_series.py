"""Curves of a run, as frames: what lies within a range, in no more points than a page has columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from amlnb.errors import UserErrorException
from amlnb.live.downsample import downsample
from amlnb.live.series_frames import SeriesFrame, encode_frames
from amlnb.server.routes import FRAMES, Answer
from amlnb.store.series import Series

if TYPE_CHECKING:
    from amlnb.server.served import Served

_NAMES = 50


def series(served: Served, values: dict[str, Any]) -> Answer:
    """Frames of metrics, in the order of their names."""
    names = values["name"]
    if not 0 < len(names) <= _NAMES:
        raise UserErrorException(f"{len(names)} names are given", hint=f"give 1 to {_NAMES} names of metrics")
    low, high = values["low"], values["high"]
    if low is not None and high is not None and low > high:
        raise UserErrorException(f"'low' is {low!r}, above 'high', {high!r}", hint="give the lower one as 'low'")
    directory = served.run_directory(values["workspace"], values["run"])
    if values["system"]:
        sampled = served.readers.of(directory).system_series()
        found = [sampled.get(name, _EMPTY) for name in names]
    else:
        found = [served.readers.series(directory, name) for name in names]
    frames = [_frame(at, points, values["axis"], low, high, values["points"]) for at, points in enumerate(found)]
    return Answer(data=encode_frames(frames), content_type=FRAMES)


_EMPTY = Series(np.empty(0), np.empty(0), np.empty(0))


def _frame(metric: int, whole: Series, axis: str, low: float | None, high: float | None, points: int) -> SeriesFrame:
    first, last = _range(whole.step if axis == "step" else whole.time, low, high)
    kept = downsample(whole.value[first:last], points) + first
    return SeriesFrame(
        sub=0,
        metric=metric,
        first=first,
        total=len(whole.value),
        step=whole.step[kept],
        time=whole.time[kept],
        value=whole.value[kept],
        replaces=True,
        sampled=len(kept) < last - first,
    )


def _range(x: np.ndarray[Any, np.dtype[np.float64]], low: float | None, high: float | None) -> tuple[int, int]:
    """Positions from the last point before `low` to the first one behind `high`."""
    if not len(x) or (low is None and high is None):
        return 0, len(x)
    within = np.ones(len(x), bool) if low is None else x >= low
    if high is not None:
        within &= x <= high
    inside = np.flatnonzero(within)
    if not len(inside):
        at = int(np.searchsorted(x, low if low is not None else high or 0.0))
        return max(0, at - 1), min(len(x), at + 1)
    return max(0, int(inside[0]) - 1), min(len(x), int(inside[-1]) + 2)
