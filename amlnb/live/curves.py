"""The numeric metrics of a running run: taken in as they are logged; read again only where their order changes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from amlnb.core import metrics, records
from amlnb.specs.run_view import MetricSummary
from amlnb.store import series
from amlnb.store.series import Series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from amlnb.store.journals import Columns, WriterReader

_Part = tuple[str, int]  # a writer, and the id that it gave the metric
_Fresh = list[tuple["WriterReader", int, "Columns"]]  # new rows: the writer, its id
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
        self._low, self._high = math.inf, -math.inf

    @property
    def points(self) -> Series:
        """All of it now."""
        return self.now.points

    @property
    def summary(self) -> MetricSummary:
        """The metric in four numbers."""
        value = self.points.value
        low, high = (self._low, self._high) if self._low <= self._high else (math.nan, math.nan)
        return MetricSummary(len(value), float(value[-1]) if len(value) else math.nan, low, high)

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
        self._low, self._high = math.inf, -math.inf
        self._measure(points.value)

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
        self._room[:, count:total] = step, time, value
        self.now = Now(self.now.generation, Series(*self._room[:, :total]))
        self._measure(value)

    def _measure(self, value: NDArray[np.float64]) -> None:
        finite = value[np.isfinite(value)]
        if len(finite):
            self._low, self._high = min(self._low, float(finite.min())), max(self._high, float(finite.max()))


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
        self._seen: dict[str, int] = {}  # records of each writer that were taken
        self._owed: dict[_Part, int] = {}  # rows whose name or line has not come: bytes of lines read at that time

    def take(self, writers: Sequence[WriterReader]) -> bool:
        """Take what the writers have read since; True if there is anything new."""
        fresh: dict[str, _Fresh] = {}
        renewed: dict[str, list[_Part]] = {}
        for writer in writers:
            self._come(writer, renewed)
            for metric_id, rows in self._new_rows(writer):
                name = writer.names.get(metric_id)
                if name is None or _lacks_lines(writer, rows):
                    self._owed[writer.base, metric_id] = writer.lines_read
                if name is not None:
                    fresh.setdefault(name, []).append((writer, metric_id, rows))
        if not fresh and not renewed:
            return False
        for name in [name for name in series.names(writers) if name in fresh or name in renewed]:
            curve = self._curves.setdefault(name, Curve(name))
            begun = len(curve.points.value) > 0
            self._take(curve, fresh.get(name, []), renewed.get(name), writers)
            if not begun and len(curve.points.value):
                self.told.append(curve)
        return True

    def _take(self, curve: Curve, fresh: _Fresh, renewed: list[_Part] | None, writers: Sequence[WriterReader]) -> None:
        roles = {writer.base: writer.role for writer in writers}
        parts = [*(renewed or ()), *((writer.base, metric_id) for writer, metric_id, _ in fresh)]
        added = [part for part in parts if part not in curve.parts]
        curve.parts.update({part: roles[part[0]] for part in added})
        role = min(curve.parts.values(), key=metrics.role_key)
        joined = any(curve.parts[part] == role for part in added)
        if not joined and renewed is None:
            ours = [series.decode(writer, rows) for writer, _, rows in fresh if writer.role == role]
            if not ours or _append(curve, ours):
                return
        curve.role = role
        curve.replace(series.series(writers, curve.name))

    def _new_rows(self, writer: WriterReader) -> list[tuple[int, Columns]]:
        seen = self._seen.get(writer.base, 0)
        if writer.count == seen:
            return []
        self._seen[writer.base] = writer.count
        new = writer.since(seen)
        if new.one_head is not None:
            return [(new.one_head & 0xFFFFFFFF, new)]
        if not seen:
            writer.group()
        ids = new.metric_id
        return [
            (metric_id, new.where(ids == metric_id) if seen else writer.rows(metric_id))
            for metric_id in np.unique(ids).tolist()
        ]

    def _come(self, writer: WriterReader, renewed: dict[str, list[_Part]]) -> None:
        """Find the metrics of which a name, or lines, have come after their rows."""
        for part, lines in list(self._owed.items()):
            if part[0] != writer.base or writer.lines_read <= lines:
                continue
            name = writer.names.get(part[1])
            if name is None or _lacks_lines(writer, writer.rows(part[1])):
                self._owed[part] = writer.lines_read
            else:
                del self._owed[part]
            if name is not None:
                renewed.setdefault(name, []).append(part)


def _lacks_lines(writer: WriterReader, rows: Columns) -> bool:
    """Tell whether a line is still to come, as it may in a mirror."""
    if rows.one_head is not None and rows.one_head >> 32 & 0xFFFF != records.LINE:
        return False
    offsets = rows.bits[rows.kind == records.LINE]
    return bool(len(offsets)) and int(offsets.max()) >= writer.lines_read


def _append(curve: Curve, decoded: list[tuple[NDArray[np.float64], ...]]) -> bool:
    """Append points of the curve's writers; False if they belong elsewhere than at its end."""
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
