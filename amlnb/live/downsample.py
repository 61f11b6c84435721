"""Fewer points of the same curve: extremes stay, the shape stays."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def downsample(y: NDArray[np.float64], points: int) -> NDArray[np.intp]:
    """Choose which points of a curve to keep.

    Parameters
    ----------
    y
        float64, shape (n,), in the order logged. NaN and infinities are breaks of the curve.
    points
        How many to keep at most; at least 8.

    Returns
    -------
    ndarray
        Increasing indices, at most `points` of them; all if there are no more. The first and the last point and the
        finite minimum and maximum are always among them.

    Notes
    -----
    MinMaxLTTB (Van Der Donckt et al. 2023, "MinMaxLTTB: Leveraging MinMax-Preselection to Scale LTTB").
    """
    count = len(y)
    if count <= points:
        return np.arange(count)
    finite = np.isfinite(y)
    if finite.all():
        ends = [0, count - 1, np.argmin(y), np.argmax(y)]
        return np.unique(np.concatenate([_choose(y, points - len(ends)), ends]))
    if not finite.any():
        return np.linspace(0, count - 1, points).astype(np.intp)
    breaks = _breaks(finite, points // 4 - 1)  # leaves at least the 3 points that the algorithm asks for
    room = points - len(breaks) - 4
    indices = np.flatnonzero(finite)
    kept = indices[_choose(y[indices], room)] if len(indices) > room else indices
    lowest, highest = indices[np.argmin(y[indices])], indices[np.argmax(y[indices])]
    chosen: NDArray[np.intp] = np.unique(np.concatenate([kept, breaks, [0, count - 1, lowest, highest]]))
    return chosen


def _breaks(finite: NDArray[np.bool_], limit: int) -> NDArray[np.intp]:
    """Where the curve breaks off: one point of each gap, the first gaps only if there are too many."""
    starts = np.flatnonzero(~finite & np.concatenate([[True], finite[:-1]]))
    return starts[:limit].astype(np.intp)


def _choose(y: NDArray[np.float64], points: int) -> NDArray[np.intp]:
    try:
        from tsdownsample import MinMaxLTTBDownsampler
    except ImportError:
        return _min_max(y, points)
    # By position, not by step: it panics on steps that are far apart, and a resumed training's steps go back anyway.
    return np.asarray(MinMaxLTTBDownsampler().downsample(y, n_out=points), dtype=np.intp)


def _min_max(y: NDArray[np.float64], points: int) -> NDArray[np.intp]:
    """Lowest and highest point of each of ``points // 2`` buckets."""
    edges = np.linspace(0, len(y), points // 2 + 1).astype(np.intp)
    kept: list[int] = []
    for first, last in pairwise(edges):
        if last > first:
            bucket = y[first:last]
            kept += [int(first + np.argmin(bucket)), int(first + np.argmax(bucket))]
    return np.unique(np.array(kept, dtype=np.intp))
