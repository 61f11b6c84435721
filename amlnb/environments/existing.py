"""Pythons and environments that exist and are used as they are; conda's are found without conda."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping

from packaging.utils import canonicalize_name

from amlnb.environments.conda_channels import conda_roots
from amlnb.environments.interpreters import OLDEST
from amlnb.environments.keys import platform_tag
from amlnb.environments.lock import Lock, LockedPackage
from amlnb.errors import EnvironmentBuildException

BUILDER = "existing"
_LIMIT_S = 120
# Runs under any Python, so it is written for the oldest; nothing of the person's (-I) changes what it finds but a
# virtual environment's own settings.
PROGRAM = """
import json, sys
told = {"version": ".".join(map(str, sys.version_info[:3])), "program": sys.executable, "packages": []}
try:
    from importlib import metadata
except ImportError:
    try:
        import pkg_resources
        told["packages"] = [[each.project_name, each.version] for each in pkg_resources.working_set]
    except ImportError:
        pass
else:
    for each in metadata.distributions():
        name = each.metadata["Name"]
        if name:
            told["packages"].append([name, each.version])
print(json.dumps(told))
"""


def interpreter_of(path: str, environ: Mapping[str, str]) -> str:
    """The Python that a person means by a program, its name on PATH, or the folder of an environment.

    Parameters
    ----------
    path
        What was written.
    environ
        Environment variables: PATH.

    Raises
    ------
    EnvironmentBuildException
        There is none.
    """
    expanded = os.path.expanduser(path)
    if os.path.isdir(expanded):
        program = os.path.join(os.path.abspath(expanded), "bin", "python")
        if os.path.exists(program):
            return program
        raise EnvironmentBuildException(
            f"the folder {path!r} has no Python in bin/python, so it is no environment",
            hint="name the folder of an environment, or a Python itself",
        )
    program = (
        os.path.abspath(expanded) if os.sep in expanded else shutil.which(expanded, path=environ.get("PATH")) or ""
    )
    if not os.path.exists(program):
        raise EnvironmentBuildException(
            f"the interpreter {path!r} does not exist",
            hint="name a Python, or the folder of an environment, that is on this machine",
        )
    return program


def describe(path: str, environ: Mapping[str, str]) -> tuple[str, Lock]:
    """Check an interpreter that is used as it is, and tell what is installed there.

    Parameters
    ----------
    path
        A Python, its name on PATH, or the folder of an environment.
    environ
        Environment variables: PATH.

    Returns
    -------
    tuple
        The interpreter's path; and a lock that is a record: nothing is built of it.

    Raises
    ------
    EnvironmentBuildException
        There is no such Python, it does not run, or it is older than 3.7.
    """
    program = interpreter_of(path, environ)
    version, packages = _ask(program)
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        raise EnvironmentBuildException(
            f"{path!r} is Python {version}, and runs need 3.7 or newer", hint="name a newer Python"
        )
    return program, Lock(BUILDER, "", version, platform_tag(), packages)


def installed_packages(program: str) -> tuple[LockedPackage, ...]:
    """What pip would list for an interpreter, by name.

    Raises
    ------
    EnvironmentBuildException
        It does not run.
    """
    return _ask(program)[1]


def find_conda(name: str, environ: Mapping[str, str]) -> str:
    """The folder of a conda environment by its name, found without conda.

    Parameters
    ----------
    name
        As ``conda env list`` shows it; ``base`` is the installation itself. A path is taken as it is.
    environ
        Environment variables: those that conda sets, HOME.

    Raises
    ------
    EnvironmentBuildException
        There is none; the message names those that there are.
    """
    if os.sep in name:
        return os.path.dirname(os.path.dirname(interpreter_of(name, environ)))
    found = conda_environments(environ)
    if name in found:
        return found[name]
    raise EnvironmentBuildException(
        f"there is no conda environment {name!r}",
        hint=f"there are: {', '.join(sorted(found))}" if found else "no conda environment was found on this machine",
    )


def conda_environments(environ: Mapping[str, str]) -> dict[str, str]:
    """All conda environments of this user by their names, the first of a name; ``{name: folder}``."""
    home = environ.get("HOME") or os.path.expanduser("~")
    prefixes = [environ.get("CONDA_PREFIX", "")]
    folders = [
        each for name in ("CONDA_ENVS_PATH", "CONDA_ENVS_DIRS") for each in environ.get(name, "").split(os.pathsep)
    ]
    roots = conda_roots(environ)
    folders += [os.path.join(each, "envs") for each in (*roots, os.path.join(home, ".conda"))]
    for folder in filter(None, folders):
        prefixes += sorted(os.path.join(folder, each) for each in _listed(folder))
    prefixes += _known(home)
    found: dict[str, str] = {}
    for prefix in prefixes:
        if prefix and os.path.exists(os.path.join(prefix, "bin", "python")):
            found.setdefault(_name_of(prefix), prefix)
    for root in roots:
        if os.path.exists(os.path.join(root, "bin", "python")):
            found.setdefault("base", root)
    return found


def _name_of(prefix: str) -> str:
    """An environment's name is its folder's; that of an installation, which has ``condabin`` or ``envs``, is base."""
    if os.path.basename(os.path.dirname(prefix)) != "envs" and os.path.isdir(os.path.join(prefix, "condabin")):
        return "base"
    return os.path.basename(prefix)


def _known(home: str) -> list[str]:
    """The environments that conda noted when it made them."""
    try:
        with open(os.path.join(home, ".conda", "environments.txt"), encoding="utf-8") as file:
            return [line.strip() for line in file if line.strip()]
    except (OSError, UnicodeDecodeError):
        return []


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(os.path.expanduser(folder))
    except OSError:
        return []


def _ask(program: str) -> tuple[str, tuple[LockedPackage, ...]]:
    words = ""
    try:
        done = subprocess.run(
            [program, "-I", "-c", PROGRAM],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        words = done.stderr.strip()
        told = json.loads(done.stdout)
        version, packages = str(told["version"]), dict(told["packages"])
    except (OSError, ValueError, TypeError, KeyError, subprocess.TimeoutExpired) as error:
        raise EnvironmentBuildException(
            f"the interpreter {program!r} does not run: {words or error}",
            hint="does it start in a terminal? A virtual environment breaks when its Python is removed",
        ) from error
    by_name = {canonicalize_name(name): version for name, version in packages.items()}
    return version, tuple(LockedPackage(name, by_name[name], by=BUILDER) for name in sorted(by_name))
