import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from amlnb.live.series_frames import SeriesFrame, decode_frames, encode_frame, encode_frames

U32 = st.integers(0, 2**32 - 1)
U64 = st.integers(0, 2**64 - 1)


@st.composite
def frames(draw):
    count = draw(st.integers(0, 20))
    columns = [draw(arrays.arrays("<f8", count)) for _ in range(3)]
    flags = draw(st.tuples(st.booleans(), st.booleans()))
    return SeriesFrame(draw(U32), draw(U32), draw(U64), draw(U64), *columns, *flags)


@given(st.lists(frames(), max_size=5))
def test_frames_come_back_as_they_went(sent):
    message = encode_frames(sent)
    assert len(message) == sum(frame.size for frame in sent)
    found = decode_frames(message)
    assert len(found) == len(sent)
    for one, other in zip(sent, found, strict=True):
        for name in ("sub", "metric", "first", "total", "replaces", "sampled"):
            assert getattr(one, name) == getattr(other, name)
        for name in ("step", "time", "value"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


def test_the_layout_is_the_one_that_pages_read():
    column = np.array([1.0, 2.0])
    message = encode_frame(SeriesFrame(7, 3, 5, 9, column, column + 1, column + 2, replaces=True, sampled=True))
    assert struct.unpack("<4I2Q2I6d", message) == (1, 7, 3, 3, 5, 9, 2, 0, 1, 2, 2, 3, 3, 4)


def test_columns_of_any_stride_and_order_are_sent():
    wide = np.arange(12.0).reshape(4, 3)
    frame = SeriesFrame(0, 0, 0, 4, wide[:, 0], wide[:, 1].astype(">f8"), wide[::-1, 2])
    (found,) = decode_frames(encode_frame(frame))
    assert found.step.tolist() == [0, 3, 6, 9]
    assert found.time.tolist() == [1, 4, 7, 10]
    assert found.value.tolist() == [11, 8, 5, 2]


@pytest.mark.parametrize("cut", [1, 39, 41, 63])
def test_a_cut_message_is_refused(cut):
    message = encode_frame(SeriesFrame(1, 0, 0, 1, *np.ones((3, 1))))
    with pytest.raises(ValueError, match="at byte"):
        decode_frames(message[:cut])
    with pytest.raises(ValueError, match="at byte 64"):
        decode_frames(message + message[:cut])


def test_what_is_no_frame_is_refused():
    with pytest.raises(ValueError, match="no frame at byte 0 of 40"):
        decode_frames(b"\2" * 40)
