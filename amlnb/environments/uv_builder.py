"""Environments of pip packages, made by uv; and pins that cannot be met here, which become the nearest that can."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from amlnb.environments import given_hashes
from amlnb.environments.build_hints import hint_of
from amlnb.environments.builder import BuildLog, Interpreter, counted
from amlnb.environments.index_settings import settings
from amlnb.environments.interpreters import find_all, is_exact
from amlnb.environments.keys import platform_tag
from amlnb.environments.lock import Lock, LockedPackage
from amlnb.environments.numpy_two import older_than_numpy
from amlnb.environments.pip_packages import Compiled, PipPackages, Unsatisfiable, check_installed, error_of
from amlnb.environments.quirks import companions
from amlnb.environments.requirement_names import requirement_of
from amlnb.environments.uv import Uv
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec

_MOST_CHANGES = 20
# A source whose version could be met by a wheel of another one is not built for longer than this.
_BUILD_S = 600.0
_OLDEST_MINOR = 6
_OLD_NUMPY = "numpy<2"
_OLD_SETUPTOOLS = "setuptools<70"
_UNMET = re.compile(
    r"([\w.-]+?)(?:\[[^\]]*\])?(?:[<>=!~]=?[\w.+!*,<>=~]+) has (?:no wheels with a matching|invalid metadata)"
)
_UNFIT = "no wheels with a matching"
_BROKEN = re.compile(r"Failed to (?:build|download and build) `([\w.-]+?)==([\w.+!]+)`")
# Built for one kind of torch, and useless with another.
_OF_TORCH = ("torchvision", "torchaudio", "torchtext", "torchdata")


@dataclass(frozen=True)
class _Wanted:
    """Requirements on their way to a lock."""

    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    build_constraints: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Change:
    """A pin that could not be met, and what is in its place."""

    at: int
    asked: str
    version: str
    why: str

    def note(self, name: str) -> str:
        return f"{self.asked} cannot be met: {self.why}; {name}=={self.version} is the nearest that can"


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
        notes: list[str] = []
        log.step(f"resolving {counted(len(spec.pip), 'requirement')} for Python {self._interpreter.version} with uv")
        resolver = _Resolver(packages, spec, log, notes, self._interpreter.minor, self._environ)
        found, wanted = resolver.resolve(_wanted(spec, notes))
        if found.sources and _OLD_SETUPTOOLS in wanted.build_constraints:
            notes.append(f"{', '.join(sorted(found.sources))} is built from source with {_OLD_SETUPTOOLS}")
        for note in notes:
            log.note(note)
        log.step(f"resolved: {counted(len(found.packages), 'package')}")
        return Lock(
            builder=self.name,
            tool=_version_of(self._uv),
            python=self._interpreter.version,
            platform=platform_tag(),
            packages=found.packages,
            build_constraints=wanted.build_constraints,
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


class _Resolver:
    """Resolves requirements; pins that cannot be met are changed one after the other, and told."""

    def __init__(
        self,
        packages: PipPackages,
        spec: EnvironmentSpec,
        log: BuildLog,
        notes: list[str],
        minor: str,
        environ: Mapping[str, str],
    ) -> None:
        self._packages = packages
        self._minor = minor
        self._environ = environ
        # Who gives hashes wants these very files.
        self._strict = spec.strict or bool(given_hashes.given(spec.pip)) or given_hashes.REQUIRE in spec.pip_options
        self._log = log
        self._notes = notes
        self._built: dict[str, str] = {}
        self._changes: dict[str, _Change] = {}

    def resolve(self, wanted: _Wanted) -> tuple[Compiled, _Wanted]:
        for _ in range(_MOST_CHANGES):
            try:
                found = self._compile(wanted)
            except Unsatisfiable as error:
                wanted = self._other_version(wanted, error)
                continue
            except EnvironmentBuildException as error:
                wanted = self._of_a_broken_source(wanted, error)
                continue
            changed = (
                self._unlike_torch(wanted, found)
                or self._sources_that_build(wanted, found)
                or self._older_numpy(wanted, found)
            )
            if changed is None:
                self._notes += [change.note(name) for name, change in self._changes.items()]
                return found, wanted
            wanted = changed
        raise EnvironmentBuildException(
            f"no set of versions was found after {_MOST_CHANGES} changes", hint="leave some of the versions open"
        )

    def _compile(self, wanted: _Wanted) -> Compiled:
        return self._packages.compile(
            wanted.requirements,
            self._log,
            constraints=wanted.constraints,
            build_constraints=wanted.build_constraints,
        )

    def _other_version(self, wanted: _Wanted, error: Unsatisfiable) -> _Wanted:
        """Change the pin that the solver stumbled over, if no file of that version fits this Python."""
        if self._strict:
            raise error
        for name in dict.fromkeys(canonicalize_name(name) for name in _UNMET.findall(error.words)):
            version = next((version for each in wanted.requirements for n, version in [_pin(each)] if n == name), None)
            if version is not None:
                changed = self._nearest(wanted, name, version, "no file of it fits this Python and platform")
                if changed is not None:
                    return changed
        return self._further_on(wanted, error)

    def _further_on(self, wanted: _Wanted, error: Unsatisfiable) -> _Wanted:
        """What was put in place of a pin does not go with the rest: take the next version that has a wheel."""
        for name, change in self._changes.items():
            later = self._packages.later_wheel(name, change.version, self._log)
            if later is not None:
                return self._change(wanted, change.at, replace(change, version=later))
        return self._beside_what_fits_no_longer(wanted, error)

    def _beside_what_fits_no_longer(self, wanted: _Wanted, error: Unsatisfiable) -> _Wanted:
        """What is asked for beside a pin has no file of its time for this Python: take the pin's next version."""
        if _UNFIT not in error.words:
            raise error
        for at, requirement in enumerate(wanted.requirements):
            name, version = _pin(requirement)
            if name is None or name in self._changes or not re.search(rf"require {name}[=<>~]", error.words):
                continue
            later = self._packages.later_wheel(name, version, self._log)
            if later is not None:
                why = "what is asked for beside it has no file of its time for this Python"
                return self._change(wanted, at, _Change(at, requirement, later, why))
        raise error

    def _of_a_broken_source(self, wanted: _Wanted, error: EnvironmentBuildException) -> _Wanted:
        """A source that cannot even tell what it needs: with older tools, or by another version of it."""
        found = _BROKEN.search(error.message)
        if found is None:
            raise error
        for line in error.message.split("\n"):
            self._log.line(line)
        if _OLD_SETUPTOOLS not in wanted.build_constraints and _wants_old_setuptools(error.message):
            return replace(wanted, build_constraints=(*wanted.build_constraints, _OLD_SETUPTOOLS))
        changed = None if self._strict else self._nearest(wanted, found[1], found[2], "its source does not build here")
        if changed is None:
            raise error
        return changed

    def _unlike_torch(self, wanted: _Wanted, found: Compiled) -> _Wanted | None:
        """Torch of one kind (``+cpu``) and a torchvision of another do not work together, though their versions fit."""
        versions = {package.name: package.version for package in found.packages}
        torch = versions.get("torch", "")
        local = torch.partition("+")[2]
        other = next((name for name in _OF_TORCH if name in versions), None)
        if other is None or not local or versions[other].endswith(f"+{local}"):
            return None
        self._notes.append(
            f"torch {torch} was passed over: {other} {versions[other]} is made for another build of torch"
        )
        return replace(wanted, constraints=(*wanted.constraints, f"torch!={torch}"))

    def _older_numpy(self, wanted: _Wanted, found: Compiled) -> _Wanted | None:
        """Packages of before NumPy 2 fail with it when they are imported, and do not say so to a solver."""
        older = older_than_numpy(found.packages)
        if older is None or _OLD_NUMPY in wanted.constraints or "numpy" in map(_decided, wanted.requirements):
            return None
        changed = replace(wanted, constraints=(*wanted.constraints, _OLD_NUMPY))
        try:
            self._compile(changed)
        except Unsatisfiable:  # something else needs NumPy 2
            return None
        self._notes.append(f"{older.name} {older.version} is from before NumPy 2: {_OLD_NUMPY} was added")
        return changed

    def _sources_that_build(self, wanted: _Wanted, found: Compiled) -> _Wanted | None:
        """Try the sources among the packages; None if all build, else what to resolve in place."""
        pinned = {name for name, _ in map(_pin, wanted.requirements) if name}
        # Those that were asked for first: what they bring along changes with them.
        for package in sorted(found.packages, key=lambda each: (each.name not in pinned, each.name)):
            if package.name not in found.sources or self._built.get(package.name) == package.version:
                continue
            changed = self._build(wanted, package)
            if changed is not None:
                return changed
            self._built[package.name] = package.version
        return None

    def _build(self, wanted: _Wanted, package: LockedPackage) -> _Wanted | None:
        label = f"{package.name} {package.version}"
        wheel = self._packages.nearest_wheel(package.name, package.version, self._log)
        elsewhere = self._elsewhere(package)
        if wheel and not self._strict:
            changed = self._of_older_pythons(wanted, package, wheel, elsewhere)
            if changed is not None:
                return changed
        self._log.step(f"building {label}: it has no wheel for this Python")
        if elsewhere:
            self._log.step(elsewhere)
        limit_s = _BUILD_S if wheel else None
        answer = self._packages.builds(package, self._log, build_constraints=wanted.build_constraints, limit_s=limit_s)
        if not answer.code:
            return None
        if _OLD_SETUPTOOLS not in wanted.build_constraints and _wants_old_setuptools(answer.words):
            older = (*wanted.build_constraints, _OLD_SETUPTOOLS)
            self._log.step(f"building {label} once more, with {_OLD_SETUPTOOLS}")
            if not self._packages.builds(package, self._log, build_constraints=older, limit_s=limit_s).code:
                return replace(wanted, build_constraints=older)
        changed = None
        if not self._strict and wheel:
            why = _with("it has no wheel for this Python, and its source does not build here", elsewhere)
            changed = self._nearest(wanted, package.name, package.version, why, wheel)
        if changed is None:
            raise self._packages.failure(answer, self._log)
        return changed

    def _of_older_pythons(
        self, wanted: _Wanted, package: LockedPackage, wheel: str, elsewhere: str | None
    ) -> _Wanted | None:
        """Replace a pin whose wheels are all for older Pythons: compiled here, in minutes, it may not even work.

        None if there are no such wheels either, or if it is no pin.
        """
        minors = (f"3.{number}" for number in range(int(self._minor.partition(".")[2]) - 1, _OLDEST_MINOR - 1, -1))
        has_wheel, name, version = self._packages.has_wheel, package.name, package.version
        made_for = next((minor for minor in minors if has_wheel(name, version, minor, self._log)), None)
        if made_for is None:
            return None
        why = _with(f"its wheels are for Python {made_for} and older", elsewhere)
        return self._nearest(wanted, name, version, why, wheel)

    def _elsewhere(self, package: LockedPackage) -> str | None:
        """The newest other Python of this machine that has a wheel of this very version."""
        minors = sorted({each.minor for each in find_all(self._environ)} - {self._minor}, key=Version, reverse=True)
        for minor in minors:
            if self._packages.has_wheel(package.name, package.version, minor, self._log):
                return f"Python {minor} has a wheel of {package.name} {package.version} and is here: python={minor}"
        return None

    def _nearest(self, wanted: _Wanted, name: str, version: str, why: str, wheel: str | None = None) -> _Wanted | None:
        """Put the nearest version that has a wheel in place of a pin; None if there is no pin, or no such version."""
        name = canonicalize_name(name)
        at = next((number for number, each in enumerate(wanted.requirements) if _pin(each)[0] == name), None)
        wheel = wheel or (self._packages.nearest_wheel(name, version, self._log) if at is not None else None)
        if at is None or wheel is None:
            return None
        return self._change(wanted, at, _Change(at, wanted.requirements[at], wheel, why))

    def _change(self, wanted: _Wanted, at: int, change: _Change) -> _Wanted:
        requirement = requirement_of(change.asked)
        assert requirement is not None  # noqa: S101 - it names a version
        name = canonicalize_name(requirement.name)
        self._changes[name] = change
        requirement.specifier = SpecifierSet(f"=={change.version}")
        changed = list(wanted.requirements)
        changed[at] = str(requirement)
        return replace(wanted, requirements=tuple(changed))


def _with(why: str, more: str | None) -> str:
    return f"{why} ({more})" if more else why


def _wanted(spec: EnvironmentSpec, notes: list[str]) -> _Wanted:
    more = companions(spec.pip)
    notes += more.notes
    return _Wanted((*spec.pip, *more.requirements), spec.constraints, more.build_constraints)


def _pin(requirement: str) -> tuple[str | None, str]:
    """Name and version of a requirement that pins one; None for any other."""
    parsed = requirement_of(requirement)
    for each in parsed.specifier if parsed is not None else ():
        if each.operator in ("==", "===") and parsed is not None:
            return canonicalize_name(parsed.name), each.version.removesuffix(".*")
    return None, ""


def _decided(requirement: str) -> str | None:
    """Name of a requirement that says which version; None for any other."""
    parsed = requirement_of(requirement)
    return canonicalize_name(parsed.name) if parsed is not None and (parsed.specifier or parsed.url) else None


def _wants_old_setuptools(words: str) -> bool:
    return "pkg_resources" in words or "setuptools" in words or "use_2to3" in words or "distutils" in words


def _version_of(uv: Uv) -> str:
    done = subprocess.run([uv.program, "--version"], capture_output=True, text=True, check=False)
    return " ".join(done.stdout.split()[:2])
