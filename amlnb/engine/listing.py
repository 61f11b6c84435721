"""Listing runs: what is owed to them is done first, so that what is shown is true."""

from __future__ import annotations

from amlnb.core import states
from amlnb.engine import queue
from amlnb.engine.courier import wake
from amlnb.engine.look import look
from amlnb.store.index import Index, RunSummary
from amlnb.store.run_reader import RunReader


def up_to_date(index: Index, experiment: str | None = None) -> list[RunSummary]:
    """List the runs, once what is owed to them is done: a courier for what waits, a seal for what is proved dead."""
    runs = index.list_runs(experiment)
    if all(run.ended is not None and states.is_terminal(run.state) for run in runs):
        return runs
    if queue.names():
        wake.wake()
    # Dead, and not yet recorded; or never queued, by a submitter that may have died.
    owed = [
        run
        for run in runs
        if (run.ended is None and states.is_terminal(run.state))
        or (run.state == states.NOT_STARTED and not queue.holds(run.id))
    ]
    for run in owed:
        look(RunReader(run.directory))
    return index.list_runs(experiment) if owed else runs
