"""The 32-byte metric record: ``u4 id, u2 kind, u2 magic, i8 step, f8 time, 8 bytes value``, little endian."""

from __future__ import annotations

import struct

SIZE = 32
MAGIC = 0xA31B
NO_STEP = -(2**63)

FLOAT64 = 0
INT64 = 1
BOOL = 2
NONE = 3
LINE = 4

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1

pack_float = struct.Struct("<IHHqdd").pack
pack_int = struct.Struct("<IHHqdq").pack
_unpack_int = struct.Struct("<IHHqdq").unpack
_unpack_float = struct.Struct("<IHHqdd").unpack


class Record:
    """One record as read back: ``value`` is a float, an int, a bool, None, or the byte offset of a line."""

    __slots__ = ("kind", "metric_id", "step", "time", "value")

    def __init__(self, metric_id: int, kind: int, step: int | None, time: float, value: object) -> None:
        self.metric_id = metric_id
        self.kind = kind
        self.step = step
        self.time = time
        self.value = value


def unpack(slot: bytes) -> Record | None:
    """Read one 32-byte slot; None if its magic or its kind is not one of ours."""
    metric_id, kind, magic, step, time, bits = _unpack_int(slot)
    if magic != MAGIC or kind > LINE:
        return None
    value = bits
    if kind == FLOAT64:
        value = _unpack_float(slot)[5]
    elif kind == BOOL:
        value = bool(bits)
    elif kind == NONE:
        value = None
    return Record(metric_id, kind, None if step == NO_STEP else step, time, value)
