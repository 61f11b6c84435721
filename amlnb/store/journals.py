"""Reading journals: from an offset, only what is new; a torn tail waits, damage is skipped and counted."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from io import FileIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amlnb.core import events, records
from amlnb.store.plain_files import read_from

# Records pass through a block that stays in the processor's cache while it is taken apart.
_BLOCK_RECORDS = 65536


@dataclass(frozen=True)
class Columns:
    """Valid records, taken apart: arrays of one length, in the order of writing.

    Attributes
    ----------
    head
        uint64: id, kind and magic as they stand in the first eight bytes.
    step
        int64; ``records.NO_STEP`` for none.
    time
        float64, Unix seconds.
    bits
        uint64: the eight bytes of the value.
    one_head
        The head that all share, or None; known without looking at them again.
    """

    head: NDArray[np.uint64]
    step: NDArray[np.int64]
    time: NDArray[np.float64]
    bits: NDArray[np.uint64]
    one_head: int | None

    @property
    def metric_id(self) -> NDArray[np.uint64]:
        """Metric ids."""
        return self.head & np.uint64(0xFFFFFFFF)

    @property
    def kind(self) -> NDArray[np.uint64]:
        """Kinds (``records.FLOAT64`` and so on)."""
        return (self.head >> np.uint64(32)) & np.uint64(0xFFFF)

    def where(self, mask: NDArray[np.bool_] | NDArray[np.intp]) -> Columns:
        """Records that a mask, or an array of places, selects."""
        return _columns(self.head[mask], self.step[mask], self.time[mask], self.bits[mask])


def _columns(
    head: NDArray[np.uint64], step: NDArray[np.int64], time: NDArray[np.float64], bits: NDArray[np.uint64]
) -> Columns:
    shared = int(head[0]) if len(head) and bool((head == head[0]).all()) else None
    return Columns(head, step, time, bits, shared)


@dataclass
class EventReader:
    """One writer's event lines, read from where the last reading ended.

    ``skipped`` counts lines that are damaged; a last line without its newline is left for later.
    """

    path: str
    offset: int = 0
    skipped: int = 0

    def read_new(self) -> list[tuple[int, dict[str, Any]]]:
        """Return ``(byte offset, event)`` of the complete lines that came since."""
        data = read_from(self.path, self.offset)
        found: list[tuple[int, dict[str, Any]]] = []
        end = data.rfind(b"\n") + 1
        position = self.offset
        for line in data[:end].split(b"\n")[:-1]:
            event = events.decode(line)
            if event is not None:
                found.append((position, event))
            elif line:
                self.skipped += 1
            position += len(line) + 1
        self.offset += end
        return found


@dataclass
class WriterReader:
    """Everything one writer wrote, kept up to date by :meth:`refresh`.

    Attributes
    ----------
    names, ids
        ``{metric id: name}``, and back (a name has one id, unless a file was damaged).
    lines
        ``{byte offset: value event}``, for records of kind *line*.
    states, warnings
        The writer's state and warning events in order.
    progress
        The last of the writer's progress events.
    skipped
        Damaged slots and lines passed over.
    """

    base: str
    role: str = ""
    names: dict[int, str] = field(default_factory=dict)
    ids: dict[str, list[int]] = field(default_factory=dict)
    lines: dict[int, dict[str, Any]] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    progress: dict[str, Any] | None = None
    skipped: int = 0
    bytes_read: int = 0
    _offset: int = 0
    _records: list[Columns] = field(default_factory=list)
    _places: dict[int, NDArray[np.intp]] | None = None

    def __post_init__(self) -> None:
        self.role = os.path.basename(self.base).partition("-")[0]
        self._events = EventReader(self.base + ".events")

    def refresh(self) -> bool:
        """Read what is new; True if there was anything."""
        before = self.bytes_read
        # Records before lines: a record's line and name were written before it, so they are then there.
        new = self._read_records()
        for offset, event in self._events.read_new():
            self._take(offset, event)
        self.skipped += self._events.skipped
        self._events.skipped = 0
        if new is not None:
            self._records.append(new)
            self._places = None
        self.bytes_read = self._offset + self._events.offset
        return self.bytes_read != before

    def records(self) -> Columns:
        """All valid records, in the order they were written."""
        if len(self._records) != 1:
            parts = zip(*((part.head, part.step, part.time, part.bits) for part in self._records), strict=True)
            empty = (np.empty(0, "<u8"), np.empty(0, "<i8"), np.empty(0, "<f8"), np.empty(0, "<u8"))
            joined = [np.concatenate(column) for column in parts] or list(empty)
            self._records = [_columns(*joined)]
        return self._records[0]

    def rows(self, metric_id: int) -> Columns:
        """Records of one metric."""
        everything = self.records()
        if everything.one_head is not None:
            return everything if everything.one_head & 0xFFFFFFFF == metric_id else everything.where(np.array([], int))
        if self._places is not None:
            return everything.where(self._places.get(metric_id, np.array([], int)))
        return everything.where(everything.metric_id == metric_id)

    def group(self) -> None:
        """Find the places of every metric's records in one go, for who wants the :meth:`rows` of all of them."""
        everything = self.records()
        if everything.one_head is not None or self._places is not None:
            return
        ids = everything.metric_id.astype(np.uint32)
        order = np.argsort(ids, kind="stable")
        found, begins = np.unique(ids[order], return_index=True)
        self._places = dict(zip(found.tolist(), np.split(order, begins[1:]), strict=True)) if len(found) else {}

    def _take(self, offset: int, event: dict[str, Any]) -> None:
        kind = event["t"]
        if kind == events.NAME and isinstance(event.get("id"), int) and isinstance(event.get("name"), str):
            if event["id"] not in self.names:
                self.names[event["id"]] = event["name"]
                self.ids.setdefault(event["name"], []).append(event["id"])
        elif kind == events.VALUE:
            self.lines[offset] = event
        elif kind in (events.STATE, events.WARNING):
            self.states.append(event)
        elif kind == events.PROGRESS:
            self.progress = event

    def _read_records(self) -> Columns | None:
        try:
            with open(self.base + ".metrics", "rb", buffering=0) as file:
                count = (os.fstat(file.fileno()).st_size - self._offset) // records.SIZE
                if count <= 0:
                    return None
                file.seek(self._offset)
                taken = _take_apart(file, count)
        except FileNotFoundError:
            return None
        self._offset += len(taken[0]) * records.SIZE
        found = _columns(taken[0], taken[1].view("<i8"), taken[2].view("<f8"), taken[3])
        valid = _valid(found)
        if valid is None:
            return found
        self.skipped += len(found.head) - int(valid.sum())
        return found.where(valid)


