"""What people write when they submit, on any face: times, tags, parameters, files, names of experiments."""

from __future__ import annotations

import ast
import os
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from amlnb.errors import UserErrorException

NOTEBOOK_ENDING = ".ipynb"
PARAMETER_FLAGS = ("-p", "--param")
_ENDINGS = (".py", ".pyw", NOTEBOOK_ENDING, "")
_UNITS_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_LONGEST_EXPERIMENT = 255
_LONGEST_MADE_NAME = 36
_IDENTIFIER = re.compile(r"[^\W\d]\w*\Z")


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


def tag(text: str) -> tuple[str, str | None]:
    """Read ``KEY`` or ``KEY=VALUE``.

    Raises
    ------
    UserErrorException
        It has no key.
    """
    key, equals, value = text.partition("=")
    if not key.strip():
        raise UserErrorException(f"the tag {text!r} has no key", hint="such as --tag draft or --tag dataset=digits")
    return key.strip(), value if equals else None


def parameter(text: str) -> tuple[str, str]:
    """Read ``NAME=VALUE``; the value stays as it was written.

    Raises
    ------
    UserErrorException
        It is none, or the name is not that of a variable.
    """
    name, equals, value = text.partition("=")
    if not equals or not _IDENTIFIER.match(name):
        raise UserErrorException(f"the parameter {text!r} is not NAME=VALUE", hint="such as --param rate=0.1")
    return name, value


def paired_parameters(words: Sequence[str]) -> list[str]:
    """Write papermill's ``-p NAME VALUE`` as ``-p NAME=VALUE``; other words stay as they are."""
    paired: list[str] = []
    waiting = list(reversed(words))
    while waiting:
        word = waiting.pop()
        paired.append(word)
        if word not in PARAMETER_FLAGS or not waiting:
            continue
        name = waiting.pop()
        is_pair = _IDENTIFIER.match(name) and waiting and not waiting[-1].startswith("--") and waiting[-1] != "-p"
        paired.append(f"{name}={waiting.pop()}" if is_pair else name)
    return paired


def literal(text: str) -> object:
    """Read a Python literal; a word is a word: ``adam``."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def locate(file: str, source_directory: str | None = None) -> tuple[str, str]:
    """Source directory (absolute) of a script or notebook, and its path relative to it.

    The source directory is the current one if the file is in it, else that of the file. With one given, the file is
    looked for in the current directory first, and then in the source directory.

    Raises
    ------
    UserErrorException
        It is a file of another kind.
    """
    ending = os.path.splitext(file)[1]
    if ending not in _ENDINGS:
        raise UserErrorException(
            f"{file!r} is neither a Python script nor a notebook: it ends in {ending!r}",
            hint="give a .py or .ipynb file, and after it what the script is to have: amlnb submit train.py FILE",
        )
    path = os.path.abspath(file)
    if source_directory is None:
        here = os.getcwd()
        source = here if path.startswith(here.rstrip("/") + "/") else os.path.dirname(path)
        return source, os.path.relpath(path, source)
    source = os.path.abspath(source_directory)
    if not os.path.isfile(path) or not path.startswith(source.rstrip("/") + "/"):
        path = os.path.join(source, file)
    return source, os.path.relpath(path, source)


def experiment_name(path: str) -> str:
    """Name of an experiment after a folder, or after a notebook without its ending."""
    return _like_a_name(os.path.basename(path)) or "experiment"


def _like_a_name(text: str) -> str:
    """What of a text can be the name of an experiment; empty if nothing can."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    letters = "".join(c for c in plain if not unicodedata.combining(c))  # Prüfung: Prufung
    return re.sub(r"[^A-Za-z0-9_-]+", "-", letters).strip("-_")[:_LONGEST_MADE_NAME]


def check_experiment(name: Any) -> str:
    """Return an experiment's name if it is one.

    Raises
    ------
    UserErrorException
        It is none; the message tells which character is wrong.
    """
    if isinstance(name, str):
        other = next((c for c in name if not (c.isascii() and c.isalnum()) and c not in "-_"), None)
        if other is not None:
            why = f"{other!r} is no letter from a to z, digit, '-' or '_'"
        elif not name:
            why = "it is empty"
        elif name[0] in "-_":
            why = f"it begins with {name[0]!r}"
        elif len(name) > _LONGEST_EXPERIMENT:
            why = f"it has {len(name):,} characters"
        else:
            return name
        such = f"such as {_like_a_name(name)!r}; " if _like_a_name(name) else ""
    else:
        why, such = f"it is a {type(name).__name__}", ""
    raise UserErrorException(
        f"{name!r:.300} cannot be the name of an experiment: {why}",
        hint=f"{such}1 to {_LONGEST_EXPERIMENT} letters, digits, '-' and '_', a letter or digit first",
    )
