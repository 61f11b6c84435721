"""Pythons and environments that exist and are used as they are; conda's are found without conda."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping

from packaging.utils import canonicalize_name

from amlnb.environments.conda_channels import conda_roots
from amlnb.environments.interpreters import OLDEST
from amlnb.environments.lock import LockedPackage
from amlnb.errors import EnvironmentBuildException

_BY = "existing"
_LIMIT_S = 120
_VERSION = re.compile(r"\d+\.\d+\.\d+")
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
        There is none, it does not run, or it is older than 3.7.
    """
    program = _program_of(path, environ)
    version = _version_of(program, os.stat(program).st_mtime_ns)
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        raise EnvironmentBuildException(
            f"{path!r} is Python {version}, and runs need 3.7 or newer", hint="name a newer Python"
        )
    return program


def _program_of(path: str, environ: Mapping[str, str]) -> str:
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


def installed_packages(program: str) -> tuple[LockedPackage, ...]:
    """What pip would list for an interpreter, by name.

    Raises
    ------
    EnvironmentBuildException
        It does not run.
    """
    try:
        told = json.loads(_said_by(program, "-c", PROGRAM))
        packages = {canonicalize_name(name): version for name, version in dict(told["packages"]).items()}
    except (ValueError, TypeError, KeyError) as error:
        raise _does_not_run(program, error) from error
    return tuple(LockedPackage(name, packages[name], by=_BY) for name in sorted(packages))


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


@functools.lru_cache(maxsize=64)
def _version_of(program: str, _changed_ns: int) -> str:
    """Its version; asked once a process for what a submission looks at several times."""
    said = _said_by(program, "-S", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])").strip()
    if not _VERSION.fullmatch(said):
        raise _does_not_run(program, f"it says {said[:80]!r}")
    return said


def _said_by(program: str, *arguments: str) -> str:
    """What a Python prints, which nothing of the person's (-I) changes."""
    try:
        done = subprocess.run(
            [program, "-I", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _does_not_run(program, error) from error
    if done.returncode:
        raise _does_not_run(program, done.stderr.strip() or f"exit status {done.returncode}")
    return done.stdout


def _does_not_run(program: str, why: object) -> EnvironmentBuildException:
    return EnvironmentBuildException(
        f"the interpreter {program!r} does not run: {why}",
        hint="does it start in a terminal? A virtual environment breaks when its Python is removed",
    )
