"""What may stand in an address and in a body: read from text, checked, and described for the OpenAPI document."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amlnb.errors import UserErrorException

_SHOWN = 80
_LONGEST_TEXT = 4096
_WHOLE = re.compile(r"-?[0-9]{1,19}")
# What clients add to any address: a token, and JupyterLab's numbers against caches.
_OF_CLIENTS = frozenset(["token", "no_track_activity", "_xsrf"])


@dataclass(frozen=True)
class Kind:
    """A type of value.

    Attributes
    ----------
    read
        From text (of an address) or from a JSON value (of a body) to the value; raises ValueError for what it is not.
    told
        What it is, as in "give ...".
    schema
        The same as JSON Schema.
    """

    read: Callable[[Any], Any]
    told: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a query, or a field of a body.

    Attributes
    ----------
    default
        Its value where it is not given.
    many
        It may be given more than once; its value is a tuple.
    """

    name: str
    kind: Kind
    told: str = ""
    default: Any = None
    required: bool = False
    many: bool = False


def text(longest: int = _LONGEST_TEXT) -> Kind:
    """Any text up to a length."""

    def read(given: Any) -> str:
        if not isinstance(given, str) or len(given) > longest or "\0" in given:
            raise ValueError
        given.encode()  # a lone surrogate is no text: UnicodeEncodeError is a ValueError
        return given

    return Kind(read, f"a text of at most {longest:,} characters", {"type": "string", "maxLength": longest})


def choice(*words: str) -> Kind:
    """One of some words."""

    def read(given: Any) -> str:
        if given not in words:
            raise ValueError
        return str(given)

    return Kind(read, f"one of {', '.join(words)}", {"type": "string", "enum": list(words)})


def whole(low: int, high: int) -> Kind:
    """A whole number within limits."""

    def read(given: Any) -> int:
        if not isinstance(given, str) or not _WHOLE.fullmatch(given):
            raise ValueError
        number = int(given)
        if not low <= number <= high:
            raise ValueError
        return number

    return Kind(read, f"a whole number from {low:,} to {high:,}", {"type": "integer", "minimum": low, "maximum": high})


def number() -> Kind:
    """A finite number."""

    def read(given: Any) -> float:
        if not isinstance(given, str) or len(given) > 40 or "_" in given:
            raise ValueError
        found = float(given)
        if not math.isfinite(found):
            raise ValueError
        return found

    return Kind(read, "a number", {"type": "number"})


def flag() -> Kind:
    """Yes or no, in a query."""
    words = {"1": True, "true": True, "0": False, "false": False}

    def read(given: Any) -> bool:
        if given not in words:
            raise ValueError
        return words[given]

    return Kind(read, "1 or 0", {"type": "boolean"})


def truth() -> Kind:
    """Yes or no, in a body."""

    def read(given: Any) -> bool:
        if given is not True and given is not False:
            raise ValueError
        return bool(given)

    return Kind(read, "true or false", {"type": "boolean"})


def or_null(kind: Kind) -> Kind:
    """The same, or null."""
    return Kind(
        lambda given: None if given is None else kind.read(given),
        f"{kind.told}, or null",
        {"anyOf": [dict(kind.schema), {"type": "null"}]},
    )


def texts_by_name(value: Kind, most: int = 200) -> Kind:
    """An object whose values are of one kind."""
    name = text(300)

    def read(given: Any) -> dict[str, Any]:
        if not isinstance(given, dict) or len(given) > most:
            raise ValueError
        return {name.read(key): value.read(each) for key, each in given.items()}

    schema = {"type": "object", "additionalProperties": dict(value.schema), "maxProperties": most}
    return Kind(read, f"an object of at most {most} names, each {value.told}", schema)


def list_of(value: Kind, most: int = 200) -> Kind:
    """A list of values of one kind."""

    def read(given: Any) -> list[Any]:
        if not isinstance(given, list) or len(given) > most:
            raise ValueError
        return [value.read(each) for each in given]

    schema = {"type": "array", "items": dict(value.schema), "maxItems": most}
    return Kind(read, f"a list of at most {most}, each {value.told}", schema)


def read_query(given: Mapping[str, Sequence[str]], known: Sequence[Parameter]) -> dict[str, Any]:
    """Values of the parameters of a query.

    Raises
    ------
    UserErrorException
        One is missing, given twice, not known, or of another kind.
    """
    names = [parameter.name for parameter in known]
    for name in given:
        if name not in names and name not in _OF_CLIENTS and not name.isdecimal():
            raise _unknown("parameter", name, names)
    return {parameter.name: _of_query(parameter, given.get(parameter.name, ())) for parameter in known}


def read_body(given: object, known: Sequence[Parameter]) -> dict[str, Any]:
    """Values of the fields of a body; those that are not given and have no default are left out.

    Raises
    ------
    UserErrorException
        One is missing, not known, or of another kind; or it is no object.
    """
    if not isinstance(given, dict):
        raise UserErrorException(f"the body is {_shown(given)}", hint="send a JSON object")
    names = [parameter.name for parameter in known]
    for name in given:
        if name not in names:
            raise _unknown("field", name, names)
    found = {}
    for parameter in known:
        if parameter.name in given:
            found[parameter.name] = _read(parameter, given[parameter.name])
        elif parameter.required:
            raise _missing(parameter)
    return found


def _of_query(parameter: Parameter, given: Sequence[str]) -> Any:
    if parameter.many:
        return tuple(_read(parameter, each) for each in given)
    if len(given) > 1:
        raise UserErrorException(f"{parameter.name!r} is given {len(given)} times", hint="give it once")
    if given:
        return _read(parameter, given[0])
    if parameter.required:
        raise _missing(parameter)
    return parameter.default


def _read(parameter: Parameter, given: Any) -> Any:
    try:
        return parameter.kind.read(given)
    except (ValueError, OverflowError, TypeError):
        raise UserErrorException(f"{parameter.name!r} is {_shown(given)}", hint=f"give {parameter.kind.told}") from None


def _missing(parameter: Parameter) -> UserErrorException:
    return UserErrorException(f"{parameter.name!r} is missing", hint=f"give {parameter.told or parameter.kind.told}")


def _unknown(what: str, name: str, names: Sequence[str]) -> UserErrorException:
    near = difflib.get_close_matches(name, names, 1)
    known = f"there are: {', '.join(names)}" if names else "there are none"
    return UserErrorException(
        f"there is no {what} {_shown(name)}", hint=f"did you mean {near[0]!r}?" if near else known
    )


def _shown(given: object) -> str:
    told = repr(given)
    return told if len(told) <= _SHOWN else told[: _SHOWN - 1] + "…"
