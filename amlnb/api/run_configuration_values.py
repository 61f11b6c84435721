"""What v1 code gives for a run, checked: folders, arguments, command lines, times, variables, tags."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

from amlnb.errors import RunConfigurationException

_SCALARS = (str, int, float, bool)
_LINE = 80


def path(given: object, what: str) -> str:
    """A path, given as a text or an object that stands for one.

    Raises
    ------
    RunConfigurationException
        It is none.
    """
    found = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(found, str):
        raise RunConfigurationException(f"{what} is {_told(given)}", hint="give a path: 'train.py'")
    return found


def arguments(given: object) -> list[Any]:
    """Arguments of a script: scalars, NumPy's among them, and paths.

    Raises
    ------
    RunConfigurationException
        They are no list of these.
    """
    if given is None:
        return []
    if isinstance(given, str | bytes | Mapping | set) or not isinstance(given, Iterable):
        raise RunConfigurationException(
            f"arguments is {_told(given)}", hint="give a list of words: arguments=['--lr', 0.1]"
        )
    return [_argument(each) for each in given]


def _argument(given: Any) -> Any:
    if isinstance(given, os.PathLike):
        return path(given, "the argument")
    if isinstance(given, _SCALARS):
        return given.item() if hasattr(given, "item") else given
    if hasattr(given, "item") and not getattr(given, "shape", ()):
        return given.item()
    raise RunConfigurationException(
        f"the argument {given!r} is a {type(given).__name__}; arguments are str, int, float or bool",
        hint="write structured values into a file of the source directory",
    )


def command_line(given: object) -> str | None:
    """A command line, given as a text or as its words, which are joined by spaces; None where there is none.

    Raises
    ------
    RunConfigurationException
        It is none of these.
    """
    if not given or isinstance(given, str):
        return given or None  # type: ignore[return-value]  # a text, or nothing
    if not isinstance(given, list | tuple):
        raise RunConfigurationException(
            f"command is {_told(given)}", hint="give a list of words: command=['python', 'train.py']"
        )
    return " ".join(str(_argument(part)) for part in given)


def seconds(given: object, what: str) -> float | None:
    """A time limit, a number or the text of one; None for none.

    Raises
    ------
    RunConfigurationException
        It is no number above 0.
    """
    if given is None:
        return None
    try:
        found = math.nan if isinstance(given, bool) else float(given)  # type: ignore[arg-type]  # others raise
    except (TypeError, ValueError):
        found = math.nan
    if not 0 < found < math.inf:
        raise RunConfigurationException(
            f"{what} is {_told(given)}", hint="give a number of seconds above 0, or None for no limit"
        )
    return int(found) if found.is_integer() else found


def texts(given: object, what: str) -> dict[str, str]:
    """Environment variables and the like: names and their texts; None is none of them.

    Raises
    ------
    RunConfigurationException
        It is no dict.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise RunConfigurationException(f"{what} is {_told(given)}", hint=f"give a dict: {what}={{'NAME': 'value'}}")
    return {str(key): str(value) for key, value in given.items()}


def tags(given: object) -> dict[str, str | None]:
    """Tags of a run; a tag without a value is None.

    Raises
    ------
    RunConfigurationException
        They are no dict.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise RunConfigurationException(f"tags is {_told(given)}", hint="give a dict: tags={'dataset': 'digits'}")
    return {str(key): None if value is None else str(value) for key, value in given.items()}


def flag(given: object, what: str) -> bool:
    """A setting that is True or False.

    Raises
    ------
    RunConfigurationException
        It is neither: the text "False" would count as True.
    """
    if not isinstance(given, bool):
        raise RunConfigurationException(f"{what} is {_told(given)}", hint="give True or False")
    return given


def _told(given: object) -> str:
    shown = repr(given)
    return f"{shown}, a {type(given).__name__}" if len(shown) <= _LINE else f"a {type(given).__name__}"
