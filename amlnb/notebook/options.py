"""What the line of a ``%%submit`` cell or a ``%submit`` magic says."""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amlnb.errors import UserErrorException
from amlnb.notebook.flags import IDENTIFIER, FlagParser, make_parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SCRIPT, _NOTEBOOK = ".py", ".ipynb"
# Of the plan: parsed, so that a line that has them is understood, and answered.
_NOT_YET = {
    "env": ("", "a run uses the Python of the notebook, or that of its target; environments come with a later version"),
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
    parameters
        Values given with ``--param``.
    results, take
        Names whose values return; names to take along unseen.
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
    results: tuple[str, ...] = ()
    take: tuple[str, ...] = ()
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
    return _options(make_parser(), _words(line), defaults or {})


def parse_file_options(line: str, defaults: Mapping[str, Any] | None = None) -> SubmitOptions:
    """Parse the line after ``%submit``, which names a script or a notebook; as `parse_options`.

    What follows a script belongs to it; flags may stand before and after a notebook.
    """
    parser, words = make_parser(), _words(line)
    number = _position_of_file(words, parser)
    if number is None:
        options = _options(parser, words, defaults or {})
        if options.help or not words:
            return options
        raise UserErrorException(
            f"%submit: {line.strip()!r} names neither a script (.py) nor a notebook (.ipynb).",
            "write for example %submit train.py --epochs 3; the first line of a cell is %%submit, with two signs",
        )
    before, file, after = words[:number], words[number], words[number + 1 :]
    if file.endswith(_SCRIPT):
        return _options(parser, before, defaults or {}, file, tuple(after))
    return _options(parser, [*before, *after], defaults or {}, file)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError as error:
        raise UserErrorException(f"%%submit: a quote is not closed in {line.strip()!r}.", "close it") from error


def _position_of_file(words: Sequence[str], parser: FlagParser) -> int | None:
    is_value = False
    for number, word in enumerate(words):
        if not is_value and not word.startswith("-") and word.endswith((_SCRIPT, _NOTEBOOK)):
            return number
        is_value = not is_value and parser.takes_value(word)
    return None


def _options(
    parser: FlagParser,
    words: Sequence[str],
    defaults: Mapping[str, Any],
    file: str | None = None,
    arguments: tuple[str, ...] = (),
) -> SubmitOptions:
    parser.words = words
    found = parser.parse_args(_paired_parameters(words))
    if found.name and found.name_flag:
        parser.error(f"the run is named twice, {found.name!r} and {found.name_flag!r}")
    if file is not None and found.name:
        parser.error(f"{found.name!r} and {file!r} are two things to submit")
    if found.variable is not None and not IDENTIFIER.match(found.variable):
        parser.error(f"--as {found.variable!r} is not the name of a variable")
    _answer_not_yet(found)
    timeout = found.timeout if found.timeout is not None else defaults.get("timeout")
    stream = bool(_first(found.stream, defaults.get("stream"), False))
    if stream and found.block is False:
        parser.error("--stream waits for the end, and --no-block does not")
    return SubmitOptions(
        name=found.name or found.name_flag,
        file=file,
        arguments=arguments,
        experiment=_first(found.experiment, defaults.get("experiment")),
        target=_first(found.target, defaults.get("target"), "local"),
        tags={**defaults.get("tags", {}), **dict(parse_tag(text) for text in found.tag)},
        parameters=dict(_parameter(text) for text in found.param),
        results=_names(found.out, "--out"),
        take=_names(found.take, "--in"),
        capture=not found.no_capture,
        paths=tuple(dict.fromkeys([*defaults.get("with", ()), *_separate(found.paths)])),
        timeout_s=None if timeout is None else parse_duration(timeout),
        block=_first(found.block, defaults.get("block")),
        stream=stream,
        reuse=bool(_first(found.reuse, defaults.get("reuse"), False)),
        variable=found.variable,
        dry_run=found.dry_run,
        help=found.help,
    )


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _paired_parameters(words: Sequence[str]) -> list[str]:
    """Write papermill's ``-p NAME VALUE`` as ``-p NAME=VALUE``."""
    paired: list[str] = []
    waiting = list(reversed(words))
    while waiting:
        word = waiting.pop()
        paired.append(word)
        if word in ("-p", "--param") and len(waiting) > 1 and IDENTIFIER.match(waiting[-1]):
            after = waiting[-2]
            if not after.startswith("--") and after != "-p":
                paired.append(f"{waiting.pop()}={waiting.pop()}")
        elif word in ("-p", "--param") and waiting:
            paired.append(waiting.pop())
    return paired


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
        if not IDENTIFIER.match(name):
            raise UserErrorException(
                f"%%submit: {flag} {name!r} is not the name of a variable.", f"write for example {flag} model,loss"
            )
    return tuple(dict.fromkeys(names))


def parse_tag(text: str) -> tuple[str, str | None]:
    """Read ``KEY`` or ``KEY=VALUE``; raises UserErrorException without a key."""
    key, equals, value = text.partition("=")
    if not key.strip():
        raise UserErrorException(f"%%submit: --tag {text!r} has no key.", "write --tag KEY or --tag KEY=VALUE")
    return key.strip(), value if equals else None


def _parameter(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not IDENTIFIER.match(name):
        raise UserErrorException(f"%%submit: --param {text!r} is not NAME=VALUE.", "write for example --param rate=0.1")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return name, value  # a word is a word: --param optimizer=adam


def parse_duration(text: str) -> float:
    """Read ``90``, ``90s``, ``30m`` or ``2h`` as seconds; raises UserErrorException for what is no time above 0."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(text).lower())
    if found is None or found.group(2) not in _SECONDS or float(found.group(1)) <= 0:
        raise UserErrorException(f"%%submit: --timeout {text!r} is not a time.", "write for example 90s, 30m or 2h")
    return float(found.group(1)) * _SECONDS[found.group(2)]
