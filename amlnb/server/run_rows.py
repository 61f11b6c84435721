"""A run of the index as a row of a table."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from amlnb.core import states
from amlnb.live.run_tail import parameters_of

if TYPE_CHECKING:
    from amlnb.server.contract import MetricSummary, RunRow
    from amlnb.store.index import RunSummary

COLUMNS = 300  # of each kind a table has at most; a run may log thousands of metrics


def run_row(run: RunSummary, now: float) -> RunRow:
    """Make the row of a run, with its first metrics; `now` is Unix seconds, for one that has not ended."""
    return {
        "id": run.id,
        "experiment": run.experiment,
        "number": run.number,
        "name": run.display_name,
        "type": run.type,
        "state": run.state,
        "target": run.target,
        "parent": run.parent,
        "created": run.created,
        "started": run.started,
        "ended": run.ended,
        "elapsed_s": elapsed_s(run.started, run.ended, now),
        "archived": run.archived,
        "script": run.script,
        "error": run.error if run.state == states.FAILED else None,
        "parameters": parameters(run),
        "tags": run.tags,
        "metrics": dict(islice(metrics(run).items(), COLUMNS)),
    }


def elapsed_s(started: float | None, ended: float | None, now: float) -> float | None:
    """Seconds since the start, until the end; None before the start."""
    return None if started is None else max(0.0, (now if ended is None else ended) - started)


def parameters(run: RunSummary) -> dict[str, str]:
    """What a run was given, as text."""
    return parameters_of({"definition": {"arguments": run.arguments}}, run.properties)


def metrics(run: RunSummary) -> dict[str, MetricSummary]:
    """Metrics of a run in four numbers each."""
    return {
        name: {"count": int(told["count"]), "last": told["last"], "min": told["min"], "max": told["max"]}
        for name, told in run.metrics.items()
    }
