"""Series as the server sends them: binary frames, one behind the other; frames.ts of labextension has the layout."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_SERIES = 1
_REPLACES = 1
_SAMPLED = 2
_HEADER = struct.Struct("<IIIIQQII")


@dataclass(frozen=True)
class SeriesFrame:
    """Points of one metric on their way to a page.

    Attributes
    ----------
    sub
        The page's number of the subscription; 0 in an answer to a request.
    metric
        Position of the metric among the names that were told.
    first
        Position of the frame's first point in the whole series.
    total
        Points of the whole series as of this frame.
    step, time, value
        float64, all of shape (n,); time in Unix seconds.
    replaces
        What the page holds of this metric is void.
    sampled
        Not every point from `first` to `total` is here; the first, the last, the lowest and the highest are.
    """

    sub: int
    metric: int
    first: int
    total: int
    step: NDArray[np.float64]
    time: NDArray[np.float64]
    value: NDArray[np.float64]
    replaces: bool = False
    sampled: bool = False

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return _HEADER.size + 24 * len(self.value)


def encode_frame(frame: SeriesFrame) -> bytes:
    """Put a frame into its bytes; frames that follow each other are joined as they are."""
    flags = (_REPLACES if frame.replaces else 0) | (_SAMPLED if frame.sampled else 0)
    count = len(frame.value)
    header = _HEADER.pack(_SERIES, frame.sub, frame.metric, flags, frame.first, frame.total, count, 0)
    columns = (np.ascontiguousarray(column, "<f8").data for column in (frame.step, frame.time, frame.value))
    return b"".join((header, *columns))


def encode_frames(frames: Iterable[SeriesFrame]) -> bytes:
    """Put frames into one message."""
    return b"".join(map(encode_frame, frames))


def decode_frames(message: bytes) -> list[SeriesFrame]:
    """Take a message apart; the arrays are views of it.

    Raises
    ------
    ValueError
        It is no sequence of whole frames.
    """
    found = []
    at = 0
    while at < len(message):
        header = _HEADER.unpack_from(message, at) if len(message) - at >= _HEADER.size else (0,)
        if header[0] != _SERIES:
            raise ValueError(f"no frame at byte {at} of {len(message)}")
        _, sub, metric, flags, first, total, count, _ = header
        body, at = at + _HEADER.size, at + _HEADER.size + 24 * count
        if at > len(message):
            raise ValueError(f"a frame of {count} points at byte {body - _HEADER.size} ends at byte {len(message)}")
        step, time, value = np.frombuffer(message, "<f8", 3 * count, body).reshape(3, count)
        replaces, sampled = bool(flags & _REPLACES), bool(flags & _SAMPLED)
        found.append(SeriesFrame(sub, metric, first, total, step, time, value, replaces, sampled))
    return found
