"""Environments that were registered: plain files of the workspace, one a version, which never change.

``<data>/environments/registered/<slug>-<hash>/<version>.json`` holds ``format``, ``name``, ``version``, ``created``
(Unix time), ``document`` (v1's ``azureml_environment.json``) and ``spec`` (`EnvironmentSpec.to_dict`); it holds no
secret.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from amlnb.core import layout
from amlnb.environments import curated
from amlnb.environments.written_secrets import check_dockerfile
from amlnb.errors import FormatError, UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec

FORMAT = 1
_FOLDER = "registered"
_ENDING = ".json"


@dataclass(frozen=True)
class Registered:
    """One version of a registered environment."""

    name: str
    version: str
    created: float
    document: Mapping[str, Any]
    spec: EnvironmentSpec


def register(data: str, name: str, document: Mapping[str, Any], spec: EnvironmentSpec) -> Registered:
    """Keep an environment under the next version; the newest one is returned if it is the same.

    Parameters
    ----------
    data
        The workspace's data directory.
    name
        Any text.
    document, spec
        What it is; their own version does not count.

    Raises
    ------
    UserErrorException
        The name is empty, or begins as those that are given do; a Dockerfile has a secret in it; or the workspace
        cannot be written to.
    """
    if not name.strip():
        raise UserErrorException(f"{name!r} cannot be the name of an environment", hint="give it a name")
    if curated.is_reserved(name):
        raise UserErrorException(
            f"{name!r} cannot be registered: names that begin with AzureML or Microsoft are given",
            hint="take a copy of another name: environment.clone('mine').register(workspace)",
        )
    if spec.dockerfile:
        check_dockerfile(spec.dockerfile, "the Dockerfile")
    try:
        return _register(_folder(data, name), name, document, spec)
    except OSError as error:
        raise UserErrorException(
            f"the environment {name!r} cannot be written to the workspace {data!r}: {error}",
            hint="free some space there, or make it writable",
        ) from error


def _register(folder: str, name: str, document: Mapping[str, Any], spec: EnvironmentSpec) -> Registered:
    os.makedirs(folder, exist_ok=True)
    while True:
        newest = max(_versions(folder), default=0)
        with contextlib.suppress(FormatError):
            found = _read(_path(folder, newest)) if newest else None
            if found is not None and _content(found.document) == _content(document):
                return found
        version = str(newest + 1)
        record = {
            "format": FORMAT,
            "name": name,
            "version": version,
            "created": time.time(),
            "document": {**document, "name": name, "version": version},
            "spec": {**replace(spec, document={}).to_dict(), "name": name, "version": version},
        }
        if _create(_path(folder, newest + 1), record):
            return _registered(record)


def get(data: str, name: str, version: str | None = None) -> Registered | None:
    """A version of an environment, by default the newest; None if there is none.

    Raises
    ------
    FormatError
        Its file is damaged, or of a newer version of amlnb.
    """
    folder = _folder(data, name)
    if version is None:
        newest = max(_versions(folder), default=0)
        return _read(_path(folder, newest)) if newest else None
    known = version.isascii() and version.isdigit() and int(version) in _versions(folder)
    return _read(_path(folder, int(version))) if known else None


def versions(data: str, name: str) -> list[str]:
    """Versions of an environment, the oldest first."""
    return [str(version) for version in sorted(_versions(_folder(data, name)))]


def every(data: str, on_damaged: Callable[[str], None]) -> list[Registered]:
    """The newest version that can be read of each environment, by name.

    Parameters
    ----------
    data
        The workspace's data directory.
    on_damaged
        Told of each file that cannot be read.
    """
    top = os.path.join(data, layout.ENVIRONMENTS, _FOLDER)
    found = []
    try:
        names = os.listdir(top)
    except FileNotFoundError:
        return []
    for each in names:
        folder = os.path.join(top, each)
        for version in sorted(_versions(folder), reverse=True):
            try:
                found.append(_read(_path(folder, version)))
                break
            except (FormatError, OSError) as error:
                on_damaged(str(error))
    return sorted(found, key=lambda one: one.name)


def _content(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in document.items() if key not in {"name", "version"}}


def _folder(data: str, name: str) -> str:
    return os.path.join(data, layout.ENVIRONMENTS, _FOLDER, f"{layout.slug(name)}-{layout.short_hash(name)}")


def _path(folder: str, version: int) -> str:
    return os.path.join(folder, f"{version}{_ENDING}")


def _versions(folder: str) -> set[int]:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return set()
    stems = [name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING)]
    return {int(stem) for stem in stems if stem.isascii() and stem.isdigit() and stem == str(int(stem))}


def _create(path: str, record: Mapping[str, Any]) -> bool:
    """Write a file that appears whole; False if another process was first."""
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        with open(temporary, "x", encoding="ascii") as file:
            json.dump(record, file, indent=1)
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError:
        # No hard links here: a rename is whole as well, and only two writers in the same instant could collide.
        if os.path.exists(path):
            return False
        os.rename(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    return True


def _read(path: str) -> Registered:
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise FormatError(f"{path!r} is no registered environment of this version", hint="upgrade amlnb")
        return _registered(record)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            f"the registered environment {path!r} is damaged: {error}",
            hint="remove that file; older versions are beside it",
        ) from error


def _registered(record: Mapping[str, Any]) -> Registered:
    document, spec = record["document"], EnvironmentSpec.from_dict(record["spec"])
    if not isinstance(document, dict):
        raise TypeError("its document is no object")
    spec = replace(spec, document=document)
    return Registered(str(record["name"]), str(record["version"]), float(record["created"]), document, spec)


def not_found(data: str, name: str, version: str | int | None) -> tuple[str, str]:
    """What is told of an environment that is not there, and the hint."""
    there = versions(data, name)
    if there:
        return f"the environment {name!r} has no version {version!r}", f"there are: {', '.join(there)}"
    known = [*(one.name for one in every(data, on_damaged=lambda _: None)), *curated.names()]
    near = difflib.get_close_matches(name, known, 1)
    hint = (
        f"did you mean {near[0]!r}?"
        if near
        else "environment.register(workspace) keeps one; Environment.list tells all"
    )
    return f"there is no environment {name!r} in this workspace", hint
