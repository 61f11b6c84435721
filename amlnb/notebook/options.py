"""The line after ``%%submit``: its flags, their help, and what is said of a wrong one."""

from __future__ import annotations

import argparse
import ast
import difflib
import re
import shlex
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

from amlnb.errors import UserErrorException

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_IDENTIFIER = re.compile(r"[^\W\d]\w*\Z")


@dataclass(frozen=True)
class SubmitOptions:
    """What a ``%%submit`` line says.

    Attributes
    ----------
    block
        Wait for the end; None lets the front end decide (without one, yes).
    variable
        Name under which the notebook gets the run.
    parameters
        Values given with ``--param``.
    """

    name: str | None = None
    experiment: str | None = None
    target: str = "local"
    tags: dict[str, str | None] = field(default_factory=dict)
    parameters: dict[str, object] = field(default_factory=dict)
    timeout_s: float | None = None
    block: bool | None = None
    variable: str | None = None
    dry_run: bool = False
    help: bool = False


# Of the plan (see the README): refused as what it is, not as a misspelling.
_LATER = frozenset({"--env", "--environment", "--gpus", "--nodes", "--out", "--with"})
_NEAR_ENOUGH = 0.8
_ALL_FLAGS = "'%submit --help' shows all flags"


class _Parser(argparse.ArgumentParser):
    """Says what to do about a wrong line; ``words`` are those of the line."""

    words: Sequence[str] = ()

    def error(self, message: str) -> NoReturn:
        raise UserErrorException(f"%%submit: {message}.", self._advice(message))

    def _advice(self, message: str) -> str:
        known = [flag for action in self._actions for flag in action.option_strings if flag.startswith("--")]
        unknown = [word for word in re.findall(r"--[\w-]+", message) if word not in known]
        if unknown:
            return self._advice_on_flag(unknown[0], known)
        if message.startswith("unrecognized arguments"):
            return f'put a name of several words in quotes: %%submit "my run"; {_ALL_FLAGS}'
        return _ALL_FLAGS

    def _advice_on_flag(self, word: str, known: list[str]) -> str:
        if word in _LATER:
            return f"{word} comes with a later version; {_ALL_FLAGS}"
        near = difflib.get_close_matches(word, known, 1, _NEAR_ENOUGH)
        if near:
            return f"did you mean {near[0]}? {_ALL_FLAGS}"
        name, value = word[2:].replace("-", "_"), self._value_after(word)
        if value is not None and _IDENTIFIER.match(name):
            return f"a variable of the cell gets another value by --param {name}={value}; {_ALL_FLAGS}"
        return _ALL_FLAGS

    def _value_after(self, flag: str) -> str | None:
        for word, after in pairwise([*self.words, "--"]):
            if word == flag and not after.startswith("--"):
                return after
            if word.startswith(f"{flag}="):
                return word.partition("=")[2]
        return None


def make_parser() -> _Parser:
    """Build the parser of a ``%%submit`` line."""
    parser = _Parser("%%submit", add_help=False, allow_abbrev=False, usage="%%%%submit [NAME] [flags]")
    add = parser.add_argument
    add("name", nargs="?", metavar="NAME", help="name shown for the run; in quotes if it has spaces")
    add("--name", dest="name_flag", metavar="NAME", help="the same")
    add("--experiment", "-e", metavar="NAME", help="experiment of the run (default: the notebook's name)")
    add("--target", "-t", metavar="TARGET", default="local", help="compute target (default: local, this machine)")
    add(
        "--param",
        "-p",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="give a variable of the cell another value",
    )
    add("--tag", action="append", default=[], metavar="KEY[=VALUE]", help="tag of the run")
    add("--timeout", metavar="TIME", help="time limit, such as 90s, 30m, 2h; the run then ends as Canceled")
    add("--as", dest="variable", metavar="VARIABLE", help="variable of the notebook that gets the run (also: _)")
    wait = parser.add_mutually_exclusive_group()
    wait.add_argument("--block", action="store_true", default=None, help="wait until the run has ended")
    wait.add_argument(
        "--no-block",
        dest="block",
        action="store_false",
        help="return at once (the default in a notebook that is open; without one, as under papermill, a cell waits)",
    )
    add("--dry-run", action="store_true", help="show the script and what goes with it; submit nothing")
    add("--help", "-h", action="store_true", help="show this")
    return parser


def parse_options(line: str) -> SubmitOptions:
    """Parse the line after ``%%submit``.

    Raises
    ------
    UserErrorException
        If a flag or a value cannot be understood; names the nearest flag.
    """
    parser = make_parser()
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        raise UserErrorException(f"%%submit: a quote is not closed in {line.strip()!r}.", "close it") from error
    parser.words = words
    found = parser.parse_args(words)
    if found.name and found.name_flag:
        parser.error(f"the run is named twice, {found.name!r} and {found.name_flag!r}")
    variable = found.variable
    if variable is not None and not _IDENTIFIER.match(variable):
        parser.error(f"--as {variable!r} is not the name of a variable")
    return SubmitOptions(
        name=found.name or found.name_flag,
        experiment=found.experiment,
        target=found.target,
        tags=dict(_tag(text) for text in found.tag),
        parameters=dict(_parameter(text) for text in found.param),
        timeout_s=None if found.timeout is None else _duration(found.timeout),
        block=found.block,
        variable=variable,
        dry_run=found.dry_run,
        help=found.help,
    )


def _tag(text: str) -> tuple[str, str | None]:
    key, equals, value = text.partition("=")
    if not key.strip():
        raise UserErrorException(f"%%submit: --tag {text!r} has no key.", "write --tag KEY or --tag KEY=VALUE")
    return key.strip(), value if equals else None


def _parameter(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not _IDENTIFIER.match(name):
        raise UserErrorException(f"%%submit: --param {text!r} is not NAME=VALUE.", "write for example --param rate=0.1")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return name, value  # a word is a word: --param optimizer=adam


def _duration(text: str) -> float:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", text.lower())
    if found is None or found.group(2) not in _SECONDS or float(found.group(1)) <= 0:
        raise UserErrorException(f"%%submit: --timeout {text!r} is not a time.", "write for example 90s, 30m or 2h")
    return float(found.group(1)) * _SECONDS[found.group(2)]
