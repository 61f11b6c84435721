"""The numeric metrics of a running run: taken in as they are logged; read again only where their order changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from amlnb.core import metrics
from amlnb.specs.run_view import MetricSummary
from amlnb.store import series
from amlnb.store.fresh_rows import FreshRows, News
from amlnb.store.series import Series
from amlnb.store.summaries import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from amlnb.store.journals import WriterReader

_Part = tuple[str, int]  # a writer, and the id that it gave the metric
_EMPTY = Series(np.empty(0), np.empty(0), np.empty(0))


class Now(NamedTuple):
    """A curve at one moment, for readers in other threads.

    Attributes
    ----------
    generation
        How often its points were put into another order, or were replaced.
    points
        All of it: arrays that never change. Those of a later moment of this generation begin with the same points.
    """

    generation: int
    points: Series


class Curve:
    """One metric, in the order that :func:`amlnb.store.series.series` gives it.

    Attributes
    ----------
    name
        The metric.
    now
        What is there of it.
    parts
        Who logged under this name, ``{(writer, its id): role}``, whatever of it is in `points`.
    role
        The role whose points these are; None before anything was read.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.now = Now(0, _EMPTY)
        self.parts: dict[_Part, str] = {}
        self.role: str | None = None
        self._room = np.empty((3, 0))
        self._summary = Summary()

    @property
    def points(self) -> Series:
        """All of it now."""
        return self.now.points

    @property
    def summary(self) -> MetricSummary:
        """The metric in four numbers."""
        found = self._summary
        return MetricSummary(found.count, found.last, found.low, found.high)

    @property
    def plain(self) -> bool:
        """One writer alone has it, so that its first points are the same to whoever read them at any time."""
        return len(self.parts) == 1

    def replace(self, points: Series) -> None:
        """Take the whole of it anew; more of the same is no new generation."""
        before, count = self.points, len(self.points.value)
        same = len(points.value) >= count and all(
            np.array_equal(getattr(points, column)[:count], getattr(before, column), equal_nan=True)
            for column in ("step", "time", "value")
        )
        self.now = Now(self.now.generation + (not same), points)
        self._summary = Summary()
        self._summary.add(points.value)

    def append(self, step: NDArray[np.float64], time: NDArray[np.float64], value: NDArray[np.float64]) -> None:
        """Take points that come after all others; a step that is NaN is the position."""
        count, total = len(self.points.value), len(self.points.value) + len(value)
        missing = np.isnan(step)
        if missing.any():
            step = np.where(missing, np.arange(count, total, dtype=np.float64), step)
        if total > self._room.shape[1] or self.points.value.base is not self._room:
            room = np.empty((3, total + total // 2))
            room[:, :count] = self.points.step, self.points.time, self.points.value
            self._room = room
        for row, column in zip(self._room, (step, time, value), strict=True):
            row[count:total] = column
        self.now = Now(self.now.generation, Series(*self._room[:, :total]))
        self._summary.add(value)


class Curves:
    """The numeric metrics of a run, kept up to date from its writers.

    Attributes
    ----------
    told
        The curves that have a point, or had one until a lower rank logged none, in the order in which they were
        found; only ever appended to.
    """

    def __init__(self) -> None:
        self.told: list[Curve] = []
        self._curves: dict[str, Curve] = {}
        self._rows = FreshRows()

    def take(self, writers: Sequence[WriterReader]) -> bool:
        """Take what the writers have read since; True if there is anything new."""
        found = self._rows.take(writers)
        if not found:
            return False
        # New ones are told in their own order; to find it takes longer than all the rest where there are thousands.
        known = all(name in self._curves for name in found)
        for name in found if known else [name for name in series.names(writers) if name in found]:
            curve = self._curves.setdefault(name, Curve(name))
            begun = len(curve.points.value) > 0
            _take(curve, found[name], writers)
            if not begun and len(curve.points.value):
                self.told.append(curve)
        return True


def _take(curve: Curve, news: News, writers: Sequence[WriterReader]) -> None:
    added = [part for part in (*news.completed, *(each.part for each in news.fresh)) if part not in curve.parts]
    role, joined = curve.role, False
    if added:
        roles = {writer.base: writer.role for writer in writers}
        curve.parts.update({part: roles[part[0]] for part in added})
        role = min(curve.parts.values(), key=metrics.role_key)
        joined = any(curve.parts[part] == role for part in added)
    if not joined and not news.completed:
        ours = [series.decode(each.writer, each.rows) for each in news.fresh if each.writer.role == role]
        if not ours or _append(curve, ours):
            return
    curve.role = role
    if len(curve.parts) == len(added) == 1 and not news.completed:  # all there is was just read
        curve.replace(series.joined([series.decode(each.writer, each.rows) for each in news.fresh]))
    else:
        curve.replace(series.series(writers, curve.name))


def _append(curve: Curve, decoded: list[tuple[NDArray[np.float64], ...]]) -> bool:
    """Append points of the curve's writers; False if they belong elsewhere than at its end."""
    step, time, value = decoded[0]
    if len(decoded) > 1:
        step, time, value = (np.concatenate(columns) for columns in zip(*decoded, strict=True))
    if list(curve.parts.values()).count(curve.role or "") > 1 and len(value):
        # Of several writers they stand by time.
        order = np.argsort(time, kind="stable")
        step, time, value = step[order], time[order], value[order]
        if len(curve.points.time) and not time[0] > curve.points.time[-1]:
            return False
    if len(value):
        curve.append(step, time, value)
    return True
