"""``amlnb submit`` and ``amlnb run rerun``."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from amlnb.cli.output import Json, emit, note
from amlnb.cli.run_names import RunName, find_run, plain_id, short_id
from amlnb.cli.run_wait import exit_code, outcome, tell_ending, wait_for
from amlnb.core import coercion
from amlnb.errors import UserErrorException

if TYPE_CHECKING:
    from amlnb.specs.run_spec import RunSpec
    from amlnb.store.run_reader import RunReader

_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_NOTEBOOK = ".ipynb"
_ENDINGS = (".py", ".pyw", _NOTEBOOK, "")
_OURS = ("--experiment", "--target", "--timeout", "--source-directory", "--wait")

Wait = Annotated[
    bool, typer.Option("--wait", help="Print its log until it has ended, and exit as it did (see 'run wait').")
]


def submit(
    script: Annotated[str, typer.Argument(help="A Python script, or a notebook.", show_default=False)],
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ARGUMENTS...", help="Its arguments; of a notebook '-p NAME VALUE' each.", show_default=False
        ),
    ] = None,
    experiment: Annotated[
        str | None, typer.Option("--experiment", "-e", help="Default: the name of the source directory.")
    ] = None,
    target: Annotated[str, typer.Option("--target", "-t", help="Where it runs; see 'target list'.")] = "local",
    name: Annotated[str | None, typer.Option("--name", help="Name to show for the run.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="May be repeated.")] = None,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="TIME", help="Such as 90, 30m, 8h or 2d. Default: 30d.")
    ] = None,
    source_directory: Annotated[
        str | None,
        typer.Option(
            "--source-directory",
            "-s",
            help="Folder to keep with the run and to run in. Default: the current one if the script is in it, else "
            "that of the script.",
        ),
    ] = None,
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Submit a script or a notebook.

    Options of amlnb stand before it, its own after it: 'amlnb submit --wait train.py --lr 0.1',
    'amlnb submit train.ipynb -p lr 0.1'.
    With no workspace in the current directory or above it, one is made here.
    """
    from amlnb.api.experiment import Experiment
    from amlnb.api.run_configuration import DEFAULT_MAX_RUN_DURATION_S
    from amlnb.api.workspace import Workspace
    from amlnb.specs.run_spec import RunSpec

    source, relative = locate(script, source_directory)
    tags = dict(map(_tag, tag or []))
    timeout_s = DEFAULT_MAX_RUN_DURATION_S if timeout is None else seconds(timeout)
    misplaced = [word for word in arguments or [] if word.partition("=")[0] in _OURS]
    if misplaced and not as_json:
        note(f"note: {misplaced[0]} stands after the script, and so is given to it; options of amlnb stand before it")
    workspace, made = Workspace.find_or_create()
    if made and not as_json:
        note(f"made a workspace in {workspace.directory.path}")
    if relative.endswith(_NOTEBOOK):
        spec = _notebook_spec(source, relative, arguments or [], experiment)
    else:
        spec = RunSpec(experiment or default_experiment(source), source, relative, tuple(arguments or ()))
    spec = replace(
        spec,
        target=target,
        timeout_s=timeout_s,
        display_name=name,
        tags=tags,
    )
    run = Experiment(workspace, spec.experiment).submit(spec)
    _tell(run.directory, wait=wait, as_json=as_json)


def _notebook_spec(source: str, notebook: str, words: list[str], experiment: str | None) -> RunSpec:
    from amlnb.api.notebook_run_config import NotebookRunConfig

    config = NotebookRunConfig(source, notebook, parameters=notebook_parameters(words))
    return config.to_spec(experiment or default_experiment(notebook.removesuffix(_NOTEBOOK)))


