"""Waiting for a run in a cell, with or without someone to watch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from amlnb.api.run_futures import failure
from amlnb.api.run_waiting import log_text
from amlnb.core import states
from amlnb.engine.follow import until_ended
from amlnb.live.run_tail import RunTail
from amlnb.render.run_text import progress_line

if TYPE_CHECKING:
    from amlnb.api.run import Run
    from amlnb.notebook.display import RunDisplay

_LINE_INTERVAL_S = 10.0
# The first states usually pass within a blink; they are told only to those who wait for long.
_BEFORE_START = frozenset({states.NOT_STARTED, states.PREPARING, states.QUEUED, states.PROVISIONING, states.STARTING})
_QUIET_START_S = 2.0


def wait_beside_display(run: Run, display: RunDisplay) -> None:
    """Wait for the end while the display is refreshed by its thread. An interrupt detaches; the run goes on."""
    try:
        for _ in until_ended(run._reader()):
            pass
        display.done.wait(30.0)  # the final version is part of this cell's result
    except KeyboardInterrupt:
        _tell_detached(run)
        return
    raise_if_failed(run)


def wait_with_lines(run: Run) -> bool:
    """Wait for the end and print a line at each change of state, and every 10 seconds.

    Returns
    -------
    bool
        False if it was interrupted: the run then goes on.
    """
    tail = RunTail(run.directory, curve_limit=0)
    told_state, told_at, began = "", float("-inf"), time.monotonic()
    try:
        for facts in until_ended(run._reader()):
            state, now = facts.state, time.monotonic()
            if state in _BEFORE_START and now - began < _QUIET_START_S:
                continue
            if state != told_state or now - told_at >= _LINE_INTERVAL_S:
                print(progress_line(tail.poll()), flush=True)
                told_state, told_at = state, now
    except KeyboardInterrupt:
        _tell_detached(run)
        return False
    return True


def wait_with_log(run: Run) -> bool:
    """Wait for the end and print the run's log as it comes; as `wait_with_lines`."""
    try:
        for _, text in log_text(run):
            print(text, end="", flush=True)
    except KeyboardInterrupt:
        _tell_detached(run)
        return False
    return True


def raise_if_failed(run: Run) -> None:
    """Raise what made the run fail, so that whoever waited for it does not go on as if it had not.

    Raises
    ------
    RunFailedError
        The run is Failed.
    """
    error = failure(run)
    if error is not None:
        raise error


def _tell_detached(run: Run) -> None:
    print(
        f"amlnb: no longer waiting; the run goes on.\n"
        f"  watch it again:  evaluate the run: amlnb.Workspace.from_config().get_run({run.id!r})\n"
        f"  end it:          its .cancel()\n"
        f"  in a terminal:   amlnb run logs -f {run.id}   amlnb run cancel {run.id}",
        flush=True,
    )
