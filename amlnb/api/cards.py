"""What a cell shows that evaluates to a run or a workspace, where no extension shows more."""

from __future__ import annotations

import os

from amlnb.api.run import Run
from amlnb.api.runs_table import listed_runs
from amlnb.engine import look as looking
from amlnb.engine.slots import WaitingLine
from amlnb.live.run_tail import RunTail
from amlnb.render import cards
from amlnb.store.index import Index
from amlnb.store.workspace_dir import WorkspaceDirectory


def run_html(run: Run) -> str:
    """A run as it is now."""
    tail = RunTail(run.directory, log_lines=1, waits=WaitingLine().reason)
    looking.look(tail.reader)
    return cards.run_card(tail.poll())


def workspace_html(directory: WorkspaceDirectory) -> str:
    """A workspace and its experiments, the one with the newest run first; without what is archived."""
    found: dict[str, dict[str, int]] = {}
    for run in listed_runs(Index(directory), directory, None):
        counts = found.setdefault(run.experiment, {})
        counts[run.state] = counts.get(run.state, 0) + 1
    rows = [cards.ExperimentRow(name, sum(counts.values()), counts) for name, counts in found.items()]
    return cards.workspace_card(f"workspace {directory.ids.workspace_name}", _told_path(directory.path), rows)


def _told_path(path: str) -> str:
    """As seen from here, if it is near: what is shown is saved with a notebook, which others open elsewhere."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.path.join(os.pardir, os.pardir, os.pardir)) else relative
