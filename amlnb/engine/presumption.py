"""A person's word that a run is dead, where that cannot be proved."""

from __future__ import annotations

import time

from amlnb import host
from amlnb.core import events, identity, states
from amlnb.engine import queue
from amlnb.engine.look import look
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.store.run_reader import RunReader
from amlnb.tracking.journal import JournalWriter

PRESUMED_DEAD = "PresumedDead"


def presume_dead(reader: RunReader, by: str) -> None:
    """Write down that a run is taken for dead: it shows as Failed until its runner writes anything further.

    Where the death can be proved, it is recorded instead. Does nothing to a run that has ended.

    Parameters
    ----------
    reader
        The run; up to date afterwards.
    by
        Who says so; part of the reason that is shown.

    Raises
    ------
    UserErrorException
        Its process lives, or it waits in the queue of this host.
    AmlnbError
        It could not be written down.
    """
    look(reader)
    facts = reader.facts()
    if states.is_terminal(facts.phase):
        return
    runner = reader.runner()
    if host.liveness(runner) == identity.ALIVE:
        raise UserErrorException(
            f"the run {reader.id!r} is not dead: its process {(runner or {}).get('pid')} lives on this host",
            hint=f"'amlnb run cancel {reader.id}' ends it",
        )
    if runner is None and queue.holds(reader.id):
        raise UserErrorException(
            f"the run {reader.id!r} is not dead: it waits in the queue of this host",
            hint=f"'amlnb run cancel {reader.id}' takes it out; 'amlnb doctor' tells what it waits for",
        )
    writer = JournalWriter(reader.directory, "client")
    writer.write_event(
        {
            "t": events.STATE,
            "attempt": facts.attempt,
            "phase": states.FAILED,
            "time": time.time(),
            "presumed": True,
            "seen": facts.phase,
            "reason": f"presumed dead by {by}",
            "error": {
                "code": PRESUMED_DEAD,
                "message": f"{by} took the run for dead while it was {facts.state}; this is not proved.",
                "hint": "should its runner be heard of again, what it says counts",
            },
        }
    )
    writer.close()
    reader.refresh()
    if not states.is_terminal(reader.facts().phase):
        raise AmlnbError(
            f"it could not be written down in {reader.directory!r}", hint="the disk may be full, or read-only"
        )
