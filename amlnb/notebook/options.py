"""What the line of a ``%%submit`` cell or a ``%submit`` magic says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amlnb.api.submission_words import check_experiment, literal, paired_parameters, parameter, seconds, tag
from amlnb.errors import UserErrorException
from amlnb.notebook.flags import FlagParser, is_variable, make_parser
from amlnb.notebook.words import words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

_SCRIPT, _NOTEBOOK = ".py", ".ipynb"
# Of the plan: parsed, so that a line that has them is understood, and answered.
_NOT_YET = {
    "gpus": ("0", "a run sees all GPUs of its machine; asking for some comes with clusters, in a later version"),
    "nodes": ("1", "a run has one machine; several come with clusters, in a later version"),
}


@dataclass(frozen=True)
class SubmitOptions:
    """What a line says, defaults filled in.

    Attributes
    ----------
    file
        A script or notebook to submit instead of the cell.
    arguments
        Those of the script.
    block
        Wait for the end; None lets the front end decide (without one, yes).
    variable
        Name under which the notebook gets the run.
    parameters, parameter_texts
        Values given with ``--param``, as Python reads them and as they were written.
    results, take
        Names whose values return; names to take along unseen.
    environment
        What the environment is asked to be, in a word.
    conda
        Take its conda packages themselves, not their translation to pip.
    capture
        Take what the cell uses from the notebook.
    paths
        Files and folders to take along.
    """

    name: str | None = None
    file: str | None = None
    arguments: tuple[str, ...] = ()
    experiment: str | None = None
    target: str = "local"
    tags: dict[str, str | None] = field(default_factory=dict)
    parameters: dict[str, object] = field(default_factory=dict)
    parameter_texts: dict[str, str] = field(default_factory=dict, compare=False)
    results: tuple[str, ...] = ()
    take: tuple[str, ...] = ()
    environment: str | None = None
    conda: bool = False
    capture: bool = True
    paths: tuple[str, ...] = ()
    timeout_s: float | None = None
    block: bool | None = None
    stream: bool = False
    reuse: bool = False
    variable: str | None = None
    dry_run: bool = False
    help: bool = False


def parse_options(line: str, defaults: Mapping[str, Any] | None = None) -> SubmitOptions:
    """Parse the line after ``%%submit``.

    Parameters
    ----------
    line
        The line.
    defaults
        As `amlnb.notebook.submit_settings` has them: what holds where the line says nothing. Tags and paths of both
        count.

    Raises
    ------
    UserErrorException
        If a flag or a value cannot be understood; names the nearest flag.
    """
    return _options(make_parser(), words(line, "%%submit"), defaults or {})


def parse_file_options(line: str, defaults: Mapping[str, Any] | None = None) -> SubmitOptions:
    """Parse the line after ``%submit``, which names a script or a notebook; as `parse_options`.

    What follows a script belongs to it; flags may stand before and after a notebook.
    """
    parser, given = make_parser("%submit"), words(line, "%submit")
    number = _position_of_file(given, parser)
    if number is None:
        options = _options(parser, given, defaults or {})
        if options.help or not given:
            return options
        raise UserErrorException(
            f"%submit: {line.strip()!r} names neither a script (.py) nor a notebook (.ipynb).",
            "write for example %submit train.py --epochs 3; the first line of a cell is %%submit, with two signs",
        )
    before, file, after = given[:number], given[number], given[number + 1 :]
    if file.endswith(_SCRIPT):
        return _options(parser, before, defaults or {}, file, tuple(after))
    return _options(parser, [*before, *after], defaults or {}, file)


def _position_of_file(given: Sequence[str], parser: FlagParser) -> int | None:
    is_value = False
    for number, word in enumerate(given):
        if not is_value and not word.startswith("-") and word.endswith((_SCRIPT, _NOTEBOOK)):
            return number
        is_value = not is_value and parser.takes_value(word)
    return None


def _options(
    parser: FlagParser,
    given: Sequence[str],
    defaults: Mapping[str, Any],
    file: str | None = None,
    arguments: tuple[str, ...] = (),
) -> SubmitOptions:
    parser.words = given
    found = parser.parse_args(paired_parameters(given))
    if found.name and found.name_flag:
        parser.error(f"the run is named twice, {found.name!r} and {found.name_flag!r}")
    if file is not None and found.name:
        parser.error(f"{found.name!r} and {file!r} are two things to submit")
    if found.variable is not None and not is_variable(found.variable):
        parser.error(f"--as {found.variable!r} is not the name of a variable")
    _answer_not_yet(found)
    if found.stream and found.block is False:
        parser.error("--stream waits for the end, and --no-block does not")
    timeout = found.timeout if found.timeout is not None else defaults.get("timeout")
    stream = _first(found.stream, False if found.block is False else None, defaults.get("stream"), False)
    # Of files only what the line itself takes along can be meant.
    carried = () if file is not None else defaults.get("with", ())
    texts = dict(parameter(text) for text in found.param)
    experiment = _first(found.experiment, defaults.get("experiment"))
    return SubmitOptions(
        name=found.name or found.name_flag,
        file=file,
        arguments=arguments,
        experiment=None if experiment is None else check_experiment(experiment),
        target=_first(found.target, defaults.get("target"), "local"),
        tags={**defaults.get("tags", {}), **dict(tag(text) for text in found.tag)},
        parameters={name: literal(text) for name, text in texts.items()},
        parameter_texts=texts,
        results=_names(found.out, "--out"),
        take=_names(found.take, "--in"),
        environment=_first(found.env, defaults.get("env")),
        conda=found.conda,
        capture=not found.no_capture,
        paths=tuple(dict.fromkeys([*carried, *_separate(found.paths)])),
        timeout_s=None if timeout is None else seconds(timeout),
        block=_first(found.block, defaults.get("block")),
        stream=bool(stream),
        reuse=bool(_first(found.reuse, defaults.get("reuse"), False)),
        variable=found.variable,
        dry_run=found.dry_run,
        help=found.help,
    )


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _answer_not_yet(found: argparse.Namespace) -> None:
    for name, (already, answer) in _NOT_YET.items():
        value = getattr(found, name)
        if value is not None and value != already:
            raise UserErrorException(f"%%submit: --{name} {value}: {answer}.")


def _separate(texts: Sequence[str]) -> list[str]:
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _names(texts: Sequence[str], flag: str) -> tuple[str, ...]:
    names = _separate(texts)
    for name in names:
        if not is_variable(name):
            raise UserErrorException(
                f"%%submit: {flag} {name!r} is not the name of a variable.", f"write for example {flag} model,loss"
            )
    return tuple(dict.fromkeys(names))
