"""Submission: check, snapshot, record, queue, wake; nothing is started here."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from amlnb import host
from amlnb.engine import queue, reuse, targets
from amlnb.engine.courier import wake
from amlnb.engine.git import read_git
from amlnb.engine.result_keys import KEY_VARIABLE, result_key
from amlnb.engine.snapshot import SnapshotLimits, take_snapshot
from amlnb.environments.requests import Order, find
from amlnb.errors import ComputeTargetException, ExperimentExecutionException, UserErrorException
from amlnb.specs.environment_spec import EXISTING
from amlnb.specs.run_spec import RunSpec
from amlnb.store.objects import ObjectStore
from amlnb.store.workspace_dir import WorkspaceDirectory
from amlnb.tracking import context, create

# In a run's definition: the Python of the environment that is built for it, wherever that will be.
OWN_PYTHON = "python"


def submit(spec: RunSpec, workspace: WorkspaceDirectory) -> str:
    """Submit a run and return its directory; it is queued when this returns.

    Raises
    ------
    ExperimentExecutionException
        The source directory or the script is missing, or the workspace cannot be written to.
    SnapshotException
        The source directory cannot be kept.
    ComputeTargetException
        The target is not known.
    UserErrorException
        Anything else that is wrong with ``spec``.
    """
    return queue_run(workspace, prepare(spec, workspace))


@dataclass(frozen=True)
class Submission:
    """A run that is ready to be queued.

    Attributes
    ----------
    record
        Its submission record, which becomes run.json.
    target
        Definition of its target.
    order
        The order for its environment; None where that is there already.
    """

    record: dict[str, Any]
    target: dict[str, Any]
    order: Order | None = None


def prepare(spec: RunSpec, workspace: WorkspaceDirectory) -> Submission:
    """Check a run, keep its source, and make its submission record; raises as `submit`."""
    target, told = _checked(spec, workspace.path)
    order = order_of(spec, workspace.path, target)
    git_reading = ThreadPoolExecutor(1)
    # Of a cell and of a script alike: the repository is that of the folder it was submitted from.
    git_state = git_reading.submit(read_git, spec.link_directory or spec.source_directory)
    git_reading.shutdown(wait=False)
    with unwritable_told(workspace):
        objects = ObjectStore(workspace.objects)
        snapshot = take_snapshot(
            spec.source_directory,
            objects,
            host.cache_dir(),
            limits=SnapshotLimits.from_environ(os.environ),
            only=spec.only,
            extra=spec.added,
        )
        git = git_state.result()
        record = _record(spec, target, snapshot.id)
        record["definition"].update(_environment(spec, target, order, workspace.path))
        notes = _notes(spec, target) if order is None else order.request.spec.notes
        record["warnings"] = [*spec.warnings, *([told] if told else []), *notes, *snapshot.warnings]
        record.update(git.record(objects))
        record["properties"] = {
            **git.properties(),
            "ContentSnapshotId": snapshot.id,
            reuse.PROPERTY: reuse.fingerprint(record, spec.depends),
            **spec.properties,
        }
    return Submission(record, target, order)


def queue_run(workspace: WorkspaceDirectory, submission: Submission) -> str:
    """Create a run, queue it behind all others, and return its directory.

    Raises
    ------
    ExperimentExecutionException
        The workspace cannot be written to.
    """
    record = submission.record
    with unwritable_told(workspace):
        workspace.make_experiment(record["experiment"])
        directory = create.create_run(workspace.runs, record)
    try:
        queue.add(_ticket(workspace, submission, directory))
    except OSError as error:
        shutil.rmtree(directory, ignore_errors=True)  # nobody knows of it yet, and nobody would start it
        raise ExperimentExecutionException(
            f"the run could not be queued on this host: {error}",
            hint="free some space there or make it writable; AMLNB_CACHE_DIR names another folder",
        ) from error
    wake.wake()
    return directory


def _ticket(workspace: WorkspaceDirectory, submission: Submission, directory: str) -> queue.Ticket:
    record, order = submission.record, submission.order
    return queue.Ticket(
        run_id=record["id"],
        directory=directory,
        data=workspace.path,
        target=targets.LOCAL if submission.target["kind"] == targets.LOCAL else record["target"],
        definition=submission.target,
        snapshot=record["snapshot"],
        workspace={
            "subscription_id": workspace.ids.subscription_id,
            "resource_group": workspace.ids.resource_group,
            "workspace_name": workspace.ids.workspace_name,
        },
        environ={**context.without_run(os.environ), KEY_VARIABLE: result_key(record["id"])},
        environment=None if order is None else {**order.to_dict(), "builder": sys.executable},
    )


def order_of(spec: RunSpec, data: str, target: dict[str, Any]) -> Order | None:
    """The order for a run's environment; None where there is nothing to build.

    Raises
    ------
    ComputeTargetException
        It would have to be built on another machine.
    EnvironmentBuildException
        No Python of this machine is of the version that is asked for.
    """
    asked = spec.environment
    if asked is None or asked.kind == EXISTING:
        return None
    from amlnb.environments.asking import is_workspaces, normal, request_of  # most submissions need none of it

    wanted = normal(asked)
    if is_workspaces(wanted):
        return None
    if target["kind"] != targets.LOCAL:
        raise ComputeTargetException(
            f"the environment of this run would have to be built on {spec.target!r}; amlnb builds them on this machine "
            "only, so far",
            hint="make it there by hand, and name its Python: --env /path/to/bin/python, or once for all its runs "
            "with 'amlnb target add --python'",
        )
    return Order(request_of(wanted, os.environ), data, os.getcwd(), credentials=asked.credentials)


def _notes(spec: RunSpec, target: dict[str, Any]) -> tuple[str, ...]:
    """What is otherwise than it was asked for, where the workspace's own Python meets it."""
    asked = spec.environment
    if asked is None or asked.kind == EXISTING:
        return ()
    from amlnb.environments.asking import normal, request_of

    # Elsewhere the Python is the target's, whatever was asked for.
    return (request_of(asked, os.environ).spec if target["kind"] == targets.LOCAL else normal(asked)).notes


