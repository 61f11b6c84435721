"""``amlnb run wait``, and waiting for what was submitted.

The exit code is the run's: 0 for Completed; for Failed the exit code of its script, 128 + n if signal n ended it, else
1; 130 for Canceled. Of several runs, that of the first that is not 0.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, TextIO

import typer

from amlnb.cli.log_copy import LogCopy, StepsCopy
from amlnb.cli.output import Json, emit, note, progress, state_text
from amlnb.cli.run_names import RunNames, find_runs, plain_id, short_id
from amlnb.core import layout

if TYPE_CHECKING:
    from amlnb.core.replay import RunFacts
    from amlnb.store.run_reader import RunReader

CANCELED = 128 + signal.SIGINT
_LONGEST = 1000


def wait(runs: RunNames, as_json: Json = False) -> None:
    """Wait until runs have ended; exit as they did.

    0 for Completed; for Failed the script's own exit code, 128+n if signal n ended it, else 1; 130 for Canceled. Of
    several runs, the first code that is not 0. Ctrl-C ends the waiting only.
    """
    from amlnb.api.workspace import Workspace
    from amlnb.store.run_reader import RunReader

    found = find_runs(Workspace.from_config(), runs)
    ended = [wait_for(RunReader(run.directory), show_output=False) for run in found]
    if as_json:
        emit({"runs": [outcome(run.id, facts) for run, facts in zip(found, ended, strict=True)]})
    else:
        for run, facts in zip(found, ended, strict=True):
            print(ending(run.id, facts))
    raise typer.Exit(next((code for code in map(exit_code, ended) if code), 0))


def wait_for(reader: RunReader, *, show_output: bool) -> RunFacts:
    """Wait for a run's end, if asked with its log on stdout as it grows; Ctrl-C detaches.

    Raises
    ------
    typer.Exit
        With 130, after Ctrl-C.
    """
    from amlnb.engine.follow import until_ended

    # stdout is the script's: what its environment's build has to say goes beside it.
    build_log, user_log = (os.path.join(reader.directory, name) for name in (layout.BUILD_LOG, layout.USER_LOG))
    where = f"          (more in {layout.BUILD_LOG}: 'amlnb run logs --build {short_id(reader.id)}')"
    logs = (StepsCopy(build_log, sys.stderr.buffer, where), LogCopy(user_log, sys.stdout.buffer))
    try:
        # A log on the terminal leaves no line for anything that is drawn over and over.
        with contextlib.nullcontext() if show_output else progress() as show:
            for facts in until_ended(reader):
                if show is None:
                    for log in logs:
                        log.copy_new()
                else:
                    show(f"{reader.id}: {facts.state}", 0)
    except KeyboardInterrupt:
        detached(reader.id)
    return facts


def detached(run_id: str) -> None:
    """Tell, after Ctrl-C, that the run goes on."""
    name = short_id(run_id)
    note(f"\nthe run {run_id} goes on: 'amlnb run logs -f {name}' follows it, 'amlnb run cancel {name}' ends it")
    raise typer.Exit(130)


def exit_code(facts: RunFacts) -> int:
    """Exit code for a run that has ended."""
    from amlnb.core import states

    if facts.phase == states.COMPLETED:
        return 0
    if facts.phase == states.CANCELED:
        return CANCELED
    if facts.signal and 0 < facts.signal < 128:
        return 128 + facts.signal
    return facts.exit_code if facts.exit_code and 0 < facts.exit_code < 256 else 1


def outcome(run_id: str, facts: RunFacts) -> dict[str, Any]:
    """How a run ended, for JSON."""
    return {
        "id": run_id,
        "state": facts.state,
        "exit_code": facts.exit_code,
        "signal": facts.signal,
        "reason": facts.reason,
        "error": facts.error,
        "started": facts.started,
        "ended": facts.ended,
    }


def tell_ending(run_id: str, facts: RunFacts) -> None:
    """Print how a run ended on stderr."""
    sys.stdout.flush()
    print(ending(run_id, facts, sys.stderr), file=sys.stderr, flush=True)


def ending(run_id: str, facts: RunFacts, stream: TextIO | None = None) -> str:
    """How a run ended, on a few lines for a stream (default: stdout)."""
    from amlnb.render.formatting import format_duration, one_line

    took = ""
    if facts.started is not None and facts.ended is not None:
        took = f" in {format_duration(facts.ended - facts.started)}"
    lines = [f"{state_text(facts.state, stream)}  {plain_id(run_id)}{took}"]
    error = facts.error or {}
    lines += [f"  {one_line(text, _LONGEST)}" for text in (error.get("message") or facts.reason,) if text]
    if error.get("hint"):
        lines.append(f"  hint: {one_line(error['hint'], _LONGEST)}")
    return "\n".join(lines)
