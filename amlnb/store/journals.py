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
        head = self.head[mask]
        return Columns(head, self.step[mask], self.time[mask], self.bits[mask], _shared(head))


class _Records:
    """Records that grow at their end; what was handed out of them stays as it is.

    Of one metric and one kind the head is kept once.
    """

    def __init__(self) -> None:
        self._columns = np.empty((3, 0), "<u8")
        self._one_head: int | None = None
        self._heads = np.empty(0, "<u8")  # once they differ
        self.count = 0

    def append(self, head: NDArray[np.uint64], columns: NDArray[np.uint64]) -> None:
        """Take records: their heads, and columns of eight bytes each, shape (3, n)."""
        before, self.count = self.count, self.count + len(head)
        shared = _shared(head)
        if not before:
            self._columns, self._one_head = columns, shared
            self._heads = head if shared is None else self._heads
            return
        if self.count > self._columns.shape[1]:
            room = np.empty((3, self.count + self.count // 2), "<u8")
            room[:, :before] = self._columns[:, :before]
            self._columns = room
        self._columns[:, before : self.count] = columns
        if shared is None or shared != self._one_head:
            self._append_heads(before, head)

    def _append_heads(self, before: int, head: NDArray[np.uint64]) -> None:
        if self._one_head is not None or self.count > len(self._heads):
            room = np.empty(self._columns.shape[1], "<u8")
            room[:before] = self._heads[:before] if self._one_head is None else self._one_head
            self._heads, self._one_head = room, None
        self._heads[before : self.count] = head

    def since(self, position: int) -> Columns:
        """Records from a position on."""
        step, time, bits = self._columns[:, position : self.count]
        one_head = self._one_head
        if one_head is not None:
            head = np.broadcast_to(np.uint64(one_head), len(step))
        else:
            head = self._heads[position : self.count]
            one_head = _shared(head) if position else None
        return Columns(head, step.view("<i8"), time.view("<f8"), bits, one_head if len(step) else None)


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
    replaced
        One of the files is another one by now, or shorter than what was read of it: nothing more is read, and what
        was read may not be so any more.
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
    replaced: bool = False
    _offset: int = 0
    _records: _Records = field(default_factory=_Records)
    _places: dict[int, NDArray[np.intp]] | None = None
    _files: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.role = os.path.basename(self.base).partition("-")[0]
        self._events = EventReader(self.base + ".events")

    def refresh(self) -> bool:
        """Read what is new; True if there was anything."""
        before = self.bytes_read
        # Records before lines: a record's line and name were written before it, so they are then there.
        if self._has_grown(self.base + ".metrics", self._offset):
            self._read_records()
        if self._has_grown(self._events.path, self._events.offset):
            for offset, event in self._events.read_new():
                self._take(offset, event)
            self.skipped += self._events.skipped
            self._events.skipped = 0
        self.bytes_read = self._offset + self._events.offset
        return self.bytes_read != before

    @property
    def count(self) -> int:
        """How many valid records were read."""
        return self._records.count

    @property
    def lines_read(self) -> int:
        """Bytes of the event lines that were read: a line that begins before them is in `lines`, or damaged."""
        return self._events.offset

    def records(self) -> Columns:
        """All valid records, in the order they were written."""
        return self._records.since(0)

    def since(self, position: int) -> Columns:
        """Valid records but the first ones."""
        return self._records.since(position)

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
        if ids.max(initial=0) < 1 << 16:
            ids = ids.astype(np.uint16)  # sorted ten times as fast
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

    def _has_grown(self, path: str, offset: int) -> bool:
        """Look whether there is more in a file than was read, by one system call."""
        try:
            told = os.stat(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        self.replaced |= self._files.setdefault(path, told.st_ino) != told.st_ino or told.st_size < offset
        return told.st_size > offset and not self.replaced

    def _read_records(self) -> None:
        try:
            with open(self.base + ".metrics", "rb", buffering=0) as file:
                count = (os.fstat(file.fileno()).st_size - self._offset) // records.SIZE
                if count <= 0:
                    return
                file.seek(self._offset)
                taken = _take_apart(file, count)
        except FileNotFoundError:
            return
        head, columns = taken
        self._offset += len(head) * records.SIZE
        valid = _valid(head)
        if valid is not None:
            self.skipped += len(valid) - int(valid.sum())
            head, columns = head[valid], columns[:, valid]
        if len(head):
            self._records.append(head, columns)
            self._places = None


def _take_apart(file: FileIO, count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Read up to ``count`` records into their heads, and three columns of eight bytes each, shape (3, n)."""
    columns = np.empty((3, count), "<u8")
    heads: list[NDArray[np.uint64]] = []
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
        columns[:, done : done + whole] = block[:whole, 1:].T
        heads.append(_compact(block[:whole, 0]))
        done += whole
        if filled < wanted:
            break
    return _joined(heads), columns[:, :done]


def _compact(head: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A copy, without memory of its own if all are the same."""
    return head.copy() if _shared(head) is None else np.broadcast_to(head[0].copy(), len(head))


def _joined(heads: list[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    filled = [head for head in heads if len(head)]
    if filled and all(head.strides == (0,) and head[0] == filled[0][0] for head in filled):
        return np.broadcast_to(filled[0][0], sum(map(len, filled)))
    return np.concatenate(filled) if filled else np.empty(0, "<u8")


def _shared(head: NDArray[np.uint64]) -> int | None:
    if not len(head):
        return None
    return int(head[0]) if head.strides == (0,) or bool((head == head[0]).all()) else None


def _valid(head: NDArray[np.uint64]) -> NDArray[np.bool_] | None:
    """Mask of the slots that are records; None if all are."""
    shared = _shared(head)
    heads = head if shared is None else head[:1]
    valid = (heads >> np.uint64(48) == records.MAGIC) & ((heads >> np.uint64(32)) & np.uint64(0xFFFF) <= records.LINE)
    if bool(valid.all()):
        return None
    return valid if shared is None else np.zeros(len(head), bool)


def list_writers(folder: str) -> list[str]:
    """Base paths (without ending) of the writers in a journal folder, by name."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted(os.path.join(folder, name[: -len(".events")]) for name in names if name.endswith(".events"))
