"""Waiting for a run, with its log streamed as v1 printed it."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from amlnb.api.run_details_document import details
from amlnb.core import coercion, layout, states
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
    found = details(run)
    if found["status"] == states.FAILED:
        error = json.dumps(_in_short(found.get("error")), indent=4)
        if raise_on_error:
            raise ActivityFailedException(f"Activity Failed:\n{error}", _where(run, found.get("error")))
        print(f"\nError:\n{error}")
    return found


def _in_short(error: Any) -> Any:
    """An error without its frames and local values, which get_details() has: people read this one."""
    if not isinstance(error, dict) or not isinstance(error.get("error"), dict):
        return error
    return {**error, "error": {key: value for key, value in error["error"].items() if key != "details"}}


def _where(run: Run, error: Any) -> str | None:
    """The last line of the run's own code that its failure came through, where that is known."""
    details = coercion.mapping(coercion.mapping(coercion.mapping(error).get("error")).get("details"))
    work = os.path.join(os.path.realpath(run.directory), layout.WORK, "")
    own = [frame for frame in coercion.items(details.get("frames")) if _file_of(frame).startswith(work)]
    if not own or not own[-1].get("text"):
        return None
    name = _file_of(own[-1]).removeprefix(work)
    return f"it failed in {name}, line {own[-1].get('line')}: {own[-1]['text']}"


def _file_of(frame: Any) -> str:
    return os.path.realpath(coercion.text(coercion.mapping(frame).get("file")) or "")


def log_text(run: Run) -> Iterator[tuple[str, str]]:
    """Yield a run's logs as they grow, until the run has ended: that of its environment's build, then its own.

    Yields
    ------
    tuple
        The log's name, and text; no name for why nothing is heard of the run.
    """
    logs = [_Log(run, name) for name in (layout.BUILD_LOG, layout.USER_LOG)]
    told: str | None = None
    for facts in follow.until_ended(run._reader()):
        for log in logs:
            for text in log.new():
                yield log.name, text
        reason = facts.reason if facts.state == states.NOT_RESPONDING else None
        if reason and reason != told:
            yield "", f"Warning: {reason}\nThe run waits until that is over.\n"
        told = reason


class _Log:
    """One log, read from where the last reading ended."""

    def __init__(self, run: Run, name: str) -> None:
        self.name = name
        self._path = os.path.join(run.directory, name)
        self._offset = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def new(self) -> Iterator[str]:
        while data := read_from(self._path, self._offset, _CHUNK_BYTES):
            self._offset += len(data)
            yield self._decoder.decode(data)


def _stream(run: Run) -> None:
    url = run.get_portal_url()
    print(f"RunId: {run.id}\nWeb View: {url}")
    current = ""
    for name, text in log_text(run):
        if name and text and name != current:
            print(f"\nStreaming {name}\n{'=' * (len(name) + 10)}\n")
            current = name
        print(text, end="", flush=True)
    print(f"\nExecution Summary\n{'=' * 17}\nRunId: {run.id}\nWeb View: {url}\n")
