"""Runs of a notebook that are still going, for a kernel that did not submit them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amlnb.core import states
from amlnb.store import workspace_dir

if TYPE_CHECKING:
    from amlnb.api.run import Run

# Kept with the run: the notebook that it was submitted from.
NOTEBOOK_PROPERTY = "notebook.path"
_LIMIT = 5


def unfinished_runs(notebook: str | None) -> list[Run]:
    """Find them in the workspace of the working directory, the oldest first; at most the newest 5.

    Parameters
    ----------
    notebook
        Path of the notebook as it was when they were submitted. With None there are none: nobody can tell whose a
        run is.

    Raises
    ------
    AmlnbError, OSError
        There is a workspace, and it cannot be read.
    """
    if notebook is None or (workspace_dir.find_config(".") is None and workspace_dir.find_data(".") is None):
        return []
    from amlnb.api.workspace import Workspace
    from amlnb.store.index import Index

    workspace = Workspace.from_config()
    going = [
        run.id
        for run in Index(workspace.directory).list_runs()
        if run.properties.get(NOTEBOOK_PROPERTY) == notebook and not states.is_terminal(run.state) and not run.archived
    ]
    return [workspace.get_run(run_id) for run_id in reversed(going[:_LIMIT])]
