"""Environments of pip packages, made by uv."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from amlnb.environments.build_hints import hint_of
from amlnb.environments.builder import BuildLog, Interpreter, counted
from amlnb.environments.index_settings import settings
from amlnb.environments.interpreters import is_exact
from amlnb.environments.keys import platform_tag
from amlnb.environments.lock import Lock
from amlnb.environments.pip_packages import PipPackages, check_installed, error_of
from amlnb.environments.resolver import Resolver
from amlnb.environments.uv import Uv
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec


class UvBuilder:
    """Environments of pip packages.

    Parameters
    ----------
    interpreter
        The Python that was chosen.
    environ
        The person's environment variables: pip's and uv's configuration is honoured.
    folder
        Where the person works; uv's project settings there count.
    spec
        The request: where its packages come from, credentials included.
    """

    name = "uv"

    def __init__(
        self, interpreter: Interpreter, environ: Mapping[str, str], folder: str, spec: EnvironmentSpec
    ) -> None:
        self._interpreter = interpreter
        self._environ = environ
        self._uv = Uv(environ, settings(environ, spec.pip_options, spec.credentials, folder), folder)

    def lock(self, spec: EnvironmentSpec, log: BuildLog) -> Lock:
        """Resolve a pip specification; see `amlnb.environments.builder.Builder`."""
        packages = PipPackages(self._uv, self._interpreter.path, spec.pip_options)
        log.step(f"resolving {counted(len(spec.pip), 'requirement')} for Python {self._interpreter.version} with uv")
        resolver = Resolver(packages, spec, log, self._interpreter.minor, self._environ)
        found, build_constraints = resolver.resolve()
        notes = resolver.notes
        for note in notes:
            log.note(note)
        log.step(f"resolved: {counted(len(found.packages), 'package')}")
        return Lock(
            builder=self.name,
            tool=_version_of(self._uv),
            python=self._interpreter.version,
            platform=platform_tag(),
            packages=found.packages,
            build_constraints=build_constraints,
            notes=tuple(notes),
            python_is_exact=is_exact(spec),
        )

    def build(self, lock: Lock, prefix: str, log: BuildLog) -> None:
        """Make a virtual environment of a lock's packages; see `amlnb.environments.builder.Builder`."""
        self._check(lock)
        log.step(f"making an environment with Python {self._interpreter.version}")
        make_venv(self._uv, self._interpreter, prefix)
        if lock.packages:
            log.step(f"installing {counted(len(lock.packages), 'package')}")
            packages = PipPackages(self._uv, self._interpreter.path)
            python = os.path.join(prefix, "bin", "python")
            packages.install(lock.packages, python, log, build_constraints=lock.build_constraints)
            check_installed(lock.packages, prefix)

    def _check(self, lock: Lock) -> None:
        """Refuse a lock of another Python: what is built of it would lie in the cache for all who ask for that one."""
        mine = self._interpreter
        is_other_patch = lock.python_is_exact and mine.version not in (mine.minor, lock.python)
        if mine.minor != lock.minor or is_other_patch:
            wanted = lock.python if lock.python_is_exact else lock.minor
            raise EnvironmentBuildException(
                f"the lock is of Python {wanted}, and {mine.path!r} is {mine.version}",
                hint=f"ask for python={wanted}, or lock it anew for this one with 'amlnb env lock --upgrade'",
            )


def make_venv(uv: Uv, interpreter: Interpreter, prefix: str) -> None:
    """Make an empty virtual environment.

    Raises
    ------
    EnvironmentBuildException
        It cannot be made.
    """
    command = ["venv", "--quiet", "--no-project", "--allow-existing", "--python", interpreter.path, prefix]
    answer = uv.run_alone(command)
    if answer.code:
        raise EnvironmentBuildException(error_of(answer.told), hint_of(answer.told))


def _version_of(uv: Uv) -> str:
    done = subprocess.run([uv.program, "--version"], capture_output=True, text=True, check=False)
    return " ".join(done.stdout.split()[:2])
