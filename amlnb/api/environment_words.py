"""What people write for an environment when they submit, on any face, as an `EnvironmentSpec`."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import tomllib
from typing import Any

from amlnb.api.submission_words import NOTEBOOK_ENDING
from amlnb.core import coercion, layout
from amlnb.engine import targets
from amlnb.environments.lock import Lock
from amlnb.errors import FormatError, UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.store.plain_files import read_from, read_json

INLINE = "inline"
_PROJECT = "pyproject.toml"
_METADATA = "# /// script"
_LOOKED_AT_BYTES = 1 << 20


def asked_for(
    word: str | None,
    data: str,
    project: str,
    *,
    target: str | None = None,
    inline: tuple[str, str] | None = None,
    conda: bool = False,
    relative_to: str | None = None,
) -> EnvironmentSpec | None:
    """The environment of a submission or a build; None if none is asked for. A lock's file is taken over.

    Parameters and errors are those of `asked_with_lock`.
    """
    spec, lock = asked_with_lock(
        word, data, project, target=target, inline=inline, conda=conda, relative_to=relative_to
    )
    if spec is not None and lock is not None:
        take_over(spec, lock, data)
    return spec


def asked_with_lock(
    word: str | None,
    data: str,
    project: str,
    *,
    target: str | None = None,
    inline: tuple[str, str] | None = None,
    conda: bool = False,
    relative_to: str | None = None,
) -> tuple[EnvironmentSpec | None, Lock | None]:
    """What is asked for, and the lock if a lock's file is named; nothing is written.

    Parameters
    ----------
    word
        What was given for it, paths relative to `relative_to`; see `amlnb.environments.specifications`. Without
        it that counts which the nearest ``pyproject.toml`` with ``[tool.amlnb.env]`` has, or with ``env`` in
        ``[tool.amlnb]``, paths relative to it.
    data
        The workspace's data directory.
    project
        A folder of the project.
    target
        Name of the compute target.
    inline
        Where the word is `INLINE`: text that may hold metadata (PEP 723), and what messages call it (`inline_text`).
    conda
        Take the conda packages of a conda specification themselves, not their translation to pip.
    relative_to
        A folder; the working directory by default.

    Raises
    ------
    UserErrorException
        It cannot be understood.
    FormatError
        It is a lock, and damaged.
    """
    folder = relative_to or os.getcwd()
    if target is not None and targets.is_here(data, target):
        target = targets.LOCAL
    if word is None:
        found = _project_with_environment(project)
        if found is None:
            return None, None  # most submissions: what reads specifications need not be loaded
        folder, word = found
        if word is not None and target not in (None, targets.LOCAL):
            return None, None  # as with a table: it is for this machine
    spec, lock = _read(word, data, folder, target, inline)
    return (_with_conda(spec) if conda else spec), lock


def _read(
    word: str | None, data: str, folder: str, target: str | None, inline: tuple[str, str] | None
) -> tuple[EnvironmentSpec | None, Lock | None]:
    """Read a word, or without one the project's table, against what is here."""
    from amlnb.environments import registered, specifications

    surroundings = specifications.Surroundings(
        folder=folder,
        environ=os.environ,
        named=lambda name: _named(data, name),
        names=[one.name for one in registered.every(data, on_damaged=lambda _: None)],
        target=target,
        inline=inline,
    )
    if word is None:
        return specifications.from_project(surroundings), None
    asked = specifications.from_word(word, surroundings)
    return (asked.spec, None) if asked.lock_file is None else _of_lock(asked.lock_file, word)


def take_over(spec: EnvironmentSpec, lock: Lock, data: str) -> None:
    """Keep the lock of a file: what it answers gets this very lock in the workspace."""
    from amlnb.environments import locks
    from amlnb.environments.asking import request_of

    request = request_of(spec, os.environ)
    before = locks.read(data, request.key)
    if before is None or before.key != lock.key:
        generation = 0 if before is None else before.generation + 1
        lock = dataclasses.replace(lock, generation=generation)
        locks.write(data, locks.Stored(request.key, request.spec, lock), replace=True)


