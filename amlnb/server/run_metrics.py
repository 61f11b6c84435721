"""What a run logged: its numbers summed up, what was sampled of the machine, and what is no curve."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from amlnb.core import events, metrics, records
from amlnb.server.routes import Answer
from amlnb.server.run_rows import metrics as metrics_of
from amlnb.store import series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amlnb.server.content_contract import LoggedImage, LoggedTable, LoggedText, Metrics
    from amlnb.server.contract import MetricSummary
    from amlnb.server.served import Served
    from amlnb.store.run_reader import RunReader
    from amlnb.store.series import Series

_LOGGED = 200
_VALUES = 1000
_CELL = 1000


def logged(served: Served, values: dict[str, Any]) -> Answer:
    """Everything that a run logged, without its points."""
    key, run_id = values["workspace"], values["run"]
    directory, table = served.run_directory(key, run_id), served.table(key)
    table.touch(run_id)
    listed, reader = table.get(run_id), served.ended(key, run_id) or served.readers.of(directory)
    told: Metrics = {
        "metrics": {} if listed is None else metrics_of(listed.summary),
        "system": {name: _summed(points) for name, points in reader.system_series().items() if len(points.value)},
        "logged": _no_curves(reader),
    }
    return Answer(told)


def _summed(points: Series) -> MetricSummary:
    finite = points.value[np.isfinite(points.value)]
    return {
        "count": len(points.value),
        "last": float(points.value[-1]),
        "min": float(finite.min()) if len(finite) else float("nan"),
        "max": float(finite.max()) if len(finite) else float("nan"),
    }


def _no_curves(reader: RunReader) -> list[LoggedText | LoggedTable | LoggedImage]:
    found: list[LoggedText | LoggedTable | LoggedImage] = []
    for name in reader.metric_names():
        if not _has_lines(reader, name):
            continue
        told = series.logged_values(reader.writers, name)
        texts = [str(value) for kind, value in told if kind == metrics.SCALAR and isinstance(value, str)]
        rows = [(kind, value) for kind, value in told if kind in (events.ROW, events.TABLE)]
        if texts:
            found.append({"name": name, "kind": "text", "values": [text[:_CELL] for text in texts[-_VALUES:]]})
        if rows:
            found.append(_table(name, reader.id, rows))
        for kind, value in told:
            if kind == events.IMAGE and isinstance(value, dict) and isinstance(value.get("artifact"), str):
                found.append({"name": name, "kind": "image", "file": value["artifact"]})
        if len(found) >= _LOGGED:
            break
    return found[:_LOGGED]


def _has_lines(reader: RunReader, name: str) -> bool:
    """Whether anything but plain numbers was logged under a name."""
    for _, rows in series.select(reader.writers, name):
        if rows.one_head is not None:
            if rows.one_head >> 32 & 0xFFFF == records.LINE:
                return True
        elif bool((rows.kind == records.LINE).any()):
            return True
    return False


def _table(name: str, run_id: str, rows: Sequence[tuple[str, Any]]) -> LoggedTable:
    """Rows and tables that were logged under one name, as one table."""
    shaped = metrics.shape(run_id, rows)
    columns = {str(key): each if isinstance(each, list) else [each] for key, each in shaped.items()}
    length = max((len(each) for each in columns.values()), default=0)
    return {
        "name": name,
        "kind": "table",
        "columns": list(columns),
        "rows": [
            [_cell(each[at]) if at < len(each) else "" for each in columns.values()]
            for at in range(min(length, _VALUES))
        ],
        "truncated": length > _VALUES,
    }


def _cell(value: Any) -> str:
    return (value if isinstance(value, str) else "" if value is None else json.dumps(value))[:_CELL]
