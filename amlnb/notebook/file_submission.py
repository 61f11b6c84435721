"""``%submit train.py --epochs 3`` and ``%submit train.ipynb -p rate 0.1``: files from a notebook."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from amlnb.api.environment_words import INLINE, inline_text, unread_metadata
from amlnb.api.notebook_parameters import read_notebook, written_parameters
from amlnb.api.notebook_run_config import NotebookRunConfig
from amlnb.api.submission_words import NOTEBOOK_ENDING, experiment_name, locate
from amlnb.engine.submit import check
from amlnb.errors import UserErrorException
from amlnb.notebook.dry_run import environment_text, settings_rows, told_rows
from amlnb.notebook.environment import environment_of
from amlnb.notebook.flags import make_parser
from amlnb.notebook.front_end import notebook_path
from amlnb.notebook.named_files import state_of_what_is_named
from amlnb.notebook.sending import data_directory, send
from amlnb.specs.run_spec import RunSpec

if TYPE_CHECKING:
    from amlnb.notebook.environment import CellEnvironment
    from amlnb.notebook.options import SubmitOptions
    from amlnb.notebook.sending import Sent

_OF_CELLS = {"--out": "results", "--in": "take", "--with": "paths"}


def file_spec(options: SubmitOptions, notebook: str | None) -> RunSpec:
    """Describe the run of a script or a notebook; its folder, the current one if it is in it, is kept with the run.

    The experiment is by default named after the notebook of the line, if the host tells it; that of a notebook after
    the notebook that is submitted.

    Raises
    ------
    UserErrorException
        A flag or a parameter is none of its, or the notebook cannot be used.
    """
    source, path = locate(str(options.file))
    if path.endswith(NOTEBOOK_ENDING):
        _refuse_flags(
            options, _OF_CELLS, "a notebook", "what it needs stands in its folder, and what it makes in outputs/"
        )
        full = os.path.join(source, path)
        parameters = written_parameters(options.parameter_texts, full)
        name = experiment_name(path.removesuffix(NOTEBOOK_ENDING))
        spec = NotebookRunConfig(source, path, parameters=parameters).to_spec(options.experiment or name)
        text = "\n".join("".join(cell.get("source") or "") for cell in read_notebook(full)["cells"])
        return replace(spec, depends=state_of_what_is_named(_python_only(text), source, spec.arguments))
    own = {**_OF_CELLS, "--param": "parameters"}
    _refuse_flags(options, own, "a script", "its own arguments stand after it: %submit train.py --epochs 3")
    return RunSpec(
        experiment=options.experiment or experiment_name(os.path.splitext(notebook)[0] if notebook else source),
        source_directory=source,
        script=path,
        arguments=options.arguments,
        depends=state_of_what_is_named(_text(os.path.join(source, path)), source, options.arguments),
    )


def misplaced_flag(options: SubmitOptions) -> str | None:
    """The first of our flags that stands after a script, and so is given to it."""
    known = make_parser().flags
    return next((word for word in options.arguments if word.partition("=")[0] in known), None)


def dry_run_text(shell: Any, options: SubmitOptions) -> str:
    """Write what would be sent where.

    Raises
    ------
    UserErrorException, ExperimentExecutionException, ComputeTargetException
        It would be refused.
    """
    spec, data = file_spec(options, notebook_path(shell)), data_directory(os.getcwd())
    check(replace(spec, target=options.target, target_is_soft=False), data)
    rows = [("would run", shlex.join([str(spec.script), *map(str, spec.arguments)]))]
    rows += settings_rows(spec.experiment, options)
    rows += [("environment", environment_text(options.target, _environment(options), data))]
    rows += [("sent", f"{spec.source_directory} (but what its .amlignore or .gitignore leaves out)")]
    rows += [("", f"{name} (executes the notebook)") for name in spec.added]
    return "\n".join(["Nothing was submitted: a dry run. It would be:", *told_rows(rows)])


def submit(shell: Any, options: SubmitOptions) -> tuple[Sent, str]:
    """Submit the file that the line names; the run is called after it. Also returns what went with it, in one line.

    Raises
    ------
    UserErrorException, ExperimentExecutionException
        As `amlnb.engine.submit.submit`.
    """
    notebook = notebook_path(shell)
    named = replace(options, name=options.name or os.path.basename(str(options.file)))
    spec, environment = file_spec(options, notebook), _environment(options)
    if environment is None:
        told = unread_metadata(spec.source_directory, locate(str(options.file))[1], is_asked=bool(options.environment))
        return send(replace(spec, warnings=(*spec.warnings, *told)), named, notebook), str(options.file)
    sent = send(replace(spec, environment=environment.spec), named, notebook)
    return sent, f"{options.file}, in the environment {environment.name}"


def _environment(options: SubmitOptions) -> CellEnvironment | None:
    source, file = locate(str(options.file))
    path = os.path.join(source, file)
    inline = inline_text(path) if options.environment == INLINE else None
    of_notebook = path.endswith(NOTEBOOK_ENDING)
    data = data_directory(os.getcwd())
    return environment_of(options, data, source, inline, of_notebook=of_notebook)


def _refuse_flags(options: SubmitOptions, flags: dict[str, str], what: str, hint: str) -> None:
    given = [flag for flag, name in flags.items() if getattr(options, name)]
    given += [] if options.capture else ["--no-capture"]
    if given:
        raise UserErrorException(f"%submit: {given[0]} is not for {what}, and {options.file!r} is one.", hint)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""  # told by whoever submits


def _python_only(text: str) -> str:
    return "\n".join("" if line.lstrip()[:1] in ("%", "!") else line for line in text.split("\n"))
