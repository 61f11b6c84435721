"""Parts of a small chart: its place among others, its ranges, its grid and its curves, as shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from amlnb.render import palette
from amlnb.render.axes import Scale, padded, tick_labels, ticks
from amlnb.render.scene import Dot, Line, Shape, Text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from amlnb.specs.run_view import Series


WIDTH = 720  # of a picture
RIGHT = 8  # room of a chart at the right of its curves
_LEFT, _TOP, _BOTTOM = 46, 24, 20
_GAP_X, _GAP_Y = 22, 10


@dataclass(frozen=True)
class Panel:
    """Where a chart stands."""

    left: float
    top: float
    width: float
    height: float

    def scales(self, curves: Sequence[Series]) -> tuple[Scale, Scale]:
        """Scales of both axes, for these curves."""
        x_scale = Scale(*x_range(curves), self.left + _LEFT, self.left + self.width - RIGHT)
        return x_scale, Scale(*y_range(curves), self.top + self.height - _BOTTOM, self.top + _TOP)


def panels(count: int, top: float, heights: Mapping[int, float]) -> tuple[list[Panel], float]:
    """Lay out so many charts (at least one) in rows below ``top``; and tell where the last row ends.

    At most three stand side by side; ``heights`` has the height of a chart by how many do.
    """
    columns = 2 if count == 4 else min(count, 3)
    width, height = (WIDTH - _GAP_X * (columns - 1)) / columns, heights[columns]
    found = [
        Panel((number % columns) * (width + _GAP_X), top + (number // columns) * (height + _GAP_Y), width, height)
        for number in range(count)
    ]
    return found, found[-1].top + height


def x_range(curves: Sequence[Series]) -> tuple[float, float]:
    """Range of the steps, as it is."""
    low, high = _finite_range([curve.x for curve in curves])
    return (low, high) if math.isfinite(low) and high > low else padded(low, high, 0.0)


def y_range(curves: Sequence[Series]) -> tuple[float, float]:
    """Range of the values with some room."""
    return padded(*_finite_range([curve.y for curve in curves]), 0.06)


def grid(x_scale: Scale, y_scale: Scale) -> list[Shape]:
    """Lines and labels of both axes; the x axis stands where the y scale starts."""
    x0, x1, y0 = x_scale.start, x_scale.end, y_scale.start
    shapes: list[Shape] = []
    rows = ticks(y_scale.low, y_scale.high, 4)
    for value, label in zip(rows, tick_labels(rows), strict=True):
        y = y_scale(value)
        shapes.append(Line(((x0, y), (x1, y)), palette.GRID, 1, 0.2))
        shapes.append(Text(x0 - 7, y + 3.5, label, palette.FAINT, 10, "end"))
    columns = ticks(x_scale.low, x_scale.high, max(3, int((x1 - x0) / 90)), whole=x_scale.high - x_scale.low >= 1)
    for value, label in zip(columns, tick_labels(columns), strict=True):
        x = x_scale(value)
        anchor = "end" if x > x1 - 12 else "middle"
        shapes.append(Text(min(x, x1), y0 + 14, label, palette.FAINT, 10, anchor))
    shapes.append(Text(x0 - 14, y0 + 14, "step", palette.FAINT, 10, "end"))
    shapes.append(Line(((x0, y0), (x1, y0)), palette.GRID, 1, 0.45))
    return shapes


def curve_shapes(
    curve: Series, x_scale: Scale, y_scale: Scale, colour: str, dash: tuple[float, ...] = ()
) -> list[Shape]:
    """Draw a curve; a point between two gaps is a dot."""
    shapes: list[Shape] = []
    for part in _unbroken(curve):
        points = tuple((x_scale(x), y_scale(y)) for x, y in part)
        shapes.append(Dot(*points[0], 2.0, colour) if len(points) == 1 else Line(points, colour, 1.7, dash=dash))
    return shapes


def _unbroken(curve: Series) -> list[list[tuple[float, float]]]:
    """Runs of finite points: NaN and infinities break a curve, as does a step that goes back."""
    parts: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(curve.x.tolist(), curve.y.tolist(), strict=True):
        if not (math.isfinite(x) and math.isfinite(y)):
            parts.append([])
            continue
        if parts[-1] and x < parts[-1][-1][0]:
            parts.append([])
        parts[-1].append((x, y))
    return [part for part in parts if part]


def _finite_range(arrays: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    values = np.concatenate(arrays)
    values = values[np.isfinite(values)]
    return (float(values.min()), float(values.max())) if len(values) else (math.nan, math.nan)
