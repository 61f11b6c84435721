"""What ties a run to its experiment, its workspace and other runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from amlnb.api.experiment import Experiment
from amlnb.api.run import Run
from amlnb.api.run_reading import matches, run_at
from amlnb.api.workspace import Workspace
from amlnb.engine.served_pages import run_page
from amlnb.store.index import Index, RunSummary


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


def metrics(run: Run, name: str | None, recursive: bool, kind: str | None) -> dict[str, Any]:
    """Metrics of a run, or of all runs of its subtree that are of a kind."""
    reader = run._reader()
    reader.refresh()
    if not recursive:
        return reader.metrics(name)
    found = {run.id: reader.metrics(name)} if kind in (None, run.type) else {}
    for child in children(run, True, None, None, kind, None):
        found[child.id] = metrics(child, name, False, None)
    return {run_id: logged for run_id, logged in found.items() if logged}


def summary_of(run: Run) -> RunSummary:
    """Row of a run in the listing of its workspace."""
    return Index(run.experiment.workspace.directory).list_runs(run_id=run.id)[0]


def portal_url(run: Run) -> str:
    """Address of a run's page."""
    return run_page(run.experiment.workspace.portal_url, run.id)
