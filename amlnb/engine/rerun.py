"""Running a run again: its snapshot, definition and tags, under a new id, whatever became of its source."""

from __future__ import annotations

import dataclasses
import os
import time
from typing import Any

from amlnb.core import coercion
from amlnb.core.manifest import decode
from amlnb.engine import queue, reuse, submit, targets
from amlnb.engine.kept_environment import kept_lock
from amlnb.environments.requests import Order
from amlnb.errors import FormatError, UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.store.objects import ObjectStore
from amlnb.store.run_record import read_record
from amlnb.store.workspace_dir import WorkspaceDirectory

RERUN_OF = "amlnb.rerun_of"


def rerun(directory: str, workspace: WorkspaceDirectory) -> str:
    """Submit a run again and return the directory of the new one; it is queued when this returns.

    It gets the snapshot, definition, display name and tags that the first one was submitted with, and a property
    ``amlnb.rerun_of``. Tags that were added later are results and are not taken over.

    Raises
    ------
    UserErrorException
        It was not submitted but lives in a process, or its interpreter is gone.
    FormatError
        Its snapshot is missing or damaged.
    ComputeTargetException
        Its target is gone.
    """
    record = read_record(directory)
    run_id, definition, snapshot = record["id"], record.get("definition"), record.get("snapshot")
    if not isinstance(definition, dict) or not isinstance(snapshot, str):
        raise UserErrorException(
            f"the run {run_id!r} cannot be run again: it was not submitted, but lived in the process that made it",
            hint="run that program again",
        )
    target = _target(record, workspace.path)
    _check_interpreter(run_id, definition, target)
    objects = ObjectStore(workspace.objects)
    _keep(run_id, objects, snapshot)
    if isinstance(record.get("git_diff"), str):
        objects.refresh(record["git_diff"])
    again = {
        **record,
        "id": submit.new_run_id(record["experiment"]),
        "created": time.time(),
        "home": submit.home_of(target),
        "submitter": queue.submitter(),
        "properties": {**_lasting(record.get("properties")), RERUN_OF: run_id},
    }
    return submit.queue_run(workspace, submit.Submission(again, target, _order(directory, definition, workspace.path)))


def _target(record: dict[str, Any], data: str) -> dict[str, Any]:
    """Definition of a run's target: this machine if it was that, whatever the name stands for by now."""
    if targets.has_home_here(record):
        return {"kind": targets.LOCAL}
    return targets.read(data, str(record["target"]))


def _order(directory: str, definition: dict[str, Any], data: str) -> Order | None:
    """The order for the very environment that the first run had; None if none was built for it."""
    if "environment_request" not in definition:
        return None
    from amlnb.environments.asking import request_of

    spec = EnvironmentSpec.from_dict(coercion.mapping(definition.get("environment")))
    lock = kept_lock(directory)
    request = request_of(spec, os.environ)
    if lock is not None and lock.image is None and request.interpreter.minor != lock.minor:
        request = request_of(dataclasses.replace(spec, python=lock.minor, python_is_soft=False), os.environ)
    return Order(request, data, os.getcwd(), lock=lock)


def _lasting(properties: object) -> dict[str, Any]:
    """Properties that hold of the new run too: what else the first one depended on may be different by now."""
    return {key: value for key, value in coercion.mapping(properties).items() if key != reuse.PROPERTY}


def _check_interpreter(run_id: str, definition: dict[str, Any], target: dict[str, Any]) -> None:
    interpreter = str(definition.get("interpreter") or "")
    if target["kind"] == targets.LOCAL and os.path.isabs(interpreter) and not os.path.exists(interpreter):
        raise UserErrorException(
            f"the interpreter of the run {run_id!r} is gone: {interpreter!r}",
            hint="make that environment again, or submit the script from another one",
        )


def _keep(run_id: str, objects: ObjectStore, snapshot: str) -> None:
    """See that a snapshot is complete, and mark it as used, so that a gc at this moment leaves it."""
    if not objects.refresh(snapshot):
        raise FormatError(
            f"the snapshot of the run {run_id!r} is missing in {objects.root!r}",
            hint="it was deleted by hand, or the run was copied without its workspace's objects",
        )
    manifest = decode(objects.read(snapshot), snapshot)
    for path, (sha, size, _) in manifest.files.items():
        if not objects.refresh(sha, size):
            raise FormatError(
                f"the run {run_id!r} cannot be run again: the content of {path!r} is missing in {objects.root!r}",
                hint="put that file back into a copy of the run's code (amlnb run bundle) and submit it from there",
            )