def _environment(spec: RunSpec, target: dict[str, Any], order: Order | None, data: str) -> dict[str, Any]:
    """What a run's definition says of its environment; nothing if it has the target's own."""
    asked = spec.environment
    if asked is None:
        return {}
    if order is None and asked.kind != EXISTING:
        return {"environment": asked.to_dict()}
    if order is None:
        from amlnb.environments.existing import interpreter_of

        path = str(asked.interpreter)
        is_here = target["kind"] == targets.LOCAL
        return {"environment": asked.to_dict(), "interpreter": interpreter_of(path, os.environ) if is_here else path}
    lock = find(data, host.cache_dir(), order.request.key).lock
    return {
        "environment": asked.to_dict(),
        "environment_request": order.request.key,
        "environment_generation": 0 if lock is None else lock.generation,
        "interpreter": OWN_PYTHON,
    }


def new_run_id(experiment: str) -> str:
    """Make the id of a submitted run, as v1's client did."""
    return f"{experiment}_{int(time.time())}_{uuid.uuid4().hex[:8]}"


def home_of(target: dict[str, Any]) -> dict[str, Any]:
    """Where the runs of a target have their home, as it stands in their records."""
    return {key: value for key, value in target.items() if key in ("kind", "host", "user", "port", "root")}


@contextlib.contextmanager
def unwritable_told(workspace: WorkspaceDirectory) -> Iterator[None]:
    """Tell people what it means that a workspace cannot be written to.

    Raises
    ------
    ExperimentExecutionException
        What is done meanwhile raises an OSError.
    """
    try:
        yield
    except OSError as error:
        raise ExperimentExecutionException(
            f"the run could not be written to the workspace {workspace.path!r}: {error}",
            hint="free some space or make it writable; AMLNB_HOME moves the data elsewhere",
        ) from error


def check(spec: RunSpec, data: str) -> None:
    """Refuse what cannot run.

    Parameters
    ----------
    spec
        What to run.
    data
        The workspace's data directory; it need not exist. Raises as `submit`.
    """
    _checked(spec, data)


