"""A part of a long curve, for a page that zooms. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from amlnb.live.downsample import downsample
from amlnb.live.series_frames import SeriesFrame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from amlnb.store.series import Series


def window(
    points: Series, axis: str, low: float | None, high: float | None, most: int, *, metric: int = 0
) -> SeriesFrame:
    """Take what lies within a range, with its neighbours on either side, so that lines lead out of the picture.

    Parameters
    ----------
    points
        The whole curve. Its steps may go back, as those of a resumed training do: then everything from the first
        point to the last one within the range is taken.
    axis
        ``step`` or ``time``.
    low, high
        Ends of the range, both within it; None for none.
    most
        How many points to keep at most; at least 8. The first, the last, the lowest and the highest are kept.
    metric
        Number of the metric.
    """
    x = points.step if axis == "step" else points.time
    first, last = _range(x, low, high)
    kept = downsample(points.value[first:last], most) + first
    return SeriesFrame(
        sub=0,
        metric=metric,
        first=first,
        total=len(x),
        step=points.step[kept],
        time=points.time[kept],
        value=points.value[kept],
        replaces=True,
        sampled=len(kept) < last - first,
    )


def _range(x: NDArray[np.float64], low: float | None, high: float | None) -> tuple[int, int]:
    """Positions from the last point before the range to the first one behind it."""
    if not len(x) or (low is None and high is None):
        return 0, len(x)
    above = np.ones(len(x), bool) if low is None else x >= low
    within = above if high is None else above & (x <= high)
    begin = int(within.argmax())
    if within[begin]:
        end = len(x) - int(within[::-1].argmax())
    else:
        # Between two points, or beyond all of them.
        begin = end = int(above.argmax()) if low is not None and above.any() else (len(x) if low is not None else 0)
    return max(0, begin - 1), min(len(x), end + 1)
