"""``%submit train.py --epochs 3``: a script from a notebook."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

from amlnb.errors import UserErrorException
from amlnb.notebook.front_end import notebook_path
from amlnb.notebook.sending import experiment_name, send
from amlnb.specs.run_spec import RunSpec

if TYPE_CHECKING:
    from amlnb.notebook.options import SubmitOptions
    from amlnb.notebook.sending import Sent

_OF_CELLS = {"--param": "parameters", "--out": "results", "--in": "take", "--with": "paths"}


def script_spec(options: SubmitOptions) -> RunSpec:
    """Describe the run of a script: its folder, the current one if the script is in it, is kept with the run.

    Raises
    ------
    UserErrorException
        A flag is for cells only.
    """
    for flag, name in _OF_CELLS.items():
        if getattr(options, name):
            raise UserErrorException(
                f"%submit: {flag} is for cells and notebooks, and {options.file!r} is a script.",
                "its own arguments stand after it: %submit train.py --epochs 3",
            )
    path, here = os.path.abspath(str(options.file)), os.getcwd()
    source = here if path.startswith(here.rstrip("/") + "/") else os.path.dirname(path)
    return RunSpec(
        experiment=options.experiment or experiment_name(os.path.basename(source)),
        source_directory=source,
        script=os.path.relpath(path, source),
        arguments=options.arguments,
    )


def dry_run_text(options: SubmitOptions) -> str:
    """Write what would be sent where."""
    spec = script_spec(options)
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
    return send(script_spec(options), options, notebook_path(shell))
