"""Waiting for a run, with its log streamed as v1 printed it."""

from __future__ import annotations

import codecs
import json
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from amlnb.api import run_reading
from amlnb.core import layout, states
from amlnb.engine import look as looking
from amlnb.errors import ActivityFailedException, ExperimentExecutionException
from amlnb.store.plain_files import read_from

if TYPE_CHECKING:
    from amlnb.api.run import Run

_SHORTEST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.25
# Looking wakes the courier; between two looks the run's files alone are read.
_LOOK_S = 1.0
_CHUNK_BYTES = 1024 * 1024


def wait(run: Run, show_output: bool, raise_on_error: bool) -> dict[str, Any]:
    """Wait for the end of a run; see ``Run.wait_for_completion``."""
    try:
        if show_output:
            _stream(run)
        else:
            for _ in until_ended(run):
                pass
    except KeyboardInterrupt as interrupt:
        raise ExperimentExecutionException(
            f"output streaming interrupted; the run {run.id!r} goes on",
            hint="wait_for_completion() attaches again, cancel() ends it",
        ) from interrupt
    details = run_reading.details(run)
    if details["status"] == states.FAILED:
        error = json.dumps(details.get("error"), indent=4)
        if raise_on_error:
            raise ActivityFailedException(f"Activity Failed:\n{error}")
        print(f"\nError:\n{error}")
    return details


def until_ended(run: Run) -> Iterator[str]:
    """Yield the run's state, at first often and then four times a second, until it has ended."""
    reader = run._reader()
    pause_s, looked_at = _SHORTEST_PAUSE_S, 0.0
    while True:
        now = time.monotonic()
        if now - looked_at >= _LOOK_S:
            looking.look(reader)
            looked_at = now
        else:
            reader.refresh()
        facts = reader.facts()
        yield facts.state
        if states.is_terminal(facts.state):
            if not facts.sealed:
                looking.look(reader)  # an end that only this reader has proved is recorded
            return
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)


def _stream(run: Run) -> None:
    url = run.get_portal_url()
    print(f"RunId: {run.id}\nWeb View: {url}")
    path = os.path.join(run.directory, layout.USER_LOG)
    offset, begun = 0, False
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    for _ in until_ended(run):
        while True:
            data = read_from(path, offset, _CHUNK_BYTES)
            if not data:
                break
            if not begun:
                print(f"\nStreaming {layout.USER_LOG}\n{'=' * (len(layout.USER_LOG) + 10)}\n")
                begun = True
            offset += len(data)
            print(decoder.decode(data), end="", flush=True)
    print(f"{decoder.decode(b'', final=True)}\nExecution Summary\n{'=' * 17}\nRunId: {run.id}\nWeb View: {url}\n")
