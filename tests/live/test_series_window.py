import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.live.series_window import window
from amlnb.store.series import Series


def curve(x, time=None):
    x = np.array(x, float)
    return Series(x, x + 1000 if time is None else np.array(time, float), np.arange(len(x), dtype=float))


@pytest.mark.parametrize(
    ("x", "low", "high", "taken"),
    [
        ([], 0, 1, []),
        ([0, 1, 2, 3, 4, 5], None, None, [0, 1, 2, 3, 4, 5]),
        ([0, 1, 2, 3, 4, 5], 2, 3, [1, 2, 3, 4]),
        ([0, 1, 2, 3, 4, 5], None, 2, [0, 1, 2, 3]),
        ([0, 1, 2, 3, 4, 5], 4, None, [3, 4, 5]),
        ([0, 1, 2, 3, 4, 5], 2.2, 2.8, [2, 3]),
        ([0, 1, 2, 3, 4, 5], 7, 9, [5]),
        ([0, 1, 2, 3, 4, 5], 7, None, [5]),
        ([0, 1, 2, 3, 4, 5], -3, -1, [0]),
        ([0, 1, 2, 3, 4, 5], None, -1, [0]),
        ([0, 1, 2, 1, 2, 3], 2, 2, [1, 2, 1, 2, 3]),
        ([0, np.nan, 2, 3], 2, 3, [np.nan, 2, 3]),
        ([np.nan, np.nan], 2, 3, [np.nan]),
    ],
)
def test_a_range_is_taken_with_its_neighbours(x, low, high, taken):
    points = curve(x)
    frame = window(points, "step", low, high, 100, metric=3)
    assert np.array_equal(frame.step, taken, equal_nan=True)
    assert np.array_equal(points.step[frame.first : frame.first + len(taken)], taken, equal_nan=True)
    assert (frame.metric, frame.total, frame.sampled, frame.replaces) == (3, len(x), False, True)


def test_the_axis_may_be_the_time():
    frame = window(curve([5, 5, 5, 5], time=[1, 2, 3, 4]), "time", 3, 3, 100)
    assert frame.time.tolist() == [2, 3, 4]


@given(st.lists(st.integers(0, 50), max_size=200).map(sorted), st.integers(-5, 55), st.integers(-5, 55))
def test_of_a_long_range_the_extremes_stay(x, low, high):
    low, high = min(low, high), max(low, high)
    points = curve(x)
    values = np.random.default_rng(len(x)).standard_normal(len(x))
    points = Series(points.step, points.time, values)
    frame = window(points, "step", low, high, 8)
    inside = [i for i, at in enumerate(x) if low <= at <= high]
    if inside:
        first, last = max(0, inside[0] - 1), min(len(x), inside[-1] + 2)
        assert frame.first == first
        part = values[first:last]
        assert {part[0], part[-1], part.min(), part.max()} <= set(frame.value.tolist())
        assert frame.sampled == (len(frame.value) < last - first)
        assert len(frame.value) <= 8
    else:
        assert len(frame.value) <= 2
