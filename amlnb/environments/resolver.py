"""From a request for pip packages to exactly which they are, with what is known of packages that do not tell it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from packaging.utils import canonicalize_name

from amlnb.environments import given_hashes
from amlnb.environments.build_hints import is_of_a_name
from amlnb.environments.builder import BuildLog
from amlnb.environments.lock import LockedPackage
from amlnb.environments.nearest_set import BUILD_S, NearestSet, Wanted
from amlnb.environments.numpy_two import older_than_numpy
from amlnb.environments.pip_packages import Compiled, PipPackages, Unsatisfiable
from amlnb.environments.quirks import companions
from amlnb.environments.requirement_names import requirement_of
from amlnb.errors import EnvironmentBuildException
from amlnb.specs.environment_spec import EnvironmentSpec

_MOST_CHANGES = 20
_OLD_NUMPY = "numpy<2"
_OLD_SETUPTOOLS = "setuptools<70"
_BROKEN = re.compile(r"Failed to (?:build|download and build) `([\w.-]+?)==([\w.+!]+)`")
# Built for one kind of torch, and useless with another.
_OF_TORCH = ("torchvision", "torchaudio", "torchtext", "torchdata")


class Resolver:
    """Resolves a request; pins that cannot be met become the nearest that can, all together, which is told.

    Parameters
    ----------
    packages
        Packages for its Python.
    spec
        The request. Strict, or with hashes, a pin that cannot be met is an error.
    log
        Is told each change as it is made.
    minor
        The minor version of that Python.
    environ
        Environment variables by which other Pythons are found.

    Attributes
    ----------
    notes
        What is otherwise than it was asked for, after `resolve`.
    """

    def __init__(
        self, packages: PipPackages, spec: EnvironmentSpec, log: BuildLog, minor: str, environ: Mapping[str, str]
    ) -> None:
        self.notes: list[str] = []
        self._packages = packages
        self._spec = spec
        self._log = log
        # Who gives hashes wants these very files.
        self._strict = spec.strict or bool(given_hashes.given(spec.pip)) or given_hashes.REQUIRE in spec.pip_options
        self._nearest = NearestSet(packages, log, minor, environ)
        self._built: dict[str, str] = {}
        self._known: dict[Wanted, Compiled] = {}

    def resolve(self) -> tuple[Compiled, tuple[str, ...]]:
        """Decide which packages they are, and under which constraints the sources among them build.

        Raises
        ------
        EnvironmentBuildException
            There is no such set, or a source among them does not build.
        """
        more = companions(self._spec.pip)
        self.notes += more.notes
        wanted = Wanted((*self._spec.pip, *more.requirements), self._spec.constraints, more.build_constraints)
        for _ in range(_MOST_CHANGES):
            try:
                found = self._compile(wanted)
            except Unsatisfiable as error:
                wanted = self._other_versions(wanted, error)
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
                self._tell(wanted, found)
                return found, wanted.build_constraints
            wanted = changed
        raise EnvironmentBuildException(
            f"no set of versions was found after {_MOST_CHANGES} changes", hint="leave some of the versions open"
        )

    def _tell(self, wanted: Wanted, found: Compiled) -> None:
        self.notes += self._nearest.notes()
        if found.sources and _OLD_SETUPTOOLS in wanted.build_constraints:
            self.notes.append(f"{', '.join(sorted(found.sources))} is built from source with {_OLD_SETUPTOOLS}")

    def _compile(self, wanted: Wanted) -> Compiled:
        if wanted not in self._known:  # what was only tried may be what is taken
            self._known[wanted] = self._packages.compile(
                wanted.requirements,
                self._log,
                constraints=wanted.constraints,
                build_constraints=wanted.build_constraints,
                wheels=wanted.wheels,
            )
        return self._known[wanted]

    def _other_versions(self, wanted: Wanted, error: Unsatisfiable) -> Wanted:
        changed = None if self._strict or is_of_a_name(error.words) else self._nearest.find(wanted)
        if changed is None:
            raise error
        return changed

    def _of_a_broken_source(self, wanted: Wanted, error: EnvironmentBuildException) -> Wanted:
        """A source that cannot even tell what it needs: with older tools, or another version."""
        found = _BROKEN.search(error.message)
        if found is None:
            raise error
        for line in error.message.split("\n"):
            self._log.line(line)
        if _OLD_SETUPTOOLS not in wanted.build_constraints and _wants_old_setuptools(error.message):
            return replace(wanted, build_constraints=(*wanted.build_constraints, _OLD_SETUPTOOLS))
        changed = None if self._strict else self._with_a_wheel_of(wanted, found[1], is_broken=True)
        if changed is None:
            raise error
        return changed

    def _unlike_torch(self, wanted: Wanted, found: Compiled) -> Wanted | None:
        """Torch of one kind (``+cpu``) and a torchvision of another do not work together, though their versions fit."""
        versions = {package.name: package.version for package in found.packages}
        torch = versions.get("torch", "")
        local = torch.partition("+")[2]
        other = next((name for name in _OF_TORCH if name in versions), None)
        if other is None or not local or versions[other].endswith(f"+{local}"):
            return None
        self.notes.append(
            f"torch {torch} was passed over: {other} {versions[other]} is made for another build of torch"
        )
        return replace(wanted, constraints=(*wanted.constraints, f"torch!={torch}"))

    def _older_numpy(self, wanted: Wanted, found: Compiled) -> Wanted | None:
        """Packages of before NumPy 2 fail with it when they are imported, and do not say so to a solver."""
        older = older_than_numpy(found.packages)
        if older is None or _OLD_NUMPY in wanted.constraints or "numpy" in map(_decided, wanted.requirements):
            return None
        changed = replace(wanted, constraints=(*wanted.constraints, _OLD_NUMPY))
        try:
            self._compile(changed)
        except Unsatisfiable:  # something else needs NumPy 2
            return None
        self.notes.append(f"{older.name} {older.version} is from before NumPy 2: {_OLD_NUMPY} was added")
        return changed

    def _sources_that_build(self, wanted: Wanted, found: Compiled) -> Wanted | None:
        """Try the sources among the packages; None if all build, else what to resolve in place."""
        for package in found.packages:
            if package.name not in found.sources or self._built.get(package.name) == package.version:
                continue
            changed = self._build(wanted, package)
            if changed is not None:
                return changed
            self._built[package.name] = package.version
        return None

    def _build(self, wanted: Wanted, package: LockedPackage) -> Wanted | None:
        label, pin = f"{package.name} {package.version}", f"{package.name}=={package.version}"
        wheel = package.source is None and self._packages.nearest_wheel(package.name, package.version, self._log)
        # Compiled here, in minutes, what was made for older Pythons may not even work.
        if wheel and not self._strict and self._nearest.made_for(pin) is not None:
            changed = self._with_a_wheel_of(wanted, package.name)
            if changed is not None:
                return changed
        self._log.step(f"building {label}: it has no wheel for this Python")
        elsewhere = self._nearest.elsewhere([pin])
        if elsewhere:
            self._log.step(elsewhere)
        limit_s = BUILD_S if wheel else None
        answer = self._packages.builds(package, self._log, build_constraints=wanted.build_constraints, limit_s=limit_s)
        if not answer.code:
            return None
        if _OLD_SETUPTOOLS not in wanted.build_constraints and _wants_old_setuptools(answer.words):
            older = (*wanted.build_constraints, _OLD_SETUPTOOLS)
            self._log.step(f"building {label} once more, with {_OLD_SETUPTOOLS}")
            if not self._packages.builds(package, self._log, build_constraints=older, limit_s=limit_s).code:
                return replace(wanted, build_constraints=older)
        changed = self._with_a_wheel_of(wanted, package.name, is_broken=True) if wheel and not self._strict else None
        if changed is None:
            raise self._packages.failure(answer, self._log)
        return changed

    def _with_a_wheel_of(self, wanted: Wanted, name: str, *, is_broken: bool = False) -> Wanted | None:
        """The nearest set in which a package has a wheel; None if there is none, or if nothing is pinned."""
        name = canonicalize_name(name)
        if name in wanted.wheels:
            return None
        return self._nearest.find(replace(wanted, wheels=wanted.wheels | {name}), broken=name if is_broken else None)


def _decided(requirement: str) -> str | None:
    """Name of a requirement that says which version; None for any other."""
    parsed = requirement_of(requirement)
    return canonicalize_name(parsed.name) if parsed is not None and (parsed.specifier or parsed.url) else None


def _wants_old_setuptools(words: str) -> bool:
    return "pkg_resources" in words or "setuptools" in words or "use_2to3" in words or "distutils" in words
