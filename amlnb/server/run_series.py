"""Curves of a run, as frames: what lies within a range, in no more points than a page has columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from amlnb.errors import UserErrorException
from amlnb.live.series_frames import encode_frames
from amlnb.live.series_window import window
from amlnb.server.routes import FRAMES, Answer
from amlnb.store.series import Series

if TYPE_CHECKING:
    from amlnb.server.served import Served

_NAMES = 50
_EMPTY = Series(np.empty(0), np.empty(0), np.empty(0))


def series(served: Served, values: dict[str, Any]) -> Answer:
    """Frames of metrics, in the order of their names."""
    names = values["name"]
    if not 0 < len(names) <= _NAMES:
        raise UserErrorException(f"{len(names)} names are given", hint=f"give 1 to {_NAMES} names of metrics")
    low, high = values["low"], values["high"]
    if low is not None and high is not None and low > high:
        raise UserErrorException(f"'low' is {low!r}, above 'high', {high!r}", hint="give the lower one as 'low'")
    directory = served.run_directory(values["workspace"], values["run"])
    if values["system"]:
        sampled = served.readers.of(directory).system_series()
        found = [sampled.get(name, _EMPTY) for name in names]
    else:
        curves = served.curves(values["workspace"], values["run"])
        live = {} if curves is None else {curve.name: curve.points for curve in curves.told}
        found = [live[name] if name in live else served.readers.series(directory, name) for name in names]
    frames = [window(points, values["axis"], low, high, values["points"], metric=at) for at, points in enumerate(found)]
    return Answer(data=encode_frames(frames), content_type=FRAMES)
