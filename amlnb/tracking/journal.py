"""One writing process's journal: metric records and event lines, append-only, durable when a call returns.

A record is one ``write`` to an O_APPEND file, so the point survives ``kill -9``. A fault of the file system (disk full,
read-only) never reaches the caller: what could not be written is kept in memory, tried again at every following record,
counted, and told once.
"""

from __future__ import annotations

import atexit
import os
from _thread import RLock
from time import time as _time

from amlnb.core import events, layout, records
from amlnb.tracking.faults import tell_once, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

_MAX_PENDING_BYTES = 16 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_pack_float = records.pack_float
_write = os.write


class AppendFile:
    """A file that this process alone appends to; what a fault kept out is written before anything newer.

    ``size`` is the offset at which the next byte will stand once all is written.
    """

    __slots__ = ("_busy", "fd", "path", "pending", "size")

    def __init__(self, path: str) -> None:
        self.path = path
        self.fd = -1
        self.size = 0
        self.pending = bytearray()
        self._busy = False

    def append(self, data: bytes) -> bool:
        """Take ``data`` behind what is pending and write as much as can be; False if ``data`` had to be given up."""
        if not self.hold(data):
            return False
        self.write_pending()
        return True

    def hold(self, data: bytes) -> bool:
        """Take ``data`` behind what is pending without writing; False if too much is pending already."""
        if self.pending and len(self.pending) + len(data) > _MAX_PENDING_BYTES:
            return False
        self.size += len(data)
        self.pending += data
        return True

    def write_pending(self) -> bool:
        """Write what is pending; True if all of it went."""
        if self._busy:  # a signal handler that logs during the lines below leaves its bytes to them
            return False
        self._busy = True
        try:
            if self.fd < 0:
                self.fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o666)
            while self.pending:
                written = os.write(self.fd, bytes(self.pending[:_CHUNK_BYTES]))
                del self.pending[:written]
        except OSError as error:
            tell_once(self.path, error)
        finally:
            self._busy = False
        return not self.pending

    def close(self) -> None:
        """Close the descriptor; what is pending is given up."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class JournalWriter:
    """The two files of one writing process below ``<run directory>/journals`` (or ``system``).

    Nothing is created before the first record. After ``fork`` the child writes to files of its own.

    Parameters
    ----------
    run_directory
        The run's directory.
    role
        The writer's rank (``"0"``), ``runner``, ``courier`` or ``client``.
    folder
        ``journals`` or ``system``.
    """

    def __init__(self, run_directory: str, role: str, folder: str = layout.JOURNALS) -> None:
        self._directory = os.path.join(run_directory, folder)
        self._role = role
        self._lock = RLock()
        self._ids: Dict[str, int] = {}
        self._events: Optional[AppendFile] = None
        self._metrics: Optional[AppendFile] = None
        self._lost = 0
        # Descriptor of the metrics file while both files are open and nothing is pending: then a record is one write.
        self._fd = -1
        _writers.add(self)

    def log_float(self, name: str, value: float, step: int = records.NO_STEP) -> None:
        """Append one float64 record."""
        with self._lock:
            fd = self._fd
            metric_id = self._ids.get(name)
            if metric_id is None or fd < 0:
                self._log(name, records.pack_float, records.FLOAT64, step, value)
                return
            record = _pack_float(metric_id, 0, 0xA31B, step, _time(), value)
            try:
                written = _write(fd, record)
            except OSError:
                written = 0
            if written != 32:
                self._stall(record[written:])

    def log_int(self, name: str, value: int, step: int = records.NO_STEP, kind: int = records.INT64) -> None:
        """Append one int64, bool or none record."""
        with self._lock:
            self._log(name, records.pack_int, kind, step, value)

    def log_line(self, name: str, kind: str, value: Any, step: Any = None) -> None:
        """Append a value that does not fit a record: its JSON line first, then the record that points at it."""
        event: Dict[str, Any] = {"t": events.VALUE, "id": 0, "k": kind, "v": value}
        record_step = records.NO_STEP
        if isinstance(step, int) and records.NO_STEP < step <= records.INT64_MAX:
            record_step = step
        elif step is not None:
            event["step"] = step
        with self._lock:
            metric_id = self._register(name)
            event["id"] = metric_id
            offset = self._append_event(event) if metric_id is not None else None
            if offset is not None:
                self._log(name, records.pack_int, records.LINE, record_step, offset)

    def write_event(self, event: Dict[str, Any]) -> None:
        """Append one event line."""
        with self._lock:
            self._append_event(event)

    def flush(self) -> bool:
        """Try again what a fault kept out; True when nothing is left over."""
        with self._lock:
            self._write_pending()
            return not self._pending()

    def close(self) -> None:
        """Flush and close; a later record goes to files of a new name."""
        with self._lock:
            self.flush()
            self._lost += sum(len(file.pending) > 0 for file in self._files())
            self._forget()

    @property
    def lost(self) -> int:
        """How many records or lines were given up because too much was waiting."""
        return self._lost

    def _log(self, name: str, pack: Callable[..., bytes], kind: int, step: int, value: float) -> None:
        metric_id = self._register(name)
        if metric_id is None or self._metrics is None:
            self._lost += 1
            return
        record = pack(metric_id, kind, records.MAGIC, step, _time(), value)
        if self._events is not None and self._events.pending:
            # The names and lines go first; while they cannot be written, records wait behind them.
            self._write_pending()
        if self._events is not None and self._events.pending:
            self._lost += not self._metrics.hold(record)
        else:
            self._lost += not self._metrics.append(record)
        self._fd = -1 if self._pending() else self._metrics.fd

    def _register(self, name: str) -> Optional[int]:
        metric_id = self._ids.get(name)
        if metric_id is None:
            metric_id = len(self._ids)
            if self._append_event({"t": events.NAME, "id": metric_id, "name": name}) is None:
                return None
            self._ids[name] = metric_id
        return metric_id

    def _append_event(self, event: Dict[str, Any]) -> Optional[int]:
        """Offset of the event's line; None if it had to be given up."""
        line = events.encode(event)
        file = self._open()
        offset = file.size
        taken = file.append(line)
        if file.pending:
            self._fd = -1
        self._lost += not taken
        return offset if taken else None

    def _stall(self, rest: bytes) -> None:
        """Keep what is left of a record whose write fell short; nothing newer goes before it."""
        if self._metrics is not None:
            self._metrics.hold(rest)
            self._fd = -1
            self._write_pending()

    def _write_pending(self) -> None:
        for file in self._files():
            if not file.pending or file.write_pending():
                continue
            break
        if self._metrics is not None:
            self._fd = -1 if self._pending() else self._metrics.fd

    def _files(self) -> List[AppendFile]:
        return [file for file in (self._events, self._metrics) if file is not None]

    def _pending(self) -> bool:
        return any(file.pending for file in self._files())

    def _open(self) -> AppendFile:
        if self._events is None:
            from amlnb import host

            process = host.this_process()
            parts = (
                self._role,
                _plain(process["hostname"]),
                str(process["pid"]),
                str(process["start"]),
                os.urandom(4).hex(),
            )
            try:
                os.makedirs(self._directory, exist_ok=True)
            except OSError as error:
                tell_once(self._directory, error)
            base = os.path.join(self._directory, "-".join(parts))
            self._events, self._metrics = AppendFile(base + ".events"), AppendFile(base + ".metrics")
            header = {
                "t": events.WRITER,
                "format": layout.FORMAT,
                "role": self._role,
                "time": _time(),
                "process": process,
            }
            self._events.append(events.encode(header))
        return self._events

    def _forget(self) -> None:
        for file in self._files():
            file.close()
        self._events = self._metrics = None
        self._ids = {}
        self._fd = -1

    def after_fork(self) -> None:
        """In the child: leave the parent's files alone and begin anew at the next record."""
        self._lock = RLock()
        self._forget()


def _plain(hostname: str) -> str:
    return "".join(c if c.isalnum() or c == "." else "_" for c in hostname) or "host"


class _Writers:
    """Writers alive in this process, so that a forked child can detach from all of them."""

    def __init__(self) -> None:
        import _weakref

        self._ref: Callable[..., Any] = _weakref.ref
        self._refs: List[Any] = []

    def add(self, writer: JournalWriter) -> None:
        self._refs = [ref for ref in self._refs if ref() is not None] + [self._ref(writer)]

    def flush(self) -> None:
        """At exit: one last try for what a fault kept out."""
        for ref in self._refs:
            writer = ref()
            if writer is not None:
                writer.flush()

    def after_fork(self) -> None:
        del told[:]
        for ref in self._refs:
            writer = ref()
            if writer is not None:
                writer.after_fork()


_writers = _Writers()
os.register_at_fork(after_in_child=_writers.after_fork)
atexit.register(_writers.flush)
