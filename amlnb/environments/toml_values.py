"""Values of a TOML document, with a message where one is of another type than it must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlnb.errors import UserErrorException


def table(document: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    """Return a table, empty if it is not there.

    Raises
    ------
    UserErrorException
        It is something else.
    """
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise _other(key, value, "a table", where, f"[{key}]")
    return value


def texts(document: Mapping[str, Any], key: str, where: str) -> list[str]:
    """Return a list of texts, empty if it is not there.

    Raises
    ------
    UserErrorException
        It is something else.
    """
    value = document.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _other(key, value, "a list of texts", where, f'{key} = ["numpy"]')
    return value


def text(document: Mapping[str, Any], key: str, where: str) -> str | None:
    """Return a text, or None if it is not there.

    Raises
    ------
    UserErrorException
        It is something else, or empty.
    """
    value = document.get(key)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise _other(key, value, "a text", where, f'{key} = "..."')
    return value


def flag(document: Mapping[str, Any], key: str, where: str) -> bool:
    """Return true or false, false if it is not there.

    Raises
    ------
    UserErrorException
        It is something else.
    """
    value = document.get(key, False)
    if not isinstance(value, bool):
        raise _other(key, value, "true or false", where, f"{key} = true")
    return value


def _other(key: str, value: object, wanted: str, where: str, example: str) -> UserErrorException:
    told = repr(value) if isinstance(value, (str, int, float)) else f"a {type(value).__name__}"
    return UserErrorException(f"{where}: {key} is {told[:80]}, and must be {wanted}", hint=f"such as {example}")
