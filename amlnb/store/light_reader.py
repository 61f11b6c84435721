"""Reading a run inside of a job: the standard library alone, Python 3.7+, one reading from beginning to end.

Says the same as :class:`amlnb.store.run_reader.RunReader`, which reads on from where it was, and arrays.
"""

from __future__ import annotations

import os
import struct

from amlnb import host
from amlnb.core import events, identity, layout, metrics, records
from amlnb.core.replay import replay
from amlnb.store import run_record
from amlnb.store.edits import ordered_edits
from amlnb.store.plain_files import read_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

    from amlnb.core.replay import RunFacts

    # (time, (kind, value)) of one record
    Timed = Tuple[float, Tuple[str, Any]]


# How the lines begin that need not be read for anything but their records.
_VALUE_LINES = (b'{"t":"value"', b'{"t": "value"')
# The metric's number in each record.
_NUMBERS = struct.Struct("<I28x")


def read_facts(directory: str) -> RunFacts:
    """State and everything else that the files of a run tell now."""
    record = run_record.read_record(directory)
    # The seal is looked for first: what it seals was written before it, so it is then read below.
    final = run_record.read_final(directory)
    alive = identity.UNKNOWN
    if final is None and not run_record.is_mirror(record):
        alive = host.liveness(run_record.keeper(directory, record))
        if alive == identity.DEAD:
            final = run_record.read_final(directory)  # a runner seals and then ends
    told = [event for writer in _writers(directory, with_metrics=False) for event in writer.states]
    return replay(record, ordered_edits(directory), told, final, alive)


def read_metrics(directory: str, run_id: str, name: Optional[str] = None) -> Dict[str, Any]:
    """Metrics of a run in v1's shapes; of one name if given ({} if it is not there)."""
    writers = sorted(_writers(directory, with_metrics=True), key=lambda writer: metrics.role_key(writer.role))
    logged = [(writer.role, writer.logged(name)) for writer in writers]
    names = [each for _, values in logged for each in values] if name is None else [name]
    found = {}
    for each in dict.fromkeys(names):
        # Of several ranks the lowest that logged it; of several writers of that rank, by time.
        role = next((role for role, values in logged if values.get(each)), None)
        parts = [values[each] for of, values in logged if of == role and values.get(each)]
        timed = [item for part in parts for item in part]
        if len(parts) > 1:
            timed.sort(key=lambda item: item[0])
        kept = [value for _, value in timed if value[0]]
        if kept:
            found[each] = metrics.shape(run_id, kept)
    return found


class _Writer:
    """What one writer wrote; its metrics only where they are asked for."""

    def __init__(self, base: str, *, with_metrics: bool) -> None:
        self.role = os.path.basename(base).partition("-")[0]
        # Records before lines: a record's line and name were written before it, so they are then there.
        self._records = read_from(base + ".metrics", 0) if with_metrics else b""
        self._names: Dict[int, str] = {}
        self.states: List[Dict[str, Any]] = []
        data = read_from(base + ".events", 0)
        self._lines = data[: data.rfind(b"\n") + 1]
        for line in self._lines.split(b"\n")[:-1]:
            if not line.startswith(_VALUE_LINES):  # which are read where their records are
                self._take(events.decode(line) or {})

    def logged(self, wanted: Optional[str]) -> Dict[str, List[Timed]]:
        """Metrics in the order of their names' ids; only that of one name if it is given."""
        names = {number: name for number, name in sorted(self._names.items()) if wanted in (None, name)}
        found: Dict[str, List[Timed]] = {name: [] for name in names.values()}
        whole = memoryview(self._records)[: len(self._records) // records.SIZE * records.SIZE]
        for position, (number,) in enumerate(_NUMBERS.iter_unpack(whole) if names else ()):
            if number not in names:
                continue
            at = position * records.SIZE
            record = records.unpack(self._records[at : at + records.SIZE])
            if record is None:
                continue
            value = (metrics.SCALAR, record.value)
            if record.kind == records.LINE:
                value = metrics.line_value(self._line(int(str(record.value))))
            found[names[number]].append((record.time, value))
        return found

    def _line(self, offset: int) -> Optional[Dict[str, Any]]:
        if not 0 <= offset < len(self._lines) or (offset and self._lines[offset - 1 : offset] != b"\n"):
            return None
        event = events.decode(self._lines[offset : self._lines.index(b"\n", offset)])
        return event if event is not None and event["t"] == events.VALUE else None

    def _take(self, event: Dict[str, Any]) -> None:
        kind = event.get("t")
        if kind == events.NAME and isinstance(event.get("id"), int) and isinstance(event.get("name"), str):
            self._names.setdefault(event["id"], event["name"])
        elif kind in (events.STATE, events.WARNING):
            self.states.append(event)


def _writers(directory: str, *, with_metrics: bool) -> List[_Writer]:
    folder = os.path.join(directory, layout.JOURNALS)
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    bases = sorted(os.path.join(folder, name[: -len(".events")]) for name in names if name.endswith(".events"))
    return [_Writer(base, with_metrics=with_metrics) for base in bases]
