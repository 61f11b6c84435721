"""Submitting a script or a notebook by its path, and what the form for that offers."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from amlnb.api.environment_words import unread_metadata
from amlnb.api.experiment import Experiment
from amlnb.api.file_submission import environment_of_file, file_spec
from amlnb.api.notebook_parameters import parameters_of, read_notebook
from amlnb.api.run_configuration import DEFAULT_MAX_RUN_DURATION_S
from amlnb.api.submission_words import NOTEBOOK_ENDING, locate
from amlnb.api.workspace import Workspace
from amlnb.core import coercion
from amlnb.engine import targets
from amlnb.environments import curated, registered
from amlnb.errors import UserErrorException
from amlnb.server.faults import NotThere
from amlnb.server.routes import Answer
from amlnb.server.workspaces import data_of_folder
from amlnb.store import workspace_dir
from amlnb.store.known_workspaces import key_of

if TYPE_CHECKING:
    from amlnb.server.contract import Choices, NotebookParameters, Submitted
    from amlnb.server.served import Served

_SPECIFICATIONS = ("environment.yml", "environment.yaml", "requirements.txt")


def submit(served: Served, values: dict[str, Any]) -> Answer:
    """Submit a file below the server's root; its folder is kept with the run."""
    asked = values["body"]
    path = _file(served, asked["path"])
    source, file = locate(path, os.path.dirname(path))
    target, word = asked.get("target") or targets.LOCAL, asked.get("environment") or None
    parameters, arguments = _given(asked, is_notebook=file.endswith(NOTEBOOK_ENDING))
    spec = file_spec(source, file, arguments, parameters, asked.get("experiment") or None)
    workspace, _ = Workspace.find_or_create(source)
    data = workspace.directory.path
    environment = environment_of_file(word, data, source, file, target, relative_to=source)
    kernel = kernel_python(path) if environment is None and targets.is_here(data, target) else None
    if kernel is not None:
        environment = environment_of_file(kernel, data, source, file, target, relative_to=source)
    told = unread_metadata(source, file, is_asked=word is not None or environment is not None)
    spec = replace(
        spec,
        environment=environment,
        target=target,
        target_is_soft=False,
        timeout_s=DEFAULT_MAX_RUN_DURATION_S,
        warnings=(*spec.warnings, *told),
    )
    run = Experiment(workspace, spec.experiment).submit(spec)
    key = key_of(data)
    served.changed(key, run.id)
    submitted: Submitted = {"run": run.id, "experiment": spec.experiment, "workspace": key}
    return Answer(submitted)


def parameters(served: Served, values: dict[str, Any]) -> Answer:
    """What the cell of a notebook that is tagged "parameters" sets."""
    path = _file(served, values["path"])
    if not path.endswith(NOTEBOOK_ENDING):
        raise UserErrorException(f"{values['path']!r} is no notebook", hint="give the path of an .ipynb file")
    found = parameters_of(read_notebook(path)) or {}
    told: NotebookParameters = {
        "parameters": [
            {
                "name": each.name,
                "value": "" if each.default is None else str(each.default),
                "type": None if each.kind is None else each.kind.__name__,
                "help": None,
            }
            for each in found.values()
        ]
    }
    return Answer(told)


def choices(served: Served, values: dict[str, Any]) -> Answer:
    """What may stand in the form of a submission from a folder."""
    folder = served.folder(values["folder"])
    data = data_of_folder(folder)
    files = [name for name in _SPECIFICATIONS if os.path.isfile(os.path.join(folder, name))]
    names = [] if data is None else [one.name for one in registered.every(data, on_damaged=lambda _: None)]
    told: Choices = {
        "targets": [{"name": name, "type": _type(data, name)} for name in _targets(data)],
        "environments": [*files, *dict.fromkeys([*names, *curated.names()])],
        "experiments": [] if data is None else workspace_dir.open_directory(data).experiment_names(),
    }
    return Answer(told)


def kernel_python(path: str) -> str | None:
    """The Python of the kernel that a notebook was written with; None if it is this one, or is not known here."""
    if not path.endswith(NOTEBOOK_ENDING):
        return None
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    told = coercion.mapping(coercion.mapping(read_notebook(path).get("metadata")).get("kernelspec")).get("name")
    try:
        words = KernelSpecManager().get_kernel_spec(str(told)).argv
    except (NoSuchKernel, OSError, ValueError):
        return None
    program = words[0] if words else ""
    is_other = os.path.isabs(program) and os.path.abspath(program) != os.path.abspath(sys.executable)
    return program if is_other and "ipykernel_launcher" in words and os.access(program, os.X_OK) else None


def _given(asked: dict[str, Any], *, is_notebook: bool) -> tuple[dict[str, str], list[str]]:
    """Parameters of a notebook, arguments of a script."""
    parameters, words = asked.get("parameters") or {}, asked.get("arguments") or ""
    if words and is_notebook:
        raise UserErrorException("a notebook has no arguments", hint="give its 'parameters'")
    if parameters and not is_notebook:
        raise UserErrorException("a script has no parameters", hint="give its 'arguments': --rate 0.5")
    try:
        return parameters, shlex.split(words)
    except ValueError as error:
        raise UserErrorException(
            f"the arguments {words[:300]!r} are not understood: {error}", hint="close each quotation mark"
        ) from error


def _file(served: Served, path: str) -> str:
    full = served.folder(path)
    if not os.path.isfile(full):
        raise NotThere(f"there is no file {path!r} below {served.root!r}", hint="paths are relative to that folder")
    return full


def _targets(data: str | None) -> list[str]:
    return [targets.LOCAL] if data is None else targets.names(data)


def _type(data: str | None, name: str) -> str:
    definition = None if data is None else targets.find(data, name)
    return targets.LOCAL if definition is None else str(definition["kind"])
