"""Metrics in four numbers each, kept up to date from what is new."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from amlnb.store import series
from amlnb.store.fresh_rows import FreshRows, News

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from amlnb.store.journals import WriterReader


_FEW = 8


class Summary:
    """Count, last value, and finite minimum and maximum of one metric."""

    __slots__ = ("_high", "_low", "count", "last")

    def __init__(self) -> None:
        self.count = 0
        self.last = math.nan
        self._low, self._high = math.inf, -math.inf

    @property
    def low(self) -> float:
        """The finite minimum; NaN without any."""
        return self._low if self._low <= self._high else math.nan

    @property
    def high(self) -> float:
        """The finite maximum; NaN without any."""
        return self._high if self._low <= self._high else math.nan

    def add(self, value: NDArray[np.float64]) -> None:
        """Take the next values."""
        if not len(value):
            return
        self.count += len(value)
        self.last = float(value[-1])
        low, high = _range(value)
        self._low, self._high = min(self._low, low), max(self._high, high)


def _range(value: NDArray[np.float64]) -> tuple[float, float]:
    """Finite minimum and maximum; infinity and its opposite without any."""
    if len(value) < _FEW:  # as they come of a running run: NumPy would take longer
        numbers = [x for x in value.tolist() if math.isfinite(x)]
        return min(numbers, default=math.inf), max(numbers, default=-math.inf)
    low, high = float(value.min()), float(value.max())
    if math.isfinite(low) and math.isfinite(high):  # without a copy of what may be ten million values
        return low, high
    finite = value[np.isfinite(value)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (math.inf, -math.inf)


class Summaries:
    """The numeric metrics of a run in a few numbers, for who reads it again and again."""

    def __init__(self) -> None:
        self._rows = FreshRows()
        self._parts: dict[str, set[tuple[str, int]]] = {}
        self._found: dict[str, Summary] = {}

    def take(self, writers: Sequence[WriterReader]) -> dict[str, dict[str, float]]:
        """Take what is new; returns ``{name: {"count", "last", "min", "max"}}`` in the order of first use."""
        for name, news in self._rows.take(writers).items():
            self._take(name, news, writers)
        return {
            name: {"count": found.count, "last": found.last, "min": found.low, "max": found.high}
            for name in series.names(writers)
            if (found := self._found.get(name)) is not None and found.count
        }

    def _take(self, name: str, news: News, writers: Sequence[WriterReader]) -> None:
        parts = self._parts.setdefault(name, set())
        parts.update(news.completed, (each.part for each in news.fresh))
        if len(parts) > 1 or news.completed or name not in self._found:
            # Which writers count, and whose point is the last, is told by all of them together.
            self._found[name] = Summary()
            self._found[name].add(series.series(writers, name).value)
        else:
            for each in news.fresh:
                self._found[name].add(series.decode(each.writer, each.rows)[2])
