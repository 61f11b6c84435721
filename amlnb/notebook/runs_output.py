"""``%runs``: the table of runs as an output."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from amlnb.api.run_outputs import Output
from amlnb.api.runs_table import runs_table
from amlnb.errors import UserErrorException
from amlnb.render.runs_table import ROW_LIMIT, runs_html, runs_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amlnb.api.workspace import Workspace


def runs_outputs(
    workspace: Workspace,
    experiment: str | None = None,
    *,
    limit: int = ROW_LIMIT,
    metrics: Sequence[str] = (),
    sort_by: str | None = None,
    ascending: bool | None = None,
) -> list[Output]:
    """Make the table of an experiment's runs, or of all of a workspace, as `amlnb.api.runs_table.runs_table` does.

    Raises
    ------
    UserErrorException
        There is no such experiment, metric or parameter.
    """
    known = workspace.directory.experiment_names()
    if experiment is not None and experiment not in known:
        near = difflib.get_close_matches(experiment, known, 1)
        raise UserErrorException(
            f"there is no experiment {experiment!r} in this workspace",
            hint=f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known[:20]) or 'none'}",
        )
    view = runs_table(
        workspace.directory, experiment, limit=limit, metrics=metrics, sort_by=sort_by, ascending=ascending
    ).view
    return [Output({"text/html": runs_html(view), "text/plain": runs_text(view)}, {})]
