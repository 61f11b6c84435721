"""What follows a proved death: the run's remaining processes are ended, and the run is sealed."""

from __future__ import annotations

import signal
import time

from amlnb.core.replay import runner_lost
from amlnb.runner import process_tree
from amlnb.store.run_reader import RunReader
from amlnb.tracking import context
from amlnb.tracking import seal as seal_

_KILL_ROUNDS = 100


def record_death(directory: str) -> None:
    """End what still carries the id of a run whose keeper is proved dead, then seal the run.

    The run is Canceled if that had been asked for, else Failed. Does nothing to a run that is sealed.
    """
    reader = RunReader(directory)
    end_leftovers(reader.id)
    reader.refresh()
    facts = reader.facts()
    if facts.sealed:
        return
    seal_run(reader, runner_lost(facts.cancel_requested))


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
    final: dict[str, object] = {
        "attempt": max(facts.attempt, 1),
        "started": facts.started,
        "ended": time.time(),
        "exit_code": None,
        "signal": None,
        "reason": None,
        "error": None,
        "warnings": [],
    }
    return seal_.seal(reader.directory, {**final, **outcome})