def _checked(spec: RunSpec, data: str) -> tuple[dict[str, Any], str | None]:
    """As `check`; return the definition of the target, and what there is to tell of it."""
    if (spec.script is None) == (spec.command is None):
        raise UserErrorException(
            f"a run needs either a script or a command (script={spec.script!r}, command={spec.command!r})",
            hint="ScriptRunConfig(source_directory='.', script='train.py')",
        )
    if not os.path.isdir(spec.source_directory):
        raise ExperimentExecutionException(
            f"the source directory {spec.source_directory!r} does not exist",
            hint=f"paths are relative to {os.getcwd()!r}",
        )
    _check_types(spec)
    if spec.script is not None:
        _check_script(spec)
    for text in (
        *spec.arguments,
        spec.command or "",
        *spec.environment_variables.values(),
        *spec.environment_variables,
    ):
        _check_text(str(text))
    for name in spec.environment_variables:
        if not name or "=" in name:
            raise UserErrorException(
                f"{name!r} cannot be the name of an environment variable", hint="a name has no '=' and is not empty"
            )
    if spec.timeout_s is not None and not spec.timeout_s > 0:
        raise UserErrorException(f"the time limit is {spec.timeout_s!r} s", hint="give a number above 0")
    return targets.resolve(data, spec.target, soft=spec.target_is_soft)


def _check_types(spec: RunSpec) -> None:
    """Refuse what a run's record cannot hold."""
    one = {"script": spec.script, "command": spec.command, "target": spec.target}
    for name, value in one.items():
        if not isinstance(value, str | None):
            raise UserErrorException(f"{name} is {value!r}, a {type(value).__name__}", hint="give a text")
    for value in spec.arguments:
        if not isinstance(value, str | int | float):
            raise UserErrorException(
                f"the argument {value!r} is a {type(value).__name__}", hint="arguments are str, int, float or bool"
            )


def _check_text(text: str) -> None:
    """Refuse what no process can be given."""
    try:
        usable = b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise UserErrorException(
            f"{text!r} cannot be passed to a process: it holds a null character, or one that is no text",
            hint="write such data into a file of the source directory",
        )


def _check_script(spec: RunSpec) -> None:
    source_directory, script = spec.source_directory, str(spec.script)
    if script in spec.added:
        return
    path = os.path.join(source_directory, script)
    if os.path.isabs(script) or os.path.relpath(path, source_directory).startswith(".."):
        raise ExperimentExecutionException(
            f"the script {script!r} is not inside the source directory {source_directory!r}",
            hint="give its path relative to the source directory",
        )
    if not os.path.isfile(path):
        there = sorted(name for name in os.listdir(source_directory) if name.endswith(".py"))
        raise ExperimentExecutionException(
            f"there is no script {script!r} in {source_directory!r}",
            hint=f"there are: {', '.join(there[:10])}" if there else "that folder has no .py file",
        )


def _record(spec: RunSpec, target: dict[str, Any], snapshot_id: str) -> dict[str, Any]:
    interpreter = spec.interpreter
    if interpreter is None:
        interpreter = sys.executable if target["kind"] == targets.LOCAL else str(target.get("python", "python3"))
    return {
        "id": new_run_id(spec.experiment),
        "experiment": spec.experiment,
        "type": "azureml.scriptrun",
        "created": time.time(),
        "display_name": spec.display_name,
        "parent": spec.parent,
        "target": spec.target,
        "home": home_of(target),
        "owner": None,
        "submitter": queue.submitter(),
        "definition": {
            "script": spec.script,
            "arguments": list(spec.arguments),
            "command": spec.command,
            "source_directory": os.path.abspath(spec.source_directory),
            "interpreter": interpreter,
            "environment_variables": {
                **({} if spec.environment is None else spec.environment.variables),
                **spec.environment_variables,
            },
            "timeout_s": spec.timeout_s,
            "grace_s": spec.grace_s,
            "link_directory": spec.link_directory if target["kind"] == targets.LOCAL else None,
            **({} if spec.distributed is None else {"distributed": dict(spec.distributed)}),
            **({} if spec.docker is None else {"docker": dict(spec.docker)}),
            **({"sections": dict(spec.sections)} if spec.sections else {}),
        },
        "snapshot": snapshot_id,
        "tags": dict(spec.tags),
    }
