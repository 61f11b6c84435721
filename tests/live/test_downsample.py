import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from amlnb.live.downsample import downsample


@pytest.fixture(params=["tsdownsample", "numpy only"])
def downsampler(request, monkeypatch):
    if request.param == "numpy only":
        monkeypatch.setitem(sys.modules, "tsdownsample", None)


@pytest.mark.parametrize("count", [0, 1, 300, 301, 100_000])
def test_no_more_points_than_asked_for_in_order(downsampler, count):
    kept = downsample(np.sin(np.arange(count) / 50), 300)
    assert len(kept) == min(count, len(kept)) <= 300
    assert (np.diff(kept) > 0).all()


def test_a_single_spike_in_a_million_points_stays(downsampler):
    y = np.zeros(1_000_000)
    y[123_456], y[777_777] = 5, -5
    kept = downsample(y, 300)
    assert {123_456, 777_777, 0, len(y) - 1} <= set(kept.tolist())


@given(arrays(np.float64, st.integers(0, 400), elements=st.floats()), st.integers(8, 60))
def test_any_values_keep_their_finite_extremes_and_their_ends(y, points):
    kept = downsample(y, points)
    assert len(kept) <= points
    finite = y[np.isfinite(y)]
    if len(finite):
        assert {finite.min(), finite.max()} <= set(y[kept].tolist())
        assert {0, len(y) - 1} <= set(kept.tolist())


def test_gaps_stay_gaps(downsampler):
    y = np.ones(10_000)
    y[5000:5100] = np.nan
    assert np.isnan(y[downsample(y, 100)]).any()
