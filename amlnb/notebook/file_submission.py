"""``%submit train.py --epochs 3`` and ``%submit train.ipynb -p rate 0.1``: files from a notebook."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

from amlnb.api.notebook_run_config import NotebookRunConfig
from amlnb.errors import UserErrorException
from amlnb.notebook.front_end import notebook_path
from amlnb.notebook.sending import experiment_name, send
from amlnb.specs.run_spec import RunSpec

if TYPE_CHECKING:
    from amlnb.notebook.options import SubmitOptions
    from amlnb.notebook.sending import Sent

_OF_CELLS = {"--param": "parameters", "--out": "results", "--in": "take", "--with": "paths"}


def file_spec(options: SubmitOptions) -> RunSpec:
    """Describe the run of a script or a notebook.

    Raises
    ------
    UserErrorException
        A flag or a parameter is none of its, or the notebook cannot be used.
    """
    return _notebook_spec(options) if str(options.file).endswith(".ipynb") else _script_spec(options)


def _notebook_spec(options: SubmitOptions) -> RunSpec:
    for flag in ("--out", "--in", "--with"):
        if getattr(options, _OF_CELLS[flag]):
            raise UserErrorException(
                f"%submit: {flag} is for cells, and {options.file!r} is a notebook.",
                "what it needs stands in its folder; what it makes is kept under outputs/",
            )
    source, path = _source_of(options)
    config = NotebookRunConfig(source, path, parameters=options.parameters)
    name = os.path.splitext(os.path.basename(path))[0]
    return config.to_spec(options.experiment or experiment_name(name))


def _script_spec(options: SubmitOptions) -> RunSpec:
    for flag, name in _OF_CELLS.items():
        if getattr(options, name):
            raise UserErrorException(
                f"%submit: {flag} is for cells and notebooks, and {options.file!r} is a script.",
                "its own arguments stand after it: %submit train.py --epochs 3",
            )
    source, path = _source_of(options)
    return RunSpec(
        experiment=options.experiment or experiment_name(os.path.basename(source)),
        source_directory=source,
        script=path,
        arguments=options.arguments,
    )


def _source_of(options: SubmitOptions) -> tuple[str, str]:
    """The folder that is kept with the run, and the file's path in it."""
    path, here = os.path.abspath(str(options.file)), os.getcwd()
    source = here if path.startswith(here.rstrip("/") + "/") else os.path.dirname(path)
    return source, os.path.relpath(path, source)


def dry_run_text(options: SubmitOptions) -> str:
    """Write what would be sent where."""
    spec = file_spec(options)
    command = shlex.join([str(spec.script), *map(str, spec.arguments)])
    where = f"from {spec.source_directory}, to the experiment {spec.experiment} on {options.target}"
    return f"Nothing was submitted: a dry run. It would be: {command}, {where}"


def submit(shell: Any, options: SubmitOptions) -> Sent:
    """Submit the script that the line names.

    Raises
    ------
    UserErrorException, ExperimentExecutionException
        As `amlnb.engine.submit.submit`.
    """
    return send(file_spec(options), options, notebook_path(shell))
