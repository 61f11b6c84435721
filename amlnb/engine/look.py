"""Looking at a run: what is owed to it is done first, so that what is shown is true."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping
from typing import Any

from amlnb import host
from amlnb.core import edits as edit_ops
from amlnb.core import identity, states
from amlnb.engine import deaths, queue
from amlnb.engine.courier import wake
from amlnb.store.run_reader import RunReader
from amlnb.tracking import edits

NOT_QUEUED = "NotQueued"


def look(reader: RunReader) -> None:
    """Bring a reader up to date; wake the courier for a run that has not ended, and record a death that is proved.

    Where it cannot be recorded (a read-only workspace) the reader shows it all the same.
    """
    reader.refresh()
    facts = reader.facts()
    if facts.sealed:
        return
    if queue.holds(reader.id):
        wake.wake()
        return
    with contextlib.suppress(OSError):
        if facts.phase == states.NOT_STARTED:
            _check_queued(reader)
        elif reader.liveness() == identity.DEAD:
            deaths.record_death(reader.directory)
    reader.refresh()


def _check_queued(reader: RunReader) -> None:
    """Fail a run whose submitter died between writing the run and queueing it: nobody will ever start it."""
    submitter = reader.record.get("submitter")
    # Only who sees the submitter's own queue can tell that there is no ticket in it.
    if host.liveness(submitter) != identity.DEAD or not queue.is_ours(submitter):
        return
    # Looked at again after the death is known: a ticket is written before a submitter ends in peace.
    reader.refresh()
    if reader.facts().phase == states.NOT_STARTED and not queue.holds(reader.id):
        error = {
            "code": NOT_QUEUED,
            "message": "The process that submitted this run ended before the run was queued.",
            "hint": "submit it again with 'amlnb run rerun'",
        }
        deaths.seal_run(reader, {"state": states.FAILED, "error": error})


def cancel(reader: RunReader, by: str, error: Mapping[str, Any] | None = None) -> None:
    """Ask for a run's end: the wish is a file among its edits, and a nudge to whoever acts on it.

    Does nothing to a run that has ended. With ``error`` the run is one that has failed, and ends so.
    """
    look(reader)
    if states.is_terminal(reader.facts().phase):
        return
    told = {} if error is None else {"error": dict(error)}
    edits.add_edit(reader.directory, {"op": edit_ops.CANCEL, "by": by, **told})
    runner = reader.runner()
    if reader.record.get("owner") is None and runner is not None and host.liveness(runner) == identity.ALIVE:
        os.kill(runner["pid"], signal.SIGUSR1)
    if queue.holds(reader.id):
        wake.wake(wake.CANCEL)
    if reader.record.get("owner") is not None:
        # A run that lives in some process has no runner to end it: v1 marks it Canceled at once, and so do we.
        reader.refresh()
        deaths.seal_run(reader, {"state": states.CANCELED, "reason": "canceled"})
        reader.refresh()
