"""Runs that would be the same: one that has Completed can stand for another that was asked for."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any

from amlnb.core import coercion, states
from amlnb.store.index import Index, RunSummary
from amlnb.store.workspace_dir import WorkspaceDirectory

# Kept with every submitted run.
PROPERTY = "amlnb.fingerprint"
_OF_DEFINITION = (
    *("script", "arguments", "command", "interpreter", "environment_variables"),
    *("environment_request", "environment_generation"),
)


def fingerprint(record: dict[str, Any], depends: str) -> str:
    """Put what a run's outcome depends on into one word.

    Parameters
    ----------
    record
        The submission record: its snapshot (code and captured values), what is run (parameters among it), the target,
        and the interpreter. Of the submitter's own interpreter the installed packages count too.
    depends
        What else it depends on.
    """
    definition = coercion.mapping(record.get("definition"))
    interpreter = str(definition.get("interpreter"))
    told = {
        "snapshot": record.get("snapshot"),
        "target": record.get("target"),
        "home": record.get("home"),
        "definition": {name: definition.get(name) for name in _OF_DEFINITION},
        "python": [*_installed()] if interpreter == sys.executable else [],
        "depends": depends,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:32]


def completed_run(workspace: WorkspaceDirectory, record: dict[str, Any]) -> RunSummary | None:
    """Newest Completed run of the record's experiment that would be the same; None if there is none."""
    wanted = record["properties"][PROPERTY]
    for run in Index(workspace).list_runs(record["experiment"]):
        if run.properties.get(PROPERTY) == wanted and run.state == states.COMPLETED and not run.archived:
            return run
    return None


def _installed() -> list[str]:
    """Name and version of every package, as the names of their folders tell them."""
    found = {sys.version}
    for folder in sys.path:
        try:
            found.update(name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-link")))
        except OSError:  # a zip file, or an entry that is not there
            continue
    return sorted(found)
