"""Runs on the command line: the argument that names one, and the run of the workspace that it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from amlnb.render.formatting import one_line
from amlnb.store.run_names import choose, number_name, short_id

if TYPE_CHECKING:
    from amlnb.api.workspace import Workspace
    from amlnb.store.index import RunSummary

__all__ = ["RunName", "RunNames", "choose", "find_run", "find_runs", "number_name", "plain_id", "short_id"]

_LONGEST_ID = 1000
_HELP = "A run: its id, a unique beginning or end of it, EXPERIMENT#NUMBER, or 'last'."

RunName = Annotated[str, typer.Argument(metavar="RUN", help=_HELP, show_default=False)]
RunNames = Annotated[list[str], typer.Argument(metavar="RUN...", help=_HELP, show_default=False)]


def plain_id(run_id: str) -> str:
    """Return an id without what would command a terminal: a run that somebody handed on may have any."""
    return one_line(run_id, _LONGEST_ID)


def find_run(workspace: Workspace, name: str) -> RunSummary:
    """Find the run of a workspace that a name means; see `amlnb.store.run_names.choose`."""
    from amlnb.store.index import Index

    return choose(name, Index(workspace.directory).list_runs())


def find_runs(workspace: Workspace, names: Sequence[str]) -> list[RunSummary]:
    """Find several runs, each once, in the order of their names."""
    from amlnb.store.index import Index

    runs = Index(workspace.directory).list_runs()
    return list({run.id: run for run in (choose(name, runs) for name in names)}.values())
