"""What follows a proved death: the run's remaining processes are ended, and the run is sealed.

The readers of metrics are loaded inside the functions: the courier lives without them.
"""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from amlnb.core.replay import runner_lost
from amlnb.runner import process_tree
from amlnb.tracking import context
from amlnb.tracking import seal as seal_

if TYPE_CHECKING:
    from amlnb.store.run_reader import RunReader

_KILL_ROUNDS = 100


def record_death(directory: str) -> None:
    """End what still carries the id of a run whose keeper is proved dead, then seal the run.

    The run is Canceled if that had been asked for, else Failed. Does nothing to a run that is sealed.
    """
    from amlnb.store.run_reader import RunReader

    reader = RunReader(directory)
    end_leftovers(reader.id)
    reader.refresh()
    facts = reader.facts()
    if not facts.sealed:
        owned = bool(reader.record.get("owner"))
        seal_run(reader, runner_lost(facts.cancel_requested, facts.cancel_error, owned=owned))


def end_leftovers(run_id: str) -> None:
    """Kill this user's processes on this host that carry a run's id. Runs started inside it carry their own."""
    for _ in range(_KILL_ROUNDS):
        left = process_tree.carrying(context.RUN_ID, run_id)
        if not left:
            return
        process_tree.send(left, signal.SIGKILL)
        time.sleep(0.01)


def seal_run(reader: RunReader, outcome: dict[str, object]) -> bool:
    """Seal a run that has no runner to do it; ``outcome`` has at least ``state``."""
    facts = reader.facts()
    return seal_.seal(reader.directory, {"attempt": max(facts.attempt, 1), "started": facts.started, **outcome})


def seal_unstarted(directory: str, outcome: dict[str, object]) -> bool:
    """Seal a run that never had a runner; ``outcome`` has at least ``state``."""
    return seal_.seal(directory, outcome)
