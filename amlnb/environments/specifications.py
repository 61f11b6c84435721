"""What a person writes for an environment, on any face, as an `EnvironmentSpec`.

A word (``--env WORD``) is read as the first of these that it can be:

1. ``inline``: the metadata (PEP 723) of the script, cell or notebook; ``docker:IMAGE``: a container image.
2. A path that is there: a requirements file (``.txt``, ``.in``), a conda environment (``.yml``, ``.yaml``), a
   ``Dockerfile``, a lock (``.json``), a Python program, or a folder that has one (``bin/python``).
3. A registered or curated name.
4. Packages: ``python=3.11,torch==2.13.0,numpy<2``.

A name wins over a package of that name; ``NAME,`` with its comma is always a package. That a word alone, which may be
a name that is registered elsewhere, is taken as a package is told.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from amlnb.environments import (
    conda_text,
    curated,
    environment_tables,
    existing,
    inline_metadata,
    package_lists,
    requirements_text,
    text_files,
)
from amlnb.errors import UserErrorException
from amlnb.specs.environment_spec import WORDS_ORIGIN as ORIGIN
from amlnb.specs.environment_spec import EnvironmentSpec

INLINE = "inline"
_THIS_MACHINE = "local"
_IMAGE_PREFIX = "docker:"
_REQUIREMENTS = (".txt", ".in")
_CONDA = (".yml", ".yaml")
_LOCK = ".json"
_ENDINGS = (*_REQUIREMENTS, *_CONDA, _LOCK)
# Folders that are packages themselves.
_PROJECTS = ("pyproject.toml", "setup.py")
_IMAGE = re.compile(r"[A-Za-z0-9][\w.-]*(?::\d+)?(?:/[\w.-]+)*(?::[\w.-]+)?(?:@sha256:[0-9a-f]{64})?", re.ASCII)
_BARE = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
_KEY = re.compile(r"[0-9a-f]{12}|[0-9a-f]{32}")
_TOML = ".toml"
_EXAMPLES = "requirements.txt, environment.yml, a registered NAME, python=3.11,torch==2.13.0, inline or docker:IMAGE"


@dataclass(frozen=True)
class Surroundings:
    """What a word is read against.

    Attributes
    ----------
    folder
        To which paths are relative.
    environ
        The person's environment variables.
    named
        Gives a registered environment by its name, or None.
    names
        Of the registered environments, for near misses.
    target
        Name of the compute target; the metadata may have an environment for it.
    inline
        Text of the script or cell (of a notebook: of the cell that has the metadata), and what messages call it.
    """

    folder: str
    environ: Mapping[str, str]
    named: Callable[[str], EnvironmentSpec | None] = lambda _: None
    names: Sequence[str] = ()
    target: str | None = None
    inline: tuple[str, str] | None = None

    @property
    def is_elsewhere(self) -> bool:
        """The target is not this machine, and its files cannot be seen."""
        return self.target not in (None, _THIS_MACHINE)


@dataclass(frozen=True)
class Asked:
    """What was asked for: a specification, or a lock to build as it is.

    Attributes
    ----------
    spec
        The specification; of a lock only its origin.
    lock_file
        Path of a lock's file.
    """

    spec: EnvironmentSpec
    lock_file: str | None = None


def from_word(word: str, around: Surroundings) -> Asked:
    """Read what stands after ``--env``; in which order it is tried is told above.

    Parameters
    ----------
    word
        As it was written.
    around
        What it is read against.

    Raises
    ------
    UserErrorException
        It is none of these, or what it names cannot be read.
    """
    _check_word(word)
    if word == INLINE:
        return Asked(_from_inline_word(around))
    if word.startswith(_IMAGE_PREFIX):
        return Asked(of_image(word.removeprefix(_IMAGE_PREFIX)))
    if around.is_elsewhere and os.path.isabs(word):
        return Asked(EnvironmentSpec(origin=word, interpreter=word))  # a Python of the target, which it will tell of
    path = _path(word, around.folder)
    if word.lower().endswith(_LOCK) and os.path.isfile(path):
        return Asked(EnvironmentSpec(origin=word), lock_file=path)
    found = _of_path(path, word, around.environ)
    if found is not None:
        return Asked(found)
    if os.path.isdir(path) and not any(os.path.exists(os.path.join(path, each)) for each in _PROJECTS):
        raise UserErrorException(
            f"the folder {word!r} is no environment: it has no Python in bin/python",
            hint=f"for a package of that name write '{word},'" if _BARE.fullmatch(word) else f"such as {_EXAMPLES}",
        )
    if os.sep in word and os.path.isfile(path) and not word.endswith(requirements_text.ARCHIVES):
        raise UserErrorException(f"{word!r} is no file of an environment", hint=f"such as {_EXAMPLES}")
    is_path = word.startswith((".", "/", "~")) and "," not in word and not os.path.exists(path)
    if word.lower().endswith(_ENDINGS) or is_path:
        raise UserErrorException(f"there is no environment file {word!r}", hint=_near_file(path))
    if word.lower().endswith(_TOML):
        raise UserErrorException(
            f"{word!r} is no file of an environment",
            hint=f"without {ORIGIN} the table [{environment_tables.NAME}] of the project's "
            f"{environment_tables.PROJECT} counts",
        )
    named = around.named(word) or _curated(word)
    return Asked(named if named is not None else _of_packages(word, around))


def from_file(path: str, environ: Mapping[str, str]) -> EnvironmentSpec:
    """Read a requirements file, a conda environment or a Dockerfile, by its name.

    Raises
    ------
    UserErrorException
        It is none of these, or cannot be read.
    """
    path, name = os.path.abspath(path), os.path.basename(path)
    if not os.path.exists(path):
        raise UserErrorException(f"there is no environment file {name!r}", hint=_near_file(path))
    found = _of_path(path, name, environ)
    if found is None:
        raise UserErrorException(
            f"{path!r} is no file of an environment",
            hint="a requirements file ends in .txt, a conda environment in .yml",
        )
    return found


def from_inline(around: Surroundings) -> EnvironmentSpec | None:
    """What the metadata of a script, cell or notebook asks for; None if it has none, or nothing of an environment.

    Raises
    ------
    UserErrorException
        It cannot be understood; with the line.
    """
    if around.inline is None:
        return None
    text, origin = around.inline
    block = inline_metadata.find(text, origin)
    if block is None:
        return None
    found = inline_metadata.environment_of(block, origin, around.folder, around.environ)
    table = environment_tables.table_of(block.document, f"{origin}, the metadata on line {block.line}")
    if table is None:
        return found
    return _of_table(table, found, f"[{environment_tables.NAME}] of {origin}", around)


def from_project(around: Surroundings) -> EnvironmentSpec | None:
    """What ``[tool.amlnb.env]`` of the folder's ``pyproject.toml`` asks for; None if there is no such table.

    It is for this machine: of another target only the table counts that is its own.

    Raises
    ------
    UserErrorException
        It cannot be understood.
    """
    table = environment_tables.project_table(around.folder)
    where = f"[{environment_tables.NAME}] of {environment_tables.PROJECT}"
    if table is None or (around.is_elsewhere and around.target not in table.get("target", {})):
        return None
    return _of_table(table, None, where, around)


def of_image(image: str) -> EnvironmentSpec:
    """Ask for a container image by its name.

    Raises
    ------
    UserErrorException
        It is no name of an image.
    """
    if not _IMAGE.fullmatch(image):
        raise UserErrorException(f"{image!r} is no name of an image", hint="such as docker:python:3.11-slim")
    return EnvironmentSpec(origin=f"{_IMAGE_PREFIX}{image}", image=image)


def _of_table(
    table: Mapping[str, object], before: EnvironmentSpec | None, where: str, around: Surroundings
) -> EnvironmentSpec:
    def base(kind: str, value: str) -> EnvironmentSpec:
        if kind == "image":
            return of_image(value)
        if kind == "file":
            return from_file(_path(value, around.folder), around.environ)
        if kind == "interpreter" and around.is_elsewhere and os.path.isabs(value):
            return EnvironmentSpec(interpreter=value)
        if kind == "interpreter":
            program = _path(value, around.folder) if os.sep in value else value
            return EnvironmentSpec(interpreter=existing.interpreter_of(program, around.environ))
        named = around.named(value) or _curated(value)
        if named is None:
            names = [*around.names, *curated.names()]
            raise UserErrorException(f"{where}: there is no environment {value!r}", hint=_near_name(value, names))
        return named

    chosen = environment_tables.for_target(table, around.target, where)
    return environment_tables.environment_of(chosen, before, base, where, around.folder, around.environ)


def _from_inline_word(around: Surroundings) -> EnvironmentSpec:
    found = from_inline(around)
    if found is None:
        origin = around.inline[1] if around.inline else "what is submitted"
        raise UserErrorException(
            f"{ORIGIN} inline: {origin} has no metadata", hint=f"begin it with:\n{inline_metadata.EXAMPLE}"
        )
    return found


def _path(word: str, folder: str) -> str:
    return os.path.normpath(os.path.join(folder, os.path.expanduser(word)))


def _curated(name: str) -> EnvironmentSpec | None:
    """A curated environment; packages may begin as their names do: ``azureml-core,numpy``."""
    return None if set(name) & set(",=<>!~[ ") else curated.curated(name)


def _is_python(path: str) -> bool:
    if os.path.isdir(path):
        return os.path.exists(os.path.join(path, "bin", "python"))
    name = os.path.basename(path)
    return name.startswith("python") and "." not in name.removeprefix("python3.") and os.access(path, os.X_OK)


def _check_word(word: str) -> None:
    if not word.strip():
        raise UserErrorException(f"{ORIGIN} has no value", hint=f"such as {_EXAMPLES}")
    if word.startswith("-"):
        raise UserErrorException(f"{word!r} is an option, not an environment", hint=f"{ORIGIN} takes {_EXAMPLES}")
    if not word.isprintable():
        raise UserErrorException(f"{word!r} has characters that no environment has", hint=f"such as {_EXAMPLES}")


def _of_path(path: str, name: str, environ: Mapping[str, str]) -> EnvironmentSpec | None:
    if _is_python(path):
        return EnvironmentSpec(origin=name, interpreter=existing.interpreter_of(path, environ))
    if not os.path.isfile(path):
        return None
    base = os.path.basename(path).lower()
    if base.endswith(_CONDA):
        return conda_text.read(path, environ, name)
    if base.endswith(_REQUIREMENTS):
        return requirements_text.read(path, environ, name).specification(name)
    if base.startswith("dockerfile") or base.endswith(".dockerfile"):
        return EnvironmentSpec(origin=name, dockerfile=text_files.read(path, name))
    return None


def _of_packages(word: str, around: Surroundings) -> EnvironmentSpec:
    names = [*around.names, *curated.names()]
    if _BARE.fullmatch(word) and difflib.get_close_matches(word, names, 1, 0.75):
        raise UserErrorException(
            f"there is no environment {word!r} in this workspace",
            hint=f"{_near_name(word, names)} For the package of that name write '{word},'",
        )
    if _KEY.fullmatch(word):
        raise UserErrorException(
            f"{word!r} looks like the key of a built environment, and {ORIGIN} takes what one is made of",
            hint=f"such as {_EXAMPLES}; 'amlnb env list' shows those that are built here",
        )
    try:
        found = package_lists.of_packages(
            [(ORIGIN, part) for part in package_lists.split(word)], ORIGIN, around.folder, around.environ
        )
    except UserErrorException as error:
        near = difflib.get_close_matches(word, names, 1, 0.6)
        told = f"did you mean the environment {near[0]!r}? " if near else ""
        hint = error.hint or f"such as {_EXAMPLES}"
        raise UserErrorException(error.message, hint=f"{told}{hint}") from error
    if _BARE.fullmatch(word) and found.pip:
        told = f"no environment {word!r} is registered here: taken as a package of the index; '{word},' says so"
        return replace(found, notes=(*found.notes, told))
    return found


def _near_name(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, 3, 0.6)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    return f"there are: {', '.join(names)}" if names else "no environment is registered in this workspace"


def _near_file(path: str) -> str:
    return f"looked for {path!r}; {_beside(path)}"


def _beside(path: str) -> str:
    try:
        names = os.listdir(os.path.dirname(path))
    except OSError:
        return f"there is no folder {os.path.dirname(path)!r}"
    near = difflib.get_close_matches(os.path.basename(path), names, 1)
    return f"did you mean {near[0]!r}?" if near else f"such as {_EXAMPLES}"
