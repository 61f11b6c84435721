"""What ties a run to its experiment, its workspace and other runs."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from typing import Any

from amlnb.api.experiment import Experiment
from amlnb.api.run import Run
from amlnb.api.run_reading import matches, run_at
from amlnb.api.workspace import Workspace
from amlnb.errors import UserErrorException
from amlnb.store.index import Index, RunSummary


def find_directory(experiment: Experiment, run_id: str) -> str:
    """Directory of a run of the experiment's workspace."""
    directory = experiment.workspace.directory.find_run(run_id)
    if directory is None:
        known = [summary.id for summary in Index(experiment.workspace.directory).list_runs(experiment.name)]
        near = difflib.get_close_matches(run_id, known, 1)
        raise UserErrorException(
            f"there is no run {run_id!r} in the workspace {experiment.workspace.name!r}",
            hint=f"did you mean {near[0]!r}?" if near else "'amlnb run list' shows the runs",
        )
    return directory


def experiment_of(run: Run) -> Experiment:
    """The experiment of a run that was found by its directory."""
    data = os.path.dirname(os.path.dirname(run.directory))
    return Experiment(Workspace._at(data), run._experiment_name)


def parent_of(run: Run) -> Run | None:
    """Parent of a child run."""
    parent = run._reader().record.get("parent")
    directory = run.experiment.workspace.directory.find_run(parent) if isinstance(parent, str) else None
    return None if directory is None else run_at(directory)


def children(
    run: Run,
    recursive: bool,
    tags: Any,
    properties: Any,
    kind: str | None,
    status: str | None,
) -> Iterator[Run]:
    """Child runs, the newest first; with ``recursive`` all below."""
    experiment = run.experiment
    listed = Index(experiment.workspace.directory).list_runs()
    wanted = {run.id}
    if recursive:
        grown = True
        while grown:
            below = {summary.id for summary in listed if summary.parent in wanted}
            grown = not below <= wanted
            wanted |= below
    for summary in listed:
        if summary.parent in wanted and summary.id != run.id and matches(summary, tags, properties, kind, status):
            yield run_at(summary.directory, experiment if summary.experiment == experiment.name else None)


def metrics(run: Run, name: str | None, recursive: bool) -> dict[str, Any]:
    """Metrics of a run, or of all runs of its subtree."""
    reader = run._reader()
    reader.refresh()
    if not recursive:
        return reader.metrics(name)
    found = {run.id: reader.metrics(name)}
    for child in children(run, True, None, None, None, None):
        found[child.id] = metrics(child, name, False)
    return {run_id: logged for run_id, logged in found.items() if logged}


def summary_of(run: Run) -> RunSummary:
    """Row of a run in the listing of its workspace."""
    return Index(run.experiment.workspace.directory).list_runs(run_id=run.id)[0]


def portal_url(run: Run) -> str:
    """Address of a run's page."""
    return f"{run.experiment.workspace.portal_url}/runs/{run.id}"
