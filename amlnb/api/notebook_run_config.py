"""``NotebookRunConfig``: a whole notebook as a run, executed by papermill."""

from __future__ import annotations

import importlib.resources
import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from amlnb.api import run_configuration_values as values
from amlnb.api.environment import WorkspaceHandle
from amlnb.api.notebook_parameters import injected, parameters_of, read_notebook
from amlnb.api.run_configuration import RunConfiguration, check_run_config
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.errors import UserErrorException
from amlnb.live.run_tail import PARAMETER_PREFIX
from amlnb.specs.environment_spec import CONDA, PIP, EnvironmentSpec
from amlnb.specs.run_spec import RunSpec

# Beside the notebook in the run's working directory. What it needs, papermill and ipykernel, is the environment's.
PROGRAM = "run_notebook.py"
_OTHER_NAME = "amlnb_run_notebook.py"  # where the folder has one of that name
_EXECUTION = ("papermill", "ipykernel")
_INSTALLED = (PIP, CONDA)
_SHOWN_LENGTH = 40
_KERNEL = "a notebook is executed by its run's own Python"
_HANDLED = frozenset({"progress_bar", "log_output", "kernel_name", "cwd"})


class AzureMLNotebookHandler:
    """How a notebook is executed, as v1 code says it.

    Parameters
    ----------
    history
        What the notebook glues by scrapbook becomes a metric of the run: numbers, texts, and lists of them.
    timeout
        Seconds that one cell may take; None for no limit.
    **kwargs
        ``cwd``, the working directory; ``progress_bar``, ``log_output`` and ``kernel_name`` are accepted: progress and
        log are always there, and the kernel is that of the run's own Python, which is told of a run with another.

    Raises
    ------
    UserErrorException
        An option is not known.
    """

    def __init__(self, history: bool = True, timeout: int | None = None, **kwargs: Any) -> None:
        for name in kwargs:
            if name not in _HANDLED:
                known = ", ".join(sorted([*_HANDLED, "history", "timeout"]))
                raise UserErrorException(f"Unsupported option: {name}", hint=f"there are: {known}")
        self.options = {"timeout": timeout, "cwd": kwargs.get("cwd"), "history": None if history else False}
        kernel = kwargs.get("kernel_name")
        self.warnings = () if kernel is None else (f"kernel_name={kernel!r} has no effect: {_KERNEL}",)


class NotebookRunConfig:
    """A notebook to submit.

    Parameters
    ----------
    source_directory
        Folder that is snapshotted and becomes the run's working directory.
    notebook
        Path of the notebook, relative to it.
    output_notebook
        Name of the executed notebook among the run's outputs; default ``outputs/<name>.output.ipynb``. It is written
        again whenever a cell begins or ends, and can be opened at any time.
    parameters
        Values for the notebook's parameters: those of its cell that is tagged ``parameters``. Others are set too, in a
        cell of their own, and that is told.
    handler
        An AzureMLNotebookHandler.
    run_config
        A RunConfiguration: target, environment, time limit.

    Raises
    ------
    UserErrorException
        The notebook cannot be used, or a parameter cannot be what was given; told here, before anything is submitted.
    """

    def __init__(
        self,
        source_directory: str | None,
        notebook: str,
        output_notebook: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        handler: AzureMLNotebookHandler | None = None,
        run_config: RunConfiguration | None = None,
        _telemetry_values: Any = None,
    ) -> None:
        self.source_directory = os.path.abspath(values.path(source_directory or ".", "source_directory"))
        notebook = values.path(notebook, "notebook")
        path = os.path.normpath(os.path.join(self.source_directory, notebook))
        self.notebook = os.path.relpath(path, self.source_directory)
        if self.notebook.startswith(".."):
            raise UserErrorException(
                f"the notebook {notebook!r} is not inside the source directory {self.source_directory!r}",
                hint="give its path relative to the source directory",
            )
        if not isinstance(handler, AzureMLNotebookHandler | None):
            raise UserErrorException(
                f"handler is a {type(handler).__name__}", hint="give an AzureMLNotebookHandler, or leave it out"
            )
        if not isinstance(parameters, Mapping | None):
            raise UserErrorException(f"parameters is {parameters!r}", hint="give a dict: parameters={'rate': 0.1}")
        check_run_config(run_config)
        document = read_notebook(path)
        self.parameters, told = injected(parameters or {}, document, notebook)
        self._defaults = {name: found.default for name, found in (parameters_of(document) or {}).items()}
        self.output_notebook = _below_outputs(output_notebook or f"{_stem(notebook)}.output.ipynb")
        self.handler = handler or AzureMLNotebookHandler()
        self.warnings = [*told, *self.handler.warnings]
        self.run_config = run_config or RunConfiguration()

    def to_spec(
        self, experiment: str, tags: dict[str, Any] | None = None, workspace: WorkspaceHandle | None = None
    ) -> RunSpec:
        """Make the value that the engine takes; see `ScriptRunConfig.to_spec`."""
        # A value stays as it is: what looks like a variable in an argument is expanded when it runs.
        arguments = [self.notebook, self.output_notebook, ascii(self.parameters).replace("$", r"\x24")]
        options = {name: value for name, value in self.handler.options.items() if value is not None}
        if options:
            arguments.append(json.dumps(options).replace("$", r"\u0024"))
        taken = os.path.exists(os.path.join(self.source_directory, PROGRAM))
        script = _OTHER_NAME if taken else PROGRAM
        config = ScriptRunConfig(self.source_directory, script=script, arguments=arguments, run_config=self.run_config)
        spec = config.to_spec(experiment, tags, workspace)
        program = importlib.resources.files("amlnb.staged") / PROGRAM
        shown = {**self._defaults, **self.parameters}
        properties = {
            PARAMETER_PREFIX + name: str(value)
            for name, value in shown.items()
            if value is not None and len(str(value)) <= _SHOWN_LENGTH
        }
        return replace(
            spec,
            environment=able_to_execute(spec.environment),
            added={script: str(program)},
            properties=properties,
            warnings=(*self.warnings, *spec.warnings),
        )


def able_to_execute(environment: EnvironmentSpec | None) -> EnvironmentSpec | None:
    """Add what executes a notebook to an environment that is built."""
    if environment is None or environment.kind not in _INSTALLED:
        return environment
    from amlnb.environments.requirement_names import name_of

    there = {name_of(each) for each in (*environment.pip, *environment.conda)}
    return replace(environment, pip=(*environment.pip, *(each for each in _EXECUTION if each not in there)))


def _below_outputs(name: str) -> str:
    path = os.path.normpath(name)
    if os.path.isabs(path) or path.startswith(".."):
        raise UserErrorException(
            f"the executed notebook cannot be {name!r}", hint="give a name: it is kept under outputs/"
        )
    return path if path.startswith(f"outputs{os.sep}") else os.path.join("outputs", path)


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]
