"""``amlnb submit`` and ``amlnb run rerun``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from amlnb.api.submission_words import (
    NOTEBOOK_ENDING,
    PARAMETER_FLAGS,
    locate,
    paired_parameters,
    parameter,
    seconds,
)
from amlnb.api.submission_words import tag as read_tag
from amlnb.cli.output import Json, emit, note
from amlnb.cli.run_names import RunName, find_run, plain_id, short_id
from amlnb.cli.run_wait import exit_code, outcome, tell_ending, wait_for
from amlnb.core import coercion
from amlnb.errors import UserErrorException

if TYPE_CHECKING:
    from amlnb.store.run_reader import RunReader

_OURS = ("--experiment", "--target", "--env", "--conda", "--timeout", "--source-directory", "--wait")

_LONGEST_NAME = 60

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
    env: Annotated[
        list[str] | None,
        typer.Option(
            "--env",
            metavar="ENV",
            help="Its environment: requirements.txt, environment.yml, a registered NAME, python=3.11,torch==2.13.0, "
            "docker:IMAGE, a Python, a lock, or 'inline' for the script's own metadata. "
            "Default: \\[tool.amlnb.env] of pyproject.toml, else the current Python.",
        ),
    ] = None,
    conda: Annotated[
        bool, typer.Option("--conda", help="Take a specification's conda packages themselves, not those of PyPI.")
    ] = False,
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
    from amlnb.api.environment_words import unread_metadata
    from amlnb.api.experiment import Experiment
    from amlnb.api.file_submission import environment_of_file, file_spec
    from amlnb.api.run_configuration import DEFAULT_MAX_RUN_DURATION_S
    from amlnb.api.workspace import Workspace

    if env is not None and len(env) > 1:
        raise UserErrorException(f"--env is given twice, {env[0]!r} and {env[1]!r}", hint="a run has one environment")
    source, relative = locate(script, source_directory)
    tags = dict(map(read_tag, tag or []))
    timeout_s = DEFAULT_MAX_RUN_DURATION_S if timeout is None else seconds(timeout)
    misplaced = [word for word in arguments or [] if word.partition("=")[0] in _OURS]
    if misplaced and not as_json:
        note(f"note: {misplaced[0]} stands after the script, and so is given to it; options of amlnb stand before it")
    of_notebook = relative.endswith(NOTEBOOK_ENDING)
    parameters = notebook_parameters(arguments or []) if of_notebook else None
    spec = file_spec(source, relative, arguments or [], parameters, experiment)
    workspace, made = Workspace.find_or_create()  # once nothing of the line is refused
    if made and not as_json:
        note(f"made a workspace in {workspace.directory.path}")
    data = workspace.directory.path
    environment = environment_of_file(env[0] if env else None, data, source, relative, target, conda=conda)
    spec = replace(
        spec,
        environment=environment,
        target=target,
        target_is_soft=False,
        timeout_s=timeout_s,
        display_name=name,
        tags=tags,
        warnings=(*spec.warnings, *unread_metadata(source, relative, is_asked=bool(env) or environment is not None)),
    )
    _tell(Experiment(workspace, spec.experiment).submit(spec).directory, wait=wait, as_json=as_json)


def notebook_parameters(words: list[str]) -> dict[str, str]:
    """Read ``-p NAME VALUE`` and ``-p NAME=VALUE``, as often as they come.

    Raises
    ------
    UserErrorException
        There is anything else.
    """
    found: dict[str, str] = {}
    waiting = list(reversed(paired_parameters(words)))
    while waiting:
        flag = waiting.pop()
        if flag not in PARAMETER_FLAGS or not waiting:
            raise UserErrorException(
                f"{flag!r} after a notebook is not understood", hint="parameters are given by -p NAME VALUE"
            )
        name, value = parameter(waiting.pop())
        found[name] = value
    return found


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
    from amlnb.render.formatting import in_order_of_weight
    from amlnb.store.run_reader import RunReader

    reader = RunReader(directory)
    if not as_json:
        for text in in_order_of_weight(coercion.texts(reader.record.get("warnings"))):
            note(f"warning: {text}")
    if not wait:
        _tell_submitted(reader, as_json=as_json)
        return
    if not as_json:
        note(f"submitted {reader.id} to {_where(reader)}")
    facts = wait_for(reader, show_output=not as_json)
    if as_json:
        emit(_submitted(reader) | outcome(reader.id, facts))
    else:
        tell_ending(reader.id, facts)
        for text in in_order_of_weight(dict.fromkeys(facts.warnings)):
            note(f"warning: {text}")
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
    note(f"submitted to {_where(reader)}; 'amlnb run logs -f {short_id(reader.id)}' follows it")


def _where(reader: RunReader) -> str:
    """The target of a run, and its environment if it asks for one."""
    from amlnb.render.formatting import one_line
    from amlnb.specs.environment_spec import EnvironmentSpec

    asked = coercion.mapping(reader.record.get("definition")).get("environment")
    target = str(reader.record["target"])
    if not asked:
        return target
    return f"{target} with the environment {one_line(EnvironmentSpec.from_dict(asked).called, _LONGEST_NAME)}"
