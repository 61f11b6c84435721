"""The flags of ``%%submit`` and ``%submit``: their names, their help, and what is said of a wrong line."""

from __future__ import annotations

import argparse
import difflib
import keyword
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NoReturn

from amlnb.errors import UserErrorException

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_NEAR_ENOUGH = 0.8
_ALL_FLAGS = "'%submit --help' shows all flags"
_USAGE = """%%%%submit [NAME] [flags]
       %%submit [flags] SCRIPT.py [its own arguments]
       %%submit [flags] NOTEBOOK.ipynb [flags]"""


def is_variable(name: str) -> bool:
    """Tell whether a variable can have this name."""
    return name.isidentifier() and not keyword.iskeyword(name)


class FlagParser(argparse.ArgumentParser):
    """Says what to do about a wrong line; ``words`` are those of the line."""

    words: Sequence[str] = ()

    def error(self, message: str) -> NoReturn:
        """Refuse the line."""
        raise UserErrorException(f"{self.prog}: {message}.", self._advice(message))

    @property
    def flags(self) -> list[str]:
        """The long names of all flags."""
        return [flag for action in self._actions for flag in action.option_strings if flag.startswith("--")]

    def takes_value(self, flag: str) -> bool:
        """Tell whether the word after a flag is its value."""
        action = self._option_string_actions.get(flag)
        return action is not None and action.nargs is None

    def _advice(self, message: str) -> str:
        known = self.flags
        unknown = [word for word in re.findall(r"--[\w-]+", message) if word not in known]
        if unknown:
            return self._advice_on_flag(unknown[0], known)
        if message.startswith("unrecognized arguments"):
            return f'put a name of several words in quotes: %%submit "my run"; {_ALL_FLAGS}'
        return _ALL_FLAGS

    def _advice_on_flag(self, word: str, known: list[str]) -> str:
        begun = [flag for flag in known if flag.startswith(word)]
        near = begun if len(begun) == 1 else difflib.get_close_matches(word, known, 1, _NEAR_ENOUGH)
        if near:
            return f"did you mean {near[0]}? {_ALL_FLAGS}"
        name, value = word[2:].replace("-", "_"), self._value_after(word)
        if value is not None and is_variable(name):
            return f"a variable or a notebook's parameter gets another value by --param {name}={value}; {_ALL_FLAGS}"
        return _ALL_FLAGS

    def _value_after(self, flag: str) -> str | None:
        for word, after in pairwise([*self.words, "--"]):
            if word == flag and not after.startswith("--"):
                return after
            if word.startswith(f"{flag}="):
                return word.partition("=")[2]
        return None


class _Once(argparse.Action):
    """Keep a value, and refuse another one."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        before = getattr(namespace, self.dest)
        if before is not None:
            parser.error(f"{option_string} is given twice, {before!r} and {values!r}")
        setattr(namespace, self.dest, values)


def make_parser(magic: str = "%%submit") -> FlagParser:
    """Build the parser of a line's flags."""
    parser = FlagParser(magic, add_help=False, allow_abbrev=False, usage=_USAGE)
    add = parser.add_argument
    add("name", nargs="?", metavar="NAME", help="name shown for the run; in quotes if it has spaces")
    add("--name", dest="name_flag", metavar="NAME", help="the same")
    add(
        "--experiment",
        "-e",
        metavar="NAME",
        help="experiment of the run (default: the notebook's name, or that of its folder where nobody tells it)",
    )
    add("--target", "-t", metavar="TARGET", help="compute target (default: local, this machine)")
    _add_values(parser)
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
    stream = parser.add_mutually_exclusive_group()
    stream.add_argument("--stream", action="store_true", default=None, help="wait, and print the run's log as it comes")
    stream.add_argument("--no-stream", dest="stream", action="store_false", help="show the run instead (the default)")
    reuse = parser.add_mutually_exclusive_group()
    reuse.add_argument(
        "--reuse",
        action="store_true",
        default=None,
        help="show a Completed run of the same code, values, files that it names, environment and parameters, if there "
        "is one, instead of running it again",
    )
    reuse.add_argument("--no-reuse", dest="reuse", action="store_false", help="run it again (the default)")
    add(
        "--env",
        action=_Once,
        metavar="ENVIRONMENT",
        help="packages of the run: a file (requirements.txt, environment.yml), a registered or curated name, packages "
        "(python=3.11,torch==2.13.0), inline (the metadata at the top of the cell or file), docker:IMAGE, or a Python "
        "that exists (default: the notebook's own, or that of the target)",
    )
    add(
        "--conda",
        action="store_true",
        help="take the conda packages of an environment.yml themselves, not those of PyPI",
    )
    add("--gpus", metavar="N", help="not yet: a run sees all GPUs of its machine")
    add("--nodes", metavar="N", help="not yet: a run has one machine")
    add("--dry-run", action="store_true", help="show the script and what goes with it; submit nothing")
    add("--help", "-h", action="store_true", help="show this")
    return parser


def _add_values(parser: FlagParser) -> None:
    """What goes in, and what comes back."""
    add = parser.add_argument
    add(
        "--param",
        "-p",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="give a variable of the cell, or a parameter of the notebook, another value (also: -p NAME VALUE)",
    )
    add(
        "--out",
        action="append",
        default=[],
        metavar="NAMES",
        help="variables whose values return, with commas between: run.result() is a dict of them",
    )
    add(
        "--in",
        dest="take",
        action="append",
        default=[],
        metavar="NAMES",
        help="variables to take along that the cell does not visibly use",
    )
    add("--no-capture", action="store_true", help="take nothing from the notebook but what --in names")
    add(
        "--with",
        dest="paths",
        action="append",
        default=[],
        metavar="PATHS",
        help="files and folders to take along, with commas between; on this machine the notebook's folder is visible "
        "to the run anyway",
    )
