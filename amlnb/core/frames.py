"""Frames between the courier and the far end of its connection: a JSON header and bytes, each with its length."""

from __future__ import annotations

import json
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

# Begins the line by which the far end greets; whatever a login script prints comes before it.
GREETING = b"AMLNB-RELAY-1 "

_LENGTHS = struct.Struct("<II")
_LONGEST_HEADER = 64 << 20
_LONGEST_DATA = 16 << 20


def encode(header: Dict[str, Any], data: bytes = b"") -> bytes:
    """One frame."""
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    return _LENGTHS.pack(len(text), len(data)) + text + data


class Decoder:
    """Takes bytes as they come, and gives whole frames."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> List[Tuple[Dict[str, Any], bytes]]:
        """Return the frames that are whole now, in order.

        Raises
        ------
        ValueError
            What came is not a frame; nothing after it can be understood.
        """
        self._buffer += data
        frames: List[Tuple[Dict[str, Any], bytes]] = []
        while True:
            frame = self._next()
            if frame is None:
                return frames
            frames.append(frame)

    def _next(self) -> Optional[Tuple[Dict[str, Any], bytes]]:
        if len(self._buffer) < _LENGTHS.size:
            return None
        header_length, data_length = _LENGTHS.unpack_from(self._buffer)
        if header_length > _LONGEST_HEADER or data_length > _LONGEST_DATA:
            raise ValueError(f"a frame of {header_length} and {data_length} bytes: these are not our frames")
        middle = _LENGTHS.size + header_length
        end = middle + data_length
        if len(self._buffer) < end:
            return None
        header = json.loads(self._buffer[_LENGTHS.size : middle].decode("ascii"))
        if not isinstance(header, dict):
            raise ValueError(f"a frame's header is {header!r}, not an object")  # noqa: TRY004 - what came over the wire is data, not an argument
        data = bytes(self._buffer[middle:end])
        del self._buffer[:end]
        return header, data
