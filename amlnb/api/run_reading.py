"""The reading half of ``Run``: what its methods do once the toolkit is there."""

from __future__ import annotations

import datetime
import difflib
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from amlnb.api.experiment import Experiment
from amlnb.api.run import Run
from amlnb.api.workspace import Workspace
from amlnb.core import states
from amlnb.core.replay import RunFacts
from amlnb.engine import look as looking
from amlnb.errors import UserErrorException
from amlnb.store import files, series
from amlnb.store.index import Index, RunSummary
from amlnb.store.run_reader import RunReader

if TYPE_CHECKING:
    import pandas as pd


def open_reader(directory: str) -> RunReader:
    """Open a run directory for reading."""
    return RunReader(directory)


def look(reader: RunReader) -> RunFacts:
    """Bring a reader up to date, do what is owed to the run, and return what is known of it."""
    looking.look(reader)
    return reader.facts()


def cancel(run: Run) -> None:
    """Ask for a run's end."""
    looking.cancel(run._reader(), f"pid {os.getpid()}")


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


def run_at(directory: str, experiment: Experiment | None = None) -> Run:
    """Make a run object of a run directory."""
    reader = RunReader(directory)
    run = Run._attached(directory, reader.id, reader.experiment, "client", owned=False)
    run._kept_reader = reader
    if experiment is not None:
        run._experiment = experiment
    return run


def summary_of(run: Run) -> RunSummary:
    """Row of a run in the listing of its workspace."""
    return Index(run.experiment.workspace.directory).list_runs(run_id=run.id)[0]


def parent_of(run: Run) -> Run | None:
    """Parent of a child run."""
    parent = run._reader().record.get("parent")
    directory = run.experiment.workspace.directory.find_run(parent) if parent else None
    return None if directory is None else run_at(directory)


def details(run: Run, *, with_logs: bool = False) -> dict[str, Any]:
    """Everything about a run, in v1's keys."""
    facts = look(run._reader())
    record = run._reader().record
    found: dict[str, Any] = {
        "runId": run.id,
        "target": record.get("target"),
        "status": facts.state,
        "startTimeUtc": _utc(facts.started),
        "properties": facts.properties,
        "inputDatasets": [],
        "outputDatasets": [],
        "runDefinition": _definition(record),
        "logFiles": _logs(run, with_logs=with_logs),
        "submittedBy": (record.get("submitter") or record.get("owner") or {}).get("hostname"),
        "warnings": [{"source": "amlnb", "message": text} for text in facts.warnings],
    }
    if states.is_terminal(facts.phase):
        found["endTimeUtc"] = _utc(facts.ended)
    if facts.error:
        found["error"] = {"error": facts.error}
    return found


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


def metric_series(run: Run, name: str, index: str) -> pd.Series[Any]:
    """One metric as a pandas Series."""
    if index not in ("step", "time"):
        raise UserErrorException(f"the index of a metric is 'step' or 'time', not {index!r}")
    reader = run._reader()
    reader.refresh()
    known = reader.metric_names()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        raise UserErrorException(
            f"the run {run.id!r} has no metric {name!r}",
            hint=f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(known[:20]) or 'none so far'}",
        )
    return series.to_pandas(reader.series(name), name, index)


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
            yield run_at(summary.directory, experiment)


def matches(summary: RunSummary, tags: Any, properties: Any, kind: str | None, status: str | None) -> bool:
    """Tell whether a run has these tags (a key, or a dict of key and value), properties, type and state."""
    return (
        _has(summary.tags, tags)
        and _has(summary.properties, properties)
        and (kind is None or summary.type == kind)
        and (status is None or summary.state == status)
    )


def portal_url(run: Run) -> str:
    """Address of a run's page."""
    return f"{run.experiment.workspace.portal_url}/runs/{run.id}"


def _has(held: Mapping[str, str | None], wanted: Any) -> bool:
    if not wanted:
        return True
    if isinstance(wanted, str):
        return wanted in held
    return all(key in held and (value is None or held[key] == str(value)) for key, value in dict(wanted).items())


def _definition(record: Mapping[str, Any]) -> dict[str, Any]:
    definition = record.get("definition") or {}
    return {
        "script": definition.get("script"),
        "command": definition.get("command") or "",
        "arguments": definition.get("arguments") or [],
        "sourceDirectoryDataStore": None,
        "target": record.get("target"),
        "maxRunDurationSeconds": definition.get("timeout_s"),
        "environment": {
            "environmentVariables": definition.get("environment_variables") or {},
            "python": {"interpreterPath": definition.get("interpreter"), "userManagedDependencies": True},
        },
        "snapshotId": record.get("snapshot"),
    }


def _logs(run: Run, *, with_logs: bool) -> dict[str, str]:
    found = {}
    for name, path in files.list_files(run.directory).items():
        if name.startswith(("user_logs/", "azureml-logs/", "logs/")):
            found[name] = _text(path) if with_logs else path
    return found


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _utc(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