def _take_apart(file: FileIO, count: int) -> NDArray[np.uint64]:
    """Read up to ``count`` records into four columns of eight bytes each, shape (4, n)."""
    columns = np.empty((4, count), "<u8")
    block = np.empty((min(count, _BLOCK_RECORDS), 4), "<u8")
    window = memoryview(block).cast("B")  # type: ignore[arg-type]  # an array is a buffer
    done = 0
    while done < count:
        wanted = min(len(block), count - done) * records.SIZE
        filled = 0
        while filled < wanted:
            got = file.readinto(window[filled:wanted])
            if not got:
                break  # cut short meanwhile
            filled += got
        whole = filled // records.SIZE
        columns[:, done : done + whole] = block[:whole].T
        done += whole
        if filled < wanted:
            break
    return columns[:, :done]


def _valid(found: Columns) -> NDArray[np.bool_] | None:
    """Mask of the slots that are records; None if all are."""
    heads = found.head if found.one_head is None else found.head[:1]
    valid = (heads >> np.uint64(48) == records.MAGIC) & ((heads >> np.uint64(32)) & np.uint64(0xFFFF) <= records.LINE)
    if bool(valid.all()):
        return None
    return valid if found.one_head is None else np.zeros(len(found.head), bool)


def list_writers(folder: str) -> list[str]:
    """Base paths (without ending) of the writers in a journal folder, by name."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(os.path.join(folder, name[: -len(".events")]) for name in names if name.endswith(".events"))
