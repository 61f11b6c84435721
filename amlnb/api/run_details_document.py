"""``Run.get_details()``: all that is known of a run, in v1's keys."""

from __future__ import annotations

import datetime as dt

from amlnb.api.run import Run
from amlnb.api.run_content import toolkit
from amlnb.api.run_files import LOG_FOLDERS
from amlnb.core import coercion, states
from amlnb.core.run_definition import run_definition
from amlnb.errors import RunEnvironmentException
from amlnb.store import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

_SCRIPT_RUN = "azureml.scriptrun"


def details(run: Run, *, with_logs: bool = False) -> Dict[str, Any]:
    """Everything about a run, in v1's keys."""
    facts = run._facts()
    record = run._record()
    found: Dict[str, Any] = {
        "runId": run.id,
        "target": record.get("target"),
        "status": facts.state,
        "startTimeUtc": _utc(facts.started),
        "properties": _properties(record, facts.properties),
        "inputDatasets": [],
        "outputDatasets": [],
        "runDefinition": _definition(run, record),
        "logFiles": _logs(run, with_logs=with_logs),
        "submittedBy": coercion.mapping(record.get("submitter") or record.get("owner")).get("hostname"),
        "warnings": [{"source": "amlnb", "message": text} for text in facts.warnings],
    }
    if states.is_terminal(facts.phase):
        found["endTimeUtc"] = _utc(facts.ended)
    if facts.error:
        found["error"] = {"error": facts.error}
    return found


def _properties(record: Dict[str, Any], properties: Dict[str, str]) -> Dict[str, str]:
    """The run's properties, and those that v1's service told of every run."""
    snapshot = coercion.text(record.get("snapshot"))
    told = {} if snapshot is None else {"ContentSnapshotId": snapshot}
    if record.get("type") == _SCRIPT_RUN:
        told["_azureml.ComputeTargetType"] = "local" if record.get("target") == "local" else "amlcompute"
    return dict(told, **properties)


def _definition(run: Run, record: Dict[str, Any]) -> Dict[str, Any]:
    """The run configuration in v1's names."""
    definition = coercion.mapping(record.get("definition"))
    return dict(run_definition(record), environment=_environment(run, record, definition))


def _environment(run: Run, record: Dict[str, Any], definition: Dict[str, Any]) -> Dict[str, Any]:
    try:
        found: Dict[str, Any] = toolkit("run_reading").environment_document(run.directory, record)
    except RunEnvironmentException:  # in a job: what the submission said
        asked = coercion.mapping(definition.get("environment"))
        found = {
            "name": asked.get("name"),
            "version": asked.get("version"),
            "environmentVariables": coercion.mapping(definition.get("environment_variables")),
        }
    return found


def _logs(run: Run, *, with_logs: bool) -> Dict[str, str]:
    return {
        name: _text(path) if with_logs else path
        for name, path in files.list_files(run.directory).items()
        if name.startswith(LOG_FOLDERS)
    }


def _text(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _utc(seconds: Optional[float]) -> Optional[str]:
    if seconds is None:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
