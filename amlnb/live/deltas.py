"""What of a growing curve a page does not have yet. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from amlnb.live.downsample import downsample
from amlnb.live.series_frames import SeriesFrame

if TYPE_CHECKING:
    from amlnb.live.curves import Curve

_ANEW = -1
# Beyond so many times its points a page would hold too many: it gets fewer of them.
_SPARE = 2


@dataclass
class Cursor:
    """How much of a curve a page has.

    Attributes
    ----------
    generation
        Of the curve when it was sent; -1 before that.
    sent
        Points of the whole curve that the page knows of, each or by a neighbour.
    held
        Points that the page has.
    """

    generation: int = _ANEW
    sent: int = 0
    held: int = 0


def resumed(curve: Curve, have: int, points: int) -> Cursor:
    """Go on where a page stood before a break, if what it has is certainly the beginning of this curve."""
    generation, found = curve.now
    if not curve.plain or not 0 < have <= len(found.value):
        return Cursor()
    return Cursor(generation, have, min(have, points))


def sampled_points(curve: Curve, cursor: Cursor, points: int) -> int:
    """How many points have to be gone through to choose those that are sent; 0 if all are."""
    generation, found = curve.now
    total = len(found.value)
    if cursor.generation != generation:
        return total if total > points else 0
    return total if cursor.held + total - cursor.sent > _SPARE * points else 0


def delta(curve: Curve, cursor: Cursor, points: int, sub: int, metric: int) -> SeriesFrame | None:
    """Make the next frame of a curve and move the cursor on; None if the page has all of it.

    New points are sent as they are. A page that holds twice as many as it asked for, or would, gets all of the
    curve again, downsampled, in their place.

    Parameters
    ----------
    curve
        The curve as it is now.
    cursor
        What the page has; changed.
    points
        How many points the page asked for; at least 8.
    sub, metric
        Numbers of the subscription and of the metric.
    """
    generation, found = curve.now
    total = len(found.value)
    replaces = cursor.generation != generation
    if not replaces and total == cursor.sent:
        return None
    first = 0 if replaces else cursor.sent
    sampled = (0 if replaces else cursor.held) + total - first > (1 if replaces else _SPARE) * points
    if sampled:
        kept: np.ndarray[tuple[int], np.dtype[np.intp]] | slice = downsample(found.value, points)
        first, replaces = 0, True
    else:
        kept = slice(first, None)
    value = found.value[kept]
    cursor.held = len(value) if replaces else cursor.held + len(value)
    cursor.generation, cursor.sent = generation, total
    return SeriesFrame(sub, metric, first, total, found.step[kept], found.time[kept], value, replaces, sampled)
