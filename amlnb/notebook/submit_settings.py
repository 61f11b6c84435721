"""Defaults of ``%%submit``: from ``[tool.amlnb]`` of a pyproject.toml, and from ``%submit_config`` in the notebook."""

from __future__ import annotations

import difflib
import os
import tomllib
from typing import TYPE_CHECKING, Any

from amlnb.api.submission_words import seconds, tag
from amlnb.errors import UserErrorException
from amlnb.notebook.words import words

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = "%submit_config"
# Every setting, its kind, and what holds where nothing is said.
KINDS = {
    "experiment": ("text", "the notebook's name"),
    "target": ("text", "local"),
    "env": ("text", "the project's, else the notebook's own Python"),
    "timeout": ("time", "30d"),
    "block": ("switch", "only where no front end is open"),
    "stream": ("switch", "False"),
    "reuse": ("switch", "False"),
    "with": ("paths", ""),
    "tags": ("tags", ""),
}
_ON, _OFF = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


def read_project(folder: str) -> tuple[dict[str, Any], str | None]:
    """Settings of the nearest pyproject.toml, in a folder or above it, that has any; and that file's path.

    Raises
    ------
    UserErrorException
        The file is not TOML, or has a setting that is not known or of the wrong type.
    """
    folder = os.path.abspath(folder)
    while True:
        path = os.path.join(folder, "pyproject.toml")
        section = _section(path) if os.path.isfile(path) else None
        if section is not None:
            # The project's environment is read when something is submitted: its paths are relative to this file.
            return {name: _checked(name, value, path) for name, value in section.items() if name != "env"}, path
        parent = os.path.dirname(folder)
        if parent == folder:
            return {}, None
        folder = parent


def parse_line(line: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """Change settings as a ``%submit_config`` line says.

    Parameters
    ----------
    line
        Words ``name=value``; ``name=`` takes a setting back, ``--reset`` all of them.
    before
        The settings that were made so before.

    Raises
    ------
    UserErrorException
        A name is not known, or a value cannot be its.
    """
    settings = dict(before)
    for word in words(line, HERE):
        if word == "--reset":
            settings.clear()
            continue
        name, equals, value = word.removeprefix("--").partition("=")
        if not equals:
            raise UserErrorException(
                f"{HERE}: {word!r} is not NAME=VALUE.", "write for example %submit_config reuse=True"
            )
        checked = _checked(name, value, HERE)
        if value:
            settings[name] = checked
        else:
            settings.pop(name, None)
    return settings


def effective(project: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    """Join settings: those of the notebook count before those of the project; tags of both count."""
    joined = {**project, **here}
    if "tags" in joined:
        joined["tags"] = {**project.get("tags", {}), **here.get("tags", {})}
    return joined


def as_text(project: Mapping[str, Any], path: str | None, here: Mapping[str, Any]) -> str:
    """Write every setting, what holds, and who says so, as lines."""
    where = os.path.relpath(path) if path else ""
    rows = [("setting", "value", "from")]
    joined = effective(project, here)
    for name, (_, default) in KINDS.items():
        origin = " and ".join(said for said, settings in ((HERE, here), (where, project)) if name in settings)
        if name != "tags":
            origin = HERE if name in here else origin
        rows.append((name, _shown(joined[name]) if name in joined else default, origin or "default"))
    widths = [max(len(row[i]) for row in rows) for i in range(2)]
    return "\n".join(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip() for row in rows)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(key if text is None else f"{key}={text}" for key, text in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def _section(path: str) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as file:
            document = tomllib.load(file)
    except (OSError, ValueError) as error:
        raise UserErrorException(
            f"{path!r} cannot be read: {error}", "correct it; %%submit reads its [tool.amlnb]"
        ) from error
    tool = document.get("tool")
    section = tool.get("amlnb") if isinstance(tool, dict) else None
    return section if isinstance(section, dict) else None


def _checked(name: str, value: Any, where: str) -> Any:
    """A setting's value by its kind, from TOML or from a word."""
    if name not in KINDS:
        near = difflib.get_close_matches(name, KINDS, 1)
        raise UserErrorException(
            f"{where}: there is no setting {name!r}",
            f"did you mean {near[0]}?" if near else f"there are: {', '.join(KINDS)}",
        )
    kind = KINDS[name][0]
    if value == "" and where == HERE:
        return None
    if kind == "switch":
        known = isinstance(value, bool) or (isinstance(value, str) and value.lower() in _ON | _OFF)
        if known:
            return value if isinstance(value, bool) else value.lower() in _ON
    elif kind == "time" and isinstance(value, (str, int)) and not isinstance(value, bool):
        seconds(str(value))
        return str(value)
    elif kind == "paths" and isinstance(value, (str, list)):
        parts = value.split(",") if isinstance(value, str) else value
        if all(isinstance(part, str) for part in parts):
            return [part.strip() for part in parts if part.strip()]
    elif kind == "tags" and isinstance(value, str):
        return dict(tag(part) for part in value.split(",") if part.strip())
    elif kind == "tags" and isinstance(value, dict):
        return {str(key): None if text is True else str(text) for key, text in value.items()}
    elif kind == "text" and isinstance(value, str) and value:
        return value
    examples = {
        "switch": "true or false",
        "time": "'2h'",
        "paths": "['data.csv']",
        "tags": "{ team = 'x' }",
        "text": "a word",
    }
    raise UserErrorException(f"{where}: the setting {name} cannot be {value!r}", f"give it {examples[kind]}")
