"""Pythons of this machine: the workspace's own, and others by their version. None is ever downloaded."""

from __future__ import annotations

import glob
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from amlnb.environments.builder import Interpreter
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec

OLDEST = (3, 7)
_NAME = re.compile(r"python(3\.\d+)$")
_FOLDER = re.compile(r"(?:cpython-)?(3\.\d+)(?:\.\d+)?(?:-.*)?$")


def own() -> Interpreter:
    """The workspace's own Python: the one that this process runs."""
    # One that was built between two versions says so by a + that no version has.
    return Interpreter(sys.executable, platform.python_version().rstrip("+"))


def choose(spec: EnvironmentSpec, environ: Mapping[str, str]) -> tuple[Interpreter, str | None]:
    """Choose the Python of an environment; the second value tells where it is another one than was asked for.

    Parameters
    ----------
    spec
        What was asked for. A soft version stands for the workspace's minor version, unless it is strict.
    environ
        Environment variables by which Pythons are found (PATH, PYENV_ROOT, UV_PYTHON_INSTALL_DIR).

    Raises
    ------
    EnvironmentBuildException
        No Python of this machine is of that version, or it is too old.
    """
    mine = own()
    if spec.python is None:
        return mine, None
    wanted = specifiers(spec.python)
    if wanted.contains(mine.version, prereleases=True):
        return mine, None
    if spec.python_is_soft and not spec.strict:
        return mine, f"Python {spec.python} was asked for; {mine.version}, the workspace's own, is taken"
    there = sorted(find_all(environ), key=lambda each: Version(each.version), reverse=True)
    for each in there:
        if wanted.contains(each.version) or _is_minor(wanted, each):
            return each, None
    minors = dict.fromkeys(each.minor for each in [mine, *there])
    is_too_old = _is_too_old(wanted)
    needed = " (runs need 3.7 or newer)" if is_too_old else ""
    download = "" if is_too_old else f"; 'uv python install {_plain(spec.python)}' downloads another one"
    soft = "; without strict=True the workspace's own is taken" if spec.python_is_soft else ""
    raise EnvironmentBuildException(
        f"the environment asks for Python {spec.python}, and this machine has none{needed}",
        hint=f"there are: {', '.join(sorted(minors, key=Version))}{download}{soft}",
    )


def specifiers(python: str) -> SpecifierSet:
    """What a version as people write it admits: ``3.11`` is any 3.11, ``3.11.4`` that one, ``>=3.9`` a range.

    Raises
    ------
    EnvironmentBuildException
        It is no version.
    """
    text = python.strip().replace(" ", "")
    try:
        if re.fullmatch(r"\d+(\.\d+)?(\.\*)?", text):
            return SpecifierSet(f"=={text.removesuffix('.*')}.*")
        return SpecifierSet(text if text.startswith(("<", ">", "=", "!", "~")) else f"=={text}")
    except InvalidSpecifier as error:
        raise EnvironmentBuildException(
            f"{python!r} is no version of Python", hint="write for example python=3.11"
        ) from error


def is_exact(spec: EnvironmentSpec) -> bool:
    """Tell whether the patch of the Python that a request gets counts: it was asked for, such as ``3.11.4``."""
    if spec.python is None or (spec.python_is_soft and not spec.strict):
        return False
    return any(each.version.removesuffix(".*").count(".") > 1 for each in specifiers(spec.python))


def find_all(environ: Mapping[str, str]) -> Iterator[Interpreter]:
    """Find Pythons by the names of files and folders; the versions of those on PATH are known to their minor only."""
    seen = set()
    for folder in environ.get("PATH", "").split(os.pathsep):
        for path in glob.glob(os.path.join(glob.escape(folder), "python3.*")) if folder else ():
            found = _NAME.search(path)
            # A shim of pyenv stands for a version that may not be chosen.
            if found and os.access(path, os.X_OK) and f"{os.sep}shims{os.sep}" not in path and _is_new(found[1]):
                version = _version_of(path, found[1])
                if os.path.realpath(path) not in seen:
                    seen.add(os.path.realpath(path))
                    yield Interpreter(path, version)
    for folder in _version_folders(environ):
        found = _FOLDER.match(os.path.basename(folder))
        path = os.path.join(folder, "bin", "python3")
        if found and _is_new(found[1]) and os.access(path, os.X_OK) and os.path.realpath(path) not in seen:
            seen.add(os.path.realpath(path))
            yield Interpreter(path, _version_of(path, found[1]))


def _version_folders(environ: Mapping[str, str]) -> list[str]:
    home = environ.get("HOME") or os.path.expanduser("~")
    data = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    roots = [
        os.path.join(environ.get("PYENV_ROOT") or os.path.join(home, ".pyenv"), "versions"),
        environ.get("UV_PYTHON_INSTALL_DIR") or os.path.join(data, "uv", "python"),
    ]
    return [folder for root in roots for folder in sorted(glob.glob(os.path.join(glob.escape(root), "*")))]


def _version_of(path: str, minor: str) -> str:
    """The whole version where the program's folder tells it (``.../versions/3.9.18/bin/python3.9``)."""
    for part in reversed([*os.path.realpath(path).split(os.sep), *path.split(os.sep)]):
        if re.fullmatch(rf"(cpython-)?{re.escape(minor)}\.\d+(-.*)?", part):
            return re.search(r"3\.\d+\.\d+", part)[0]  # type: ignore[index]  # matched just above
    return minor


def _is_new(minor: str) -> bool:
    return tuple(map(int, minor.split("."))) >= OLDEST


def _is_minor(wanted: SpecifierSet, found: Interpreter) -> bool:
    """A Python on PATH tells its minor version only: taken where any of that minor would do."""
    return found.version == found.minor and str(wanted) == f"=={found.minor}.*"


def _is_too_old(wanted: SpecifierSet) -> bool:
    try:
        return any(
            each.operator == "==" and Version(each.version.removesuffix(".*")) < Version("3.7") for each in wanted
        )
    except InvalidVersion:
        return False


def _plain(python: str) -> str:
    found = re.search(r"\d+(\.\d+)*", python)
    return found[0] if found else "3.11"
