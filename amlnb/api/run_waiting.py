"""Waiting for a run, with its log streamed as v1 printed it."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from amlnb.api import run_reading
from amlnb.core import layout, states
from amlnb.engine import follow
from amlnb.errors import ActivityFailedException, ExperimentExecutionException
from amlnb.store.plain_files import read_from

if TYPE_CHECKING:
    from amlnb.api.run import Run

_CHUNK_BYTES = 1024 * 1024


def wait(run: Run, show_output: bool, raise_on_error: bool) -> dict[str, Any]:
    """Wait for the end of a run; see ``Run.wait_for_completion``."""
    try:
        if show_output:
            _stream(run)
        else:
            for _ in follow.until_ended(run._reader()):
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


def log_text(run: Run) -> Iterator[str]:
    """Yield a run's log as it grows, until the run has ended."""
    path = os.path.join(run.directory, layout.USER_LOG)
    offset, decoder = 0, codecs.getincrementaldecoder("utf-8")(errors="replace")
    for _ in follow.until_ended(run._reader()):
        while True:
            data = read_from(path, offset, _CHUNK_BYTES)
            if not data:
                break
            offset += len(data)
            yield decoder.decode(data)
    yield decoder.decode(b"", final=True)


def _stream(run: Run) -> None:
    url = run.get_portal_url()
    print(f"RunId: {run.id}\nWeb View: {url}")
    begun = False
    for text in log_text(run):
        if text and not begun:
            print(f"\nStreaming {layout.USER_LOG}\n{'=' * (len(layout.USER_LOG) + 10)}\n")
            begun = True
        print(text, end="", flush=True)
    print(f"\nExecution Summary\n{'=' * 17}\nRunId: {run.id}\nWeb View: {url}\n")
