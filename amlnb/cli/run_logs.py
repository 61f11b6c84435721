"""``amlnb run logs``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from amlnb.cli.log_copy import JsonLogCopy, LogCopy, tail_offset
from amlnb.cli.output import Json, note
from amlnb.cli.run_names import RunName, find_run
from amlnb.cli.run_wait import detached, tell_ending
from amlnb.core import layout

if TYPE_CHECKING:
    from amlnb.store.run_reader import RunReader


def logs(
    run: RunName,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run has ended.")] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", min=0, metavar="LINES", help="Begin with the last lines only.")
    ] = None,
    build: Annotated[bool, typer.Option("--build", help="The log of the build of its environment.")] = False,
    as_json: Json = False,
) -> None:
    """Print the log of a run.

    Stdout and stderr of its script, in the order of their writing; of a run that never began, the log of the build of
    its environment. Ctrl-C ends the following only; the run goes on.
    """
    from amlnb.api.workspace import Workspace
    from amlnb.store.run_reader import RunReader

    found = find_run(Workspace.from_config(), run)
    path = os.path.join(found.directory, layout.BUILD_LOG if build else layout.USER_LOG)
    if found.ended and not os.path.exists(path):
        path = os.path.join(found.directory, layout.BUILD_LOG)
    offset = 0 if tail is None else tail_offset(path, tail)
    log = JsonLogCopy(path, offset) if as_json else LogCopy(path, sys.stdout.buffer, offset)
    if follow:
        _follow(RunReader(found.directory), log)
        return
    log.copy_new()
    if build and not os.path.exists(path):
        note("nothing was built for this run")
    elif not os.path.exists(path):
        note(f"the run {found.id} has no log yet: it is {found.state}" if not found.ended else "the run has no log")


def _follow(reader: RunReader, log: LogCopy | JsonLogCopy) -> None:
    from amlnb.engine.follow import until_ended

    try:
        for _ in until_ended(reader):
            log.copy_new()
    except KeyboardInterrupt:
        detached(reader.id)
    tell_ending(reader.id, reader.facts())