def _with_conda(spec: EnvironmentSpec | None) -> EnvironmentSpec:
    if spec is None or not spec.conda:
        asked = "what is asked for" if spec is None else spec.name or spec.origin
        raise UserErrorException(
            f"--conda: {asked} names no conda packages", hint="give a conda specification: --env environment.yml"
        )
    return dataclasses.replace(spec, use_conda=True)


def inline_text(path: str) -> tuple[str, str] | None:
    """Text of a script, or of the cell of a notebook, that may hold metadata; and what messages call it."""
    from amlnb.environments import inline_metadata, text_files

    name = os.path.basename(path)
    if not os.path.isfile(path):  # told by whoever submits
        return None
    text = text_files.read(path, name)
    if path.endswith(NOTEBOOK_ENDING):
        cell = inline_metadata.text_of_notebook(text, name)
        return None if cell is None else (cell, name)
    return text, name


def lock_text(spec: EnvironmentSpec, lock: Lock) -> str:
    """Content of a lock's file, which `asked_for` reads on any machine of the same platform."""
    return json.dumps({"format": layout.FORMAT, "request": spec.to_dict(), "lock": lock.to_dict()}, indent=1)


def _project_with_environment(folder: str) -> tuple[str, str | None] | None:
    """The nearest folder, from one upwards, whose project asks for an environment; and its word, if it is one.

    A file that is no TOML counts: whoever reads it for its table tells that.
    """
    folder = os.path.abspath(folder)
    while True:
        with contextlib.suppress(OSError), open(os.path.join(folder, _PROJECT), "rb") as file:
            text = file.read()
            try:
                asked = _env_of(tomllib.loads(text.decode())) if b"amlnb" in text else None
            except ValueError:
                asked = True
            if asked is not None:
                return folder, asked if isinstance(asked, str) else None
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _env_of(document: dict[str, Any]) -> object:
    return coercion.mapping(coercion.mapping(document.get("tool")).get("amlnb")).get("env")


def _named(data: str, name: str) -> EnvironmentSpec | None:
    from amlnb.environments import registered

    found = registered.get(data, name)
    if found is None and ":" in name:
        found = registered.get(data, *name.rsplit(":", 1))
    return None if found is None else found.spec


def _of_lock(path: str, word: str) -> tuple[EnvironmentSpec, Lock]:
    from amlnb.environments import keys
    from amlnb.environments.asking import request_of

    document = read_json(path) or {}
    if not isinstance(document.get("request"), dict) or "lock" not in document:
        raise FormatError(f"{word!r} is no lock", hint="'amlnb env lock WORD --output FILE' writes one")
    spec = EnvironmentSpec.from_dict(document["request"])
    try:
        lock = Lock.from_dict(coercion.mapping(document["lock"]))
    except FormatError as error:
        raise FormatError(f"the lock {word!r} cannot be read: {error.message}", hint=error.hint) from error
    if lock.platform != keys.platform_tag():
        raise UserErrorException(
            f"the lock {word!r} is for {lock.platform}, and this machine is {keys.platform_tag()}",
            hint="lock what it was made from again, here",
        )
    request = request_of(spec, os.environ)
    if request.interpreter.minor != lock.minor and lock.image is None:
        request = request_of(dataclasses.replace(spec, python=lock.minor, python_is_soft=False), os.environ)
    return request.spec, lock


def unread_metadata(folder: str, file: str, *, is_asked: bool) -> tuple[str, ...]:
    """A warning where a script or notebook says what it needs (PEP 723), and no environment is asked for."""
    text = b"" if is_asked else read_from(os.path.join(folder, file), 0, _LOOKED_AT_BYTES)
    return metadata_warning(text.decode("utf-8", "replace"), os.path.basename(file))


def metadata_warning(text: str, called: str) -> tuple[str, ...]:
    """The same of a text; ``called`` is what a person calls it."""
    if _METADATA not in text:
        return ()
    return (f"{called} says which packages it needs (# /// script): '--env inline' gives it those",)
