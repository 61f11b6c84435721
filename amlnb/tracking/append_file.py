"""A file that one process appends to, and the bytes that a fault of the file system keeps out of it for a while."""

from __future__ import annotations

import os

from amlnb.tracking.faults import tell_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Tuple

_MOST_PENDING_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024


class AppendFile:
    """A file that this process alone appends to; what a fault kept out is written before anything newer.

    An exception (a KeyboardInterrupt) may leave any of these methods at any point: how much of the pending bytes is
    written is asked of the file each time, so nothing is written twice or left out.

    Parameters
    ----------
    path
        The file; made at the first byte, and its folder if that is missing (not the folder above: a run directory that
        was deleted stays so).
    shared
        Whoever owns this object also writes to ``fd`` directly while nothing is pending.
    """

    __slots__ = ("_held", "_shared", "fd", "path")

    def __init__(self, path: str, *, shared: bool = False) -> None:
        self.path = path
        self.fd = -1
        self._shared = shared
        # What is pending, and the offset at which it begins; None for the end of the file, wherever that is.
        self._held: Tuple[Optional[int], bytearray] = (None if shared else 0, bytearray())

    @property
    def pending(self) -> int:
        """How many bytes wait to be written."""
        return len(self._held[1])

    @property
    def end(self) -> int:
        """Offset at which the next byte will stand; of a file that is not shared."""
        begin, waiting = self._held
        return (begin or 0) + len(waiting)

    def append(self, data: bytes) -> bool:
        """Take ``data`` behind what is pending and write as much as can be; False if ``data`` had to be given up."""
        if not self.hold(data):
            return False
        self.write_pending()
        return True

    def hold(self, data: bytes) -> bool:
        """Take ``data`` behind what is pending without writing; False if too much is pending already."""
        waiting = self._held[1]
        if waiting and len(waiting) + len(data) > _MOST_PENDING_BYTES:
            return False
        waiting += data
        return True

    def write_pending(self) -> bool:
        """Write what is pending; True if all of it went."""
        try:
            if self.fd < 0:
                self._open()
            self._write()
        except OSError as error:
            tell_once(self.path, error)
        return not self.pending

    def _write(self) -> None:
        begin, waiting = self._held
        size = os.fstat(self.fd).st_size
        if begin is None:
            begin = size
            self._held = (begin, waiting)
        written = max(size - begin, 0)
        while written < len(waiting):
            written += os.write(self.fd, waiting[written : written + _CHUNK_BYTES])
        self._held = (None if self._shared else begin + len(waiting), bytearray())

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC  # the name is random: nobody else has it
        try:
            self.fd = os.open(self.path, flags, 0o666)
        except FileNotFoundError:
            os.mkdir(os.path.dirname(self.path))
            self.fd = os.open(self.path, flags, 0o666)

    def close(self) -> None:
        """Close the descriptor; what is pending is given up."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
