"""``[tool.amlnb.env]``: an environment as a table, in ``pyproject.toml`` or in a script's metadata."""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

from amlnb.environments import addresses, package_lists, text_files, toml_values
from amlnb.errors import UserErrorException
from amlnb.specs.environment_spec import WORKSPACE, EnvironmentSpec

NAME = "tool.amlnb.env"
PROJECT = "pyproject.toml"
_KEYS = ("file", "packages", "python", "name", "interpreter", "image", "conda", "strict", "variables", "target")
# One of these says what it is; packages are added to the first two.
_BASES = ("file", "name", "interpreter", "image")


def project_table(folder: str) -> dict[str, Any] | None:
    """The table ``[tool.amlnb.env]`` of a folder's ``pyproject.toml``; None if there is none.

    Raises
    ------
    UserErrorException
        The file is no TOML, or what stands there is no table.
    """
    path = os.path.join(folder, PROJECT)
    if not os.path.isfile(path):
        return None
    try:
        document = tomllib.loads(text_files.read(path, PROJECT))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UserErrorException(f"{PROJECT} is no TOML: {error}", hint=f"it is {path!r}") from error
    return table_of(document, PROJECT)


def table_of(document: Mapping[str, Any], where: str) -> dict[str, Any] | None:
    """The table ``[tool.amlnb.env]`` of a TOML document; None if there is none.

    Raises
    ------
    UserErrorException
        What stands there is no table.
    """
    amlnb = toml_values.table(toml_values.table(document, "tool", where), "amlnb", where)
    return toml_values.table(amlnb, "env", where) if "env" in amlnb else None


def for_target(table: Mapping[str, Any], target: str | None, where: str) -> Mapping[str, Any]:
    """The table that counts for a target: its own (``[tool.amlnb.env.target.NAME]``) replaces the general one.

    Raises
    ------
    UserErrorException
        The part about targets is no table of tables.
    """
    targets = toml_values.table(table, "target", where)
    if target is None or target not in targets:
        return table
    return toml_values.table(targets, target, f"{where}.target")


def environment_of(
    table: Mapping[str, Any],
    before: EnvironmentSpec | None,
    base: Callable[[str, str], EnvironmentSpec],
    where: str,
    folder: str,
    environ: Mapping[str, str],
) -> EnvironmentSpec:
    """Make a request of a table.

    Parameters
    ----------
    table
        As `for_target` gives it.
    before
        What the metadata asks for beside it; its packages come first.
    base
        Reads what a key names (``file``, ``name``, ``interpreter`` or ``image``, then its value).
    where
        What messages call the table.
    folder
        To which paths are relative.
    environ
        The person's environment variables.

    Raises
    ------
    UserErrorException
        A key is not known, a value is of the wrong type, or two of them exclude each other.
    """
    _check_keys(table, where)
    bases = [key for key in _BASES if key in table]
    packages = toml_values.texts(table, "packages", where)
    python = toml_values.text(table, "python", where)
    if len(bases) > 1:
        raise UserErrorException(f"{where}: {bases[0]} and {bases[1]} exclude each other", hint="take one of them out")
    if bases and bases[0] in ("interpreter", "image") and (packages or python):
        raise UserErrorException(
            f"{where}: nothing is added to an {bases[0]}", hint=f"take {'packages' if packages else 'python'} out"
        )
    lines = [(f"{where}, packages", text) for text in packages]
    if python is not None:
        lines.append((f"{where}, python", f"python {python}"))
    added = package_lists.of_packages(lines, where, folder, environ)
    found = added
    if bases:
        found = joined(base(bases[0], toml_values.text(table, bases[0], where) or ""), added)
    if before is not None:
        found = joined(before, found)
    return dataclasses.replace(
        found,
        origin=where,
        use_conda=toml_values.flag(table, "conda", where) or found.use_conda,
        strict=toml_values.flag(table, "strict", where) or found.strict,
        variables={**found.variables, **_variables(table, where)},
    )


def joined(first: EnvironmentSpec, second: EnvironmentSpec) -> EnvironmentSpec:
    """Two requests in one: lists follow each other, of single values the second's counts where it has one."""
    lists = ("pip", "pip_options", "constraints", "conda", "channels", "notes")
    changes: dict[str, Any] = {
        name: tuple(dict.fromkeys([*getattr(first, name), *getattr(second, name)])) for name in lists
    }
    for name in ("interpreter", "image", "dockerfile"):
        changes[name] = getattr(second, name) or getattr(first, name)
    if second.python is not None:
        changes |= {"python": second.python, "python_is_soft": second.python_is_soft}
    changes["use_conda"] = first.use_conda or second.use_conda
    changes["variables"] = {**first.variables, **second.variables}
    changes["credentials"] = dict(first.credentials)
    addresses.joined(changes["credentials"], second.credentials, second.origin or first.origin)
    if second.kind != WORKSPACE:
        changes |= {"name": None, "version": None}  # it is no longer what is known by that name
    return dataclasses.replace(first, **changes)


def _check_keys(table: Mapping[str, Any], where: str) -> None:
    for key in table:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(_KEYS)}"
            raise UserErrorException(f"{where}: {key!r} is not known", hint=hint)


def _variables(table: Mapping[str, Any], where: str) -> dict[str, str]:
    values = toml_values.table(table, "variables", where)
    for name, value in values.items():
        if not isinstance(value, (str, int, float)):
            raise UserErrorException(f"{where}: the variable {name} is no text", hint=f'such as {name} = "value"')
    return {name: str(value) for name, value in values.items()}
