"""What uv's own files, and a project's, say of where packages come from: all that uv is told of them.

The rest of them is for the person's own commands: ``[tool.uv.pip]`` may send packages to another folder, another Python
or another platform.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from typing import Any

from amlnb.errors import UserErrorException

_OF_INDEXES = frozenset({"index", "index-url", "extra-index-url", "find-links", "no-index"})
_KEPT = _OF_INDEXES | {
    *("index-strategy", "keyring-provider", "http-proxy", "https-proxy", "no-proxy", "allow-insecure-host"),
    *("native-tls", "system-certs", "offline", "cache-dir", "exclude-newer"),
}
_PATHS = frozenset({"index-url", "extra-index-url", "find-links", "cache-dir", "url"})


def read(environ: Mapping[str, str], folder: str) -> dict[str, Any]:
    """What the person's files and those of a project say of where packages come from; paths are absolute.

    Parameters
    ----------
    environ
        The person's environment variables.
    folder
        Of the project, or below it.

    Raises
    ------
    UserErrorException
        A file of uv's own cannot be read.
    """
    if environ.get("UV_NO_CONFIG", "").lower() in ("1", "true", "yes", "on"):
        return {}
    named = environ.get("UV_CONFIG_FILE")
    if named:
        if not os.path.isfile(named):
            raise UserErrorException(f"there is no file {named!r}", hint="UV_CONFIG_FILE names it")
        return _kept(_document(named), os.path.dirname(os.path.abspath(named)))
    home = environ.get("HOME") or os.path.expanduser("~")
    config = os.path.join(environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "uv")
    shared = [os.path.join(each, "uv") for each in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")]
    system = next((each for each in [*shared, "/etc/uv"] if os.path.exists(os.path.join(each, "uv.toml"))), "/etc/uv")
    found = _of_project(folder)
    for place in (config, system):
        found = _joined(found, _kept(_document(os.path.join(place, "uv.toml")), place))
    return found


def says_where(found: Mapping[str, Any]) -> bool:
    """Tell whether it names indexes, or that there is none."""
    return bool(_OF_INDEXES & {*found, *found.get("pip", ())})


def text_of(found: Mapping[str, Any]) -> str:
    """It as a file that uv reads."""
    of_pip = found.get("pip", {})
    lines = [f"{key} = {_written(value)}" for key, value in found.items() if key != "pip"]
    lines += ["[pip]", *(f"{key} = {_written(value)}" for key, value in of_pip.items())] if of_pip else []
    return "\n".join([*lines, ""])


def _of_project(folder: str) -> dict[str, Any]:
    """What the nearest folder that tells uv anything tells it."""
    while True:
        for name in ("uv.toml", "pyproject.toml"):
            document: Any = _document(os.path.join(folder, name))
            if name == "pyproject.toml":
                tool = document.get("tool")
                document = tool.get("uv") if isinstance(tool, dict) else None
            if document and isinstance(document, dict):
                return _kept(document, os.path.abspath(folder))
        if folder == os.path.dirname(folder):
            return {}
        folder = os.path.dirname(folder)


def _document(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            return tomllib.load(file)
    except OSError:
        return {}
    except ValueError as error:
        if path.endswith("pyproject.toml"):  # it may not be for uv at all
            return {}
        raise UserErrorException(f"{path!r} is no TOML: {error}", hint="uv reads it too: mend it") from error


def _kept(document: Mapping[str, Any], folder: str) -> dict[str, Any]:
    found = {key: _absolute(key, value, folder) for key, value in document.items() if key in _KEPT}
    of_pip = document.get("pip")
    kept = _kept(of_pip, folder) if isinstance(of_pip, dict) else {}
    return {**found, "pip": kept} if kept else found


def _absolute(key: str, value: Any, folder: str) -> Any:
    if isinstance(value, list):
        return [_absolute(key, each, folder) for each in value]
    if isinstance(value, dict):
        return {name: _absolute(name, each, folder) for name, each in value.items()}
    if key in _PATHS and isinstance(value, str) and "://" not in value and not value.startswith(("${", "file:")):
        return os.path.join(folder, value)
    return value


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """As uv joins them: of lists all, the first one's before the second's; of all else the first's."""
    found = {**second, **first}
    for key in first.keys() & second.keys():
        if isinstance(first[key], list) and isinstance(second[key], list):
            found[key] = [*first[key], *second[key]]
        elif isinstance(first[key], dict) and isinstance(second[key], dict):
            found[key] = _joined(first[key], second[key])
    return found


def _written(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_written(each)}" for name, each in value.items()) + "}"
    # A JSON text is one of TOML, but for letters that JSON writes as two.
    return json.dumps(value, ensure_ascii=False, default=str)
