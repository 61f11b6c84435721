"""A run that lives in the process that starts it, as ``Experiment.start_logging`` makes it."""

from __future__ import annotations

import os
import uuid
from typing import Any

from amlnb import host
from amlnb.engine import queue
from amlnb.engine.git import read_git
from amlnb.engine.snapshot import Snapshot, SnapshotLimits, take_snapshot
from amlnb.engine.submit import unwritable_told
from amlnb.errors import SnapshotException, UserErrorException
from amlnb.store.objects import ObjectStore
from amlnb.store.workspace_dir import WorkspaceDirectory
from amlnb.tracking import create as creation


def record(experiment: str, run_id: str | None, display_name: str | None) -> dict[str, Any]:
    """The submission record of such a run, but for its source.

    Raises
    ------
    UserErrorException
        A name is no text.
    """
    for what, given in (("run_id", run_id), ("name", display_name)):
        if not isinstance(given, str | None):
            raise UserErrorException(f"{what} is {given!r}, a {type(given).__name__}", hint="give a text")
    made = creation.record_of_process(experiment, run_id or str(uuid.uuid4()), display_name)
    return {**made, "submitter": queue.submitter()}


def create(directory: WorkspaceDirectory, record: dict[str, Any], snapshot_directory: str | None) -> str:
    """Keep the folder and make the run, telling what is left out; return its directory.

    Raises
    ------
    ExperimentExecutionException
        The workspace cannot be written to.
    SnapshotException
        The folder cannot be kept.
    """
    objects = ObjectStore(directory.objects)
    git = read_git(os.path.abspath(snapshot_directory or "."))
    with unwritable_told(directory):
        if snapshot_directory is not None:
            snapshot = _snapshot(snapshot_directory, objects)
            record.update(snapshot=snapshot.id, warnings=list(snapshot.warnings))
        record.update(git.record(objects))
        record["properties"] = git.properties()
        directory.make_experiment(record["experiment"])
        path = creation.create_run(directory.runs, record)
    for text in record["warnings"]:
        print(f"Warning: {text}")
    return path


def _snapshot(directory: str, objects: ObjectStore) -> Snapshot:
    """Keep a folder; what refuses it tells how to do without."""
    limits = SnapshotLimits.from_environ(os.environ)
    try:
        return take_snapshot(directory, objects, host.cache_dir(), limits=limits)
    except SnapshotException as error:
        hint = f"{error.hint}; or start_logging(snapshot_directory=None)"
        raise SnapshotException(error.message, hint=hint) from error
