"""One writing process's journal: metric records and event lines, append-only, durable when a call returns.

A record is one ``write`` to an O_APPEND file, so the point survives ``kill -9``. A fault of the file system (disk full,
read-only) never reaches the caller: what could not be written is kept in memory, tried again at every following record,
counted, and told once.
"""

from __future__ import annotations

import atexit
import errno
import os
import sys
from _thread import RLock
from time import time as _time

from amlnb.core import events, layout, records
from amlnb.tracking import faults
from amlnb.tracking.append_file import AppendFile
from amlnb.tracking.forks import importing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Tuple

_pack_float = records.pack_float
_write = os.write
_VALUES = "logged values"
_loading: List[bool] = []


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
        self._run_directory = run_directory
        self._folder = folder
        self._role = role
        self._lock = RLock()
        self._inside = False
        self._aside: Optional[JournalWriter] = None
        self._ids: Dict[str, int] = {}
        self._next_id = 0
        self._events: Optional[AppendFile] = None
        self._metrics: Optional[AppendFile] = None
        self._later: List[Tuple[Callable[..., Any], Any]] = []
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
                self._do(JournalWriter._log, name, records.pack_float, records.FLOAT64, step, value)
                return
            record = _pack_float(metric_id, 0, 0xA31B, step, _time(), value)
            try:
                written = _write(fd, record)
            except OSError:
                self._do(JournalWriter._hold, record)
                return
            except BaseException:  # a KeyboardInterrupt, after all of it was written, or none, or a part
                self._do(JournalWriter._finish, record)
                raise
            if written != records.SIZE:
                self._do(JournalWriter._finish, record)

    def log_int(self, name: str, value: int, step: int = records.NO_STEP, kind: int = records.INT64) -> None:
        """Append one int64, bool or none record."""
        with self._lock:
            self._do(JournalWriter._log, name, records.pack_int, kind, step, value)

    def log_line(self, name: str, kind: str, value: Any, step: Any = None) -> None:
        """Append a value that does not fit a record: its JSON line first, then the record that points at it."""
        with self._lock:
            self._do(JournalWriter._log_line, name, kind, value, step)

    def write_event(self, event: Dict[str, Any]) -> None:
        """Append one event line."""
        with self._lock:
            self._do(JournalWriter._append_event, event)

    def flush(self) -> bool:
        """Try again what a fault kept out; True when nothing is left over."""
        with self._lock:
            if self._aside is not None:
                self._aside.flush()
            if self._events is not None or self._later:
                self._do(JournalWriter._write_pending)
            return not self._pending()

    def close(self) -> None:
        """Flush and close; a later record goes to files of a new name."""
        with self._lock:
            flushed = self.flush()
            if self._inside:  # a signal handler's call: what it interrupted needs the files
                return
            if not flushed:
                self._lost += self._waiting()
            self._forget()

    def rest(self) -> None:
        """Close the files until the next record, which goes on in them; not as long as a fault keeps something out."""
        with self._lock:
            if not self._inside and not self._pending():
                self._fd = -1
                for file in self._files():
                    file.close()

    def __del__(self) -> None:
        self.close()

    @property
    def lost(self) -> int:
        """How many records or lines were given up because too much was waiting."""
        return self._lost

    def _do(self, write: Callable[..., Any], *args: Any) -> None:
        """Do one of the longer writes, and only one at a time: the lock lets a signal handler of its own thread pass.

        Such a handler, which may end the process, writes beside: to files of a writer of its own. Only what it logs
        while a module is being loaded waits.
        """
        if self._events is None and not _is_loaded():
            self._later.append((write, args))
            return
        if self._inside:
            if self._aside is None:
                self._aside = JournalWriter(self._run_directory, self._role, self._folder)
            self._aside._do(write, *args)  # noqa: SLF001 - it is one of us
            return
        waited = self._pending()
        self._inside = True
        self._fd = -1
        try:
            write(self, *args)
            while self._later:
                write, args = self._later.pop(0)
                write(self, *args)
        finally:
            self._inside = False
            if not self._pending():
                self._fd = -1 if self._metrics is None else self._metrics.fd
            elif not waited:
                # Kept alive, and tried again with all else, should nobody log here again.
                faults.keep(self._run_directory, _VALUES, self._write_or_raise)
        if waited and not self._pending():
            faults.retry()

    def _write_or_raise(self) -> None:
        if not self.flush():
            raise OSError(errno.EAGAIN, "not written yet", self._run_directory)

    def _log(self, name: str, pack: Callable[..., bytes], kind: int, step: int, value: float) -> None:
        metric_id = self._register(name)
        if metric_id is not None:
            self._hold(pack(metric_id, kind, records.MAGIC, step, _time(), value))

    def _log_line(self, name: str, kind: str, value: Any, step: Any) -> None:
        event: Dict[str, Any] = {"t": events.VALUE, "id": 0, "k": kind, "v": value}
        record_step = records.NO_STEP
        if isinstance(step, int) and records.NO_STEP < step <= records.INT64_MAX:
            record_step = step
        elif step is not None:
            event["step"] = step
        metric_id = self._register(name)
        event["id"] = metric_id
        offset = self._append_event(event) if metric_id is not None else None
        if offset is not None:
            self._log(name, records.pack_int, records.LINE, record_step, offset)

    def _hold(self, record: bytes) -> None:
        """Take a record behind what is pending; the names and lines go before the records."""
        if self._metrics is not None:
            self._lost += not self._metrics.hold(record)
            self._write_pending()

    def _finish(self, record: bytes) -> None:
        """Complete a record whose write may have fallen short; nothing newer goes before its rest."""
        if self._metrics is None or self._metrics.pending:
            return
        try:
            written = os.fstat(self._metrics.fd).st_size % records.SIZE
        except OSError as error:
            faults.tell_once(self._metrics.path, error)
            return
        if written:
            self._hold(record[written:])

    def _register(self, name: str) -> Optional[int]:
        metric_id = self._ids.get(name)
        if metric_id is None:
            # Used up first: an interrupt below must not leave the number to another name.
            metric_id = self._next_id
            self._next_id += 1
            if self._append_event({"t": events.NAME, "id": metric_id, "name": name}) is None:
                return None
            self._ids[name] = metric_id
        return metric_id

    def _append_event(self, event: Dict[str, Any]) -> Optional[int]:
        """Offset of the event's line; None if it had to be given up."""
        file = self._open()
        line = events.encode(event)
        offset = file.end
        taken = file.append(line)
        self._lost += not taken
        return offset if taken else None

    def _write_pending(self) -> None:
        for file in self._files():
            if file.pending and not file.write_pending():
                break

    def _files(self) -> List[AppendFile]:
        return [file for file in (self._events, self._metrics) if file is not None]

    def _pending(self) -> bool:
        return any(file.pending for file in self._files())

    def _waiting(self) -> int:
        """How many records wait to be written (or, where there are none, 1 for the lines that do)."""
        records_ = -(-self._metrics.pending // records.SIZE) if self._metrics is not None else 0
        return records_ or int(self._pending())

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
            base = os.path.join(self._run_directory, self._folder, "-".join(parts))
            header = {
                "t": events.WRITER,
                "format": layout.FORMAT,
                "role": self._role,
                "time": _time(),
                "process": process,
            }
            file = AppendFile(base + ".events")
            file.hold(events.encode(header))
            self._metrics = AppendFile(base + ".metrics", shared=True)
            self._events = file
        return self._events

    def _forget(self) -> None:
        for file in self._files():
            file.close()
        self._events = self._metrics = None
        self._ids = {}
        self._next_id = 0
        self._fd = -1

    def after_fork(self) -> None:
        """In the child: leave the parent's files alone and begin anew at the next record."""
        self._lock = RLock()
        self._inside = False
        self._aside = None
        self._later = []
        self._lost = 0
        self._forget()


def _is_loaded() -> bool:
    """Load what the first record needs; False if that is under way below, and this is a signal handler's call.

    Python up to 3.11 does not stand the import of a module from a handler that interrupted it.
    """
    with importing:
        half_done = (getattr(sys.modules.get(name), "__spec__", None) for name in ("json", "amlnb.host"))
        if _loading or any(getattr(spec, "_initializing", False) for spec in half_done):
            return False
        _loading.append(True)
        try:
            import json  # noqa: F401

            from amlnb import host  # noqa: F401
        finally:
            del _loading[:]
    return True


def _plain(hostname: str) -> str:
    return "".join(c if c.isalnum() or c == "." else "_" for c in hostname) or "host"


class _Writers:
    """Writers alive in this process, so that a forked child can detach from all of them."""

    def __init__(self) -> None:
        import _weakref

        self._ref: Callable[..., Any] = _weakref.ref
        self._refs: List[Any] = []
        self._lock = RLock()

    def add(self, writer: JournalWriter) -> None:
        with self._lock:
            self._refs = [ref for ref in self._refs if ref() is not None] + [self._ref(writer)]

    def at_exit(self) -> None:
        """One last try for what a fault kept out; what is then still left is told."""
        faults.retry()
        lost = 0
        for writer in self._alive():
            writer.close()
            lost += writer.lost
        counts = {_VALUES: lost} if lost else {}
        for _, what, _, _ in faults.kept:
            if what != _VALUES:
                counts[what] = counts.get(what, 0) + 1
        if counts:
            shown = ", ".join(f"{what} ({count})" for what, count in list(counts.items())[:10])
            faults.tell(f"amlnb: until the end these could not be written: {shown}\n")

    def after_fork(self) -> None:
        self._lock = RLock()
        for writer in self._alive():
            writer.after_fork()

    def _alive(self) -> List[JournalWriter]:
        return [writer for writer in (ref() for ref in self._refs) if writer is not None]


_writers = _Writers()
os.register_at_fork(after_in_child=_writers.after_fork)
atexit.register(_writers.at_exit)