def notebook_parameters(words: list[str]) -> dict[str, object]:
    """Read ``-p NAME VALUE`` and ``-p NAME=VALUE``, as often as they come.

    Raises
    ------
    UserErrorException
        There is anything else.
    """
    found: dict[str, object] = {}
    waiting = list(reversed(words))
    while waiting:
        flag = waiting.pop()
        name, equals, value = (waiting.pop() if waiting else "").partition("=")
        if flag not in ("-p", "--param") or not name or not (equals or waiting):
            raise UserErrorException(
                f"{flag!r} after a notebook is not understood", hint="parameters are given by -p NAME VALUE"
            )
        found[name] = _literal(value if equals else waiting.pop())
    return found


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def rerun(run: RunName, wait: Wait = False, as_json: Json = False) -> None:
    """Run a run again, under a new id.

    With the same code, definition and tags; its source folder is not needed.
    """
    from amlnb.api.workspace import Workspace
    from amlnb.engine.rerun import rerun as rerun_

    workspace = Workspace.from_config()
    found = find_run(workspace, run)
    _tell(rerun_(found.directory, workspace.directory), wait=wait, as_json=as_json)


def _tell(directory: str, *, wait: bool, as_json: bool) -> None:
    """Tell what was submitted, and if asked wait for it."""
    from amlnb.store.run_reader import RunReader

    reader = RunReader(directory)
    if not as_json:
        for text in coercion.texts(reader.record.get("warnings")):
            note(f"warning: {text}")
    if not wait:
        _tell_submitted(reader, as_json=as_json)
        return
    if not as_json:
        note(f"submitted {reader.id} to {reader.record['target']}")
    facts = wait_for(reader, show_output=not as_json)
    if as_json:
        emit(_submitted(reader) | outcome(reader.id, facts))
    else:
        tell_ending(reader.id, facts)
    raise typer.Exit(exit_code(facts))


def _submitted(reader: RunReader) -> dict[str, object]:
    return {
        "id": reader.id,
        "experiment": reader.experiment,
        "target": reader.record["target"],
        "directory": reader.directory,
        "warnings": coercion.texts(reader.record.get("warnings")),
    }


def _tell_submitted(reader: RunReader, *, as_json: bool) -> None:
    if as_json:
        emit(_submitted(reader))
        return
    print(plain_id(reader.id))
    note(f"submitted to {reader.record['target']}; 'amlnb run logs -f {short_id(reader.id)}' follows it")


def locate(script: str, source_directory: str | None) -> tuple[str, str]:
    """Source directory (absolute) and the path of the script or notebook relative to it.

    A script is looked for in the current directory first, and then in the source directory.

    Raises
    ------
    UserErrorException
        It is a file of another kind.
    """
    ending = os.path.splitext(script)[1]
    if ending not in _ENDINGS:
        raise UserErrorException(
            f"{script!r} is neither a Python script nor a notebook: it ends in {ending!r}",
            hint="give a .py or .ipynb file, and after it what the script is to have: amlnb submit train.py FILE",
        )
    path = os.path.abspath(script)
    if source_directory is None:
        here = os.getcwd()
        source = here if path.startswith(here.rstrip("/") + "/") else os.path.dirname(path)
        return source, os.path.relpath(path, source)
    source = os.path.abspath(source_directory)
    if not os.path.isfile(path) or not path.startswith(source.rstrip("/") + "/"):
        path = os.path.join(source, script)
    return source, os.path.relpath(path, source)


def seconds(text: str) -> float:
    """Read a time such as ``90``, ``1.5h`` or ``2d``.

    Raises
    ------
    UserErrorException
        It is none.
    """
    found = _TIME.fullmatch(text.strip())
    value = float(found[1]) * _UNITS_S[found[2]] if found else 0.0
    if value <= 0:
        raise UserErrorException(f"the time limit {text!r} is no time above 0", hint="such as 90 (seconds), 30m or 8h")
    return value


def default_experiment(source: str) -> str:
    """Name of an experiment after a folder."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", os.path.basename(source)).strip("-_")
    return name[:36] or "experiment"


def _tag(text: str) -> tuple[str, str | None]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UserErrorException(f"the tag {text!r} is not KEY=VALUE", hint="such as --tag dataset=digits")
    return key, value
