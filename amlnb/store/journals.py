"""Reading journals: from an offset, only what is new; a torn tail waits, damage is skipped and counted."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amlnb.core import events, records
from amlnb.store.plain_files import read_from

RECORD = np.dtype(
    [("id", "<u4"), ("kind", "<u2"), ("magic", "<u2"), ("step", "<i8"), ("time", "<f8"), ("value", "<u8")]
)
# The first eight bytes of a record as one integer, so that a whole file is checked in one pass.
_HEAD = np.dtype({"names": ["head"], "formats": ["<u8"], "offsets": [0], "itemsize": records.SIZE})


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
    names
        ``{metric id: name}``.
    lines
        ``{byte offset: value event}``, for records of kind *line*.
    states, warnings
        The writer's state and warning events in order.
    skipped
        Damaged slots and lines passed over.
    """

    base: str
    role: str = ""
    names: dict[int, str] = field(default_factory=dict)
    lines: dict[int, dict[str, Any]] = field(default_factory=dict)
    states: list[dict[str, Any]] = field(default_factory=list)
    skipped: int = 0
    bytes_read: int = 0
    _offset: int = 0
    _records: list[NDArray[Any]] = field(default_factory=list)

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
        self.bytes_read = self._offset + self._events.offset
        return self.bytes_read != before

    def records(self) -> NDArray[Any]:
        """All valid records, in the order they were written (dtype :data:`RECORD`)."""
        if len(self._records) > 1:
            self._records = [np.concatenate(self._records)]
        return self._records[0] if self._records else np.empty(0, RECORD)

    def _take(self, offset: int, event: dict[str, Any]) -> None:
        kind = event["t"]
        if kind == events.NAME and isinstance(event.get("id"), int) and isinstance(event.get("name"), str):
            self.names.setdefault(event["id"], event["name"])
        elif kind == events.VALUE:
            self.lines[offset] = event
        elif kind in (events.STATE, events.WARNING):
            self.states.append(event)

    def _read_records(self) -> NDArray[Any] | None:
        path = self.base + ".metrics"
        try:
            size = os.stat(path).st_size
        except FileNotFoundError:
            return None
        count = (size - self._offset) // records.SIZE
        if count <= 0:
            return None
        found = np.fromfile(path, RECORD, count, offset=self._offset)
        self._offset += len(found) * records.SIZE
        valid = _valid(found)
        if valid is None:
            return found
        self.skipped += len(found) - int(valid.sum())
        return found[valid]


def _valid(found: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Mask of the slots that are records; None if all are."""
    heads = found.view(_HEAD)["head"]
    if bool((heads == heads[0]).all()):  # one metric and kind: the usual file, checked in one pass
        first = found[0]
        good = first["magic"] == records.MAGIC and first["kind"] <= records.LINE
        return None if good else np.zeros(len(found), bool)
    valid = (found["magic"] == records.MAGIC) & (found["kind"] <= records.LINE)
    return None if bool(valid.all()) else valid


def list_writers(folder: str) -> list[str]:
    """Base paths (without ending) of the writers in a journal folder, by name."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(os.path.join(folder, name[: -len(".events")]) for name in names if name.endswith(".events"))
