"""Pins that cannot be met, and the set of versions nearest to all of them that has files for this Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from amlnb.environments.builder import BuildLog
from amlnb.environments.interpreters import find_all
from amlnb.environments.pip_packages import ALL, Compiled, PipPackages
from amlnb.environments.requirement_names import requirement_of
from amlnb.errors import EnvironmentBuildException

_OLDEST_MINOR = 6
_PINS = ("==", "===")
_BROKEN = "it has no wheel for this Python, and its source does not build here"
# A source whose version could be met by a wheel of another one is not built for longer than this.
BUILD_S = 600.0


@dataclass(frozen=True)
class Wanted:
    """Requirements on their way to a lock.

    Attributes
    ----------
    wheels
        Names of packages of which only wheels are taken.
    """

    requirements: tuple[str, ...]
    constraints: tuple[str, ...]
    build_constraints: tuple[str, ...] = ()
    wheels: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Change:
    """A requirement that could not be met, and what is in its place."""

    asked: str
    version: str
    why: str

    def note(self, name: str) -> str:
        return f"{self.asked} cannot be met: {self.why}; {name}=={self.version} is the nearest that can"


@dataclass(frozen=True)
class _Attempt:
    """Requirements with their pins opened upwards, and of which packages only wheels are taken."""

    requirements: tuple[str, ...]
    wheels: frozenset[str]
    final_only: bool = True


class NearestSet:
    """Opens all pins upwards at once, and has the lowest set decided that goes together: nothing is tried by steps.

    Parameters
    ----------
    packages
        Packages for the Python it is for.
    log
        Is told each change.
    minor
        The minor version of that Python.
    environ
        Environment variables by which other Pythons are found.
    """

    def __init__(self, packages: PipPackages, log: BuildLog, minor: str, environ: Mapping[str, str]) -> None:
        self._packages = packages
        self._log = log
        self._minor = minor
        self._environ = environ
        self._changes: dict[str, _Change] = {}
        # Sources that build here: they need no wheel.
        self._building: frozenset[str] = frozenset()
        self._wheels: dict[tuple[str, str], bool] = {}

    def find(self, wanted: Wanted, broken: str | None = None) -> Wanted | None:
        """Replace what cannot be met.

        Parameters
        ----------
        wanted
            Requirements that no set meets, or only one with sources that do not build.
        broken
            Name of such a source.

        Returns
        -------
        Wanted or None
            Requirements that a set meets. None if none is found, or none of them is a pin.

        Raises
        ------
        Unsatisfiable
            A version that is asked for never was.
        """
        if not any(map(_pin, wanted.requirements)):
            return None
        while True:
            found = self._lowest(wanted)
            if found is None:
                return None
            versions = {package.name: package.version for package in found.packages}
            unmet = {at: each for at, each in enumerate(wanted.requirements) if self._is_unmet(each, versions)}
            reasons = {at: self._why(wanted, each, broken) for at, each in unmet.items()}
            sound = frozenset(_name(unmet[at]) for at, why in reasons.items() if why is None)
            if not sound:
                break
            self._building |= sound
        requirements = list(wanted.requirements)
        for at, each in unmet.items():
            version, name = versions[_name(each)], _name(each)
            before = self._changes.get(name)
            change = _Change(each, version, str(reasons[at])) if before is None else replace(before, version=version)
            self._changes[name] = change
            self._log.step(f"{change.asked} becomes {name}=={version}: {change.why}")
            requirements[at] = _with_specifier(each, f"=={version}")
        return replace(wanted, requirements=tuple(requirements))

    def notes(self) -> list[str]:
        """What was changed, and which other Python of this machine would do without."""
        if not self._changes:
            return []
        asked = [_alone(each.asked) for each in self._changes.values()]
        elsewhere = self.elsewhere([each for each in asked if not self._has_wheel(each, self._minor)])
        return [*(each.note(name) for name, each in self._changes.items()), *([elsewhere] if elsewhere else [])]

    def made_for(self, pin: str) -> str | None:
        """The newest older Python that a pin has a wheel for; None if there is none."""
        minors = (f"3.{number}" for number in range(int(self._minor.partition(".")[2]) - 1, _OLDEST_MINOR - 1, -1))
        return next((minor for minor in minors if self._has_wheel(pin, minor)), None)

    def elsewhere(self, pins: Sequence[str]) -> str | None:
        """Say which other Python of this machine has wheels of pins: the newest; None if there is none."""
        minors = sorted({each.minor for each in find_all(self._environ)} - {self._minor}, key=Version, reverse=True)
        for minor in minors if pins else ():
            if all(self._has_wheel(each, minor) for each in pins):
                return (
                    f"Python {minor} is here and has wheels of {', '.join(pins)}: --env 'python={minor},...' takes it; "
                    f"in v1's words Environment(name, strict=True) with python={minor}"
                )
        return None

    def _lowest(self, wanted: Wanted) -> Compiled | None:
        for attempt in dict.fromkeys(self._attempts(wanted)):
            try:
                return self._packages.compile(
                    attempt.requirements,
                    self._log,
                    constraints=wanted.constraints,
                    build_constraints=wanted.build_constraints,
                    wheels=attempt.wheels,
                    lowest=True,
                    final_only=attempt.final_only,
                )
            except EnvironmentBuildException:
                continue
        return None

    def _attempts(self, wanted: Wanted) -> Iterator[_Attempt]:
        opened = tuple(_opened(each) for each in wanted.requirements)
        if not self._building:
            yield _Attempt(opened, frozenset({ALL}))
        opened, wheels = self._by_what_there_is(wanted)
        first = _Attempt(opened, wheels)
        yield first
        yield replace(first, requirements=tuple(_opened(each, upper=True) for each in opened))
        yield replace(first, final_only=False)

    def _by_what_there_is(self, wanted: Wanted) -> tuple[tuple[str, ...], frozenset[str]]:
        """Open pins where there is a wheel: upwards, or else down to the next one. What has none at all is a source."""
        requirements, wheels = [], set(wanted.wheels)
        for each in wanted.requirements:
            parsed, pin = requirement_of(each), _pin(each)
            requirement = _opened(each)
            if parsed is not None and not parsed.url and _name(each) not in self._building:
                wheel = self._packages.nearest_wheel(parsed.name, pin or "0", self._log)
                wheels |= {_name(each)} if wheel else set()
                if wheel and pin and Version(wheel) < Version(pin):
                    requirement = _with_specifier(each, f"=={wheel}")
            requirements.append(requirement)
        has_all = wheels.issuperset(map(_name, wanted.requirements))
        return tuple(requirements), frozenset({ALL}) if has_all else frozenset(wheels)

    def _why(self, wanted: Wanted, asked: str, broken: str | None) -> str | None:
        """Why a requirement cannot be met; None if its source builds, so that it can."""
        name, alone = _name(asked), _alone(asked)
        if name == broken:
            return _BROKEN
        if name in self._building or self._has_wheel(alone, self._minor):
            return "what is asked for beside it has no version for this Python that goes with it"
        made_for = self.made_for(alone)
        if made_for is not None:
            return f"its wheels are for Python {made_for} and older"
        source = self._packages.source(alone, self._log)
        if source is None:
            return "no file of it fits this Python and platform"
        self._log.step(f"building {source.name} {source.version}: it has no wheel for this Python")
        answer = self._packages.builds(source, self._log, build_constraints=wanted.build_constraints, limit_s=BUILD_S)
        return _BROKEN if answer.code else None

    def _is_unmet(self, requirement: str, versions: Mapping[str, str]) -> bool:
        parsed = requirement_of(requirement)
        version = versions.get(_name(requirement))
        if parsed is None or version is None or parsed.specifier.contains(version, prereleases=True):
            return False
        python = {"python_version": self._minor, "python_full_version": f"{self._minor}.0"}
        return parsed.marker is None or parsed.marker.evaluate(python)

    def _has_wheel(self, alone: str, minor: str) -> bool:
        if (alone, minor) not in self._wheels:
            self._wheels[alone, minor] = self._packages.has_wheel(alone, minor, self._log)
        return self._wheels[alone, minor]


def _name(requirement: str) -> str:
    """Normalised name; nothing for a path or an address."""
    parsed = requirement_of(requirement)
    return "" if parsed is None or parsed.url else canonicalize_name(parsed.name)


def _alone(requirement: str) -> str:
    """Name and versions of a requirement, without extras and markers."""
    parsed = requirement_of(requirement)
    return requirement if parsed is None else f"{parsed.name}{parsed.specifier}"


def _pin(requirement: str) -> str | None:
    """The version that a requirement pins."""
    parsed = requirement_of(requirement)
    specifiers = parsed.specifier if parsed is not None else ()
    return next((each.version.removesuffix(".*") for each in specifiers if each.operator in _PINS), None)


def _opened(requirement: str, *, upper: bool = False) -> str:
    """A requirement whose pin is the lowest version, not the only one; ``upper`` takes upper bounds away too."""
    parsed = requirement_of(requirement)
    if parsed is None or parsed.url or not parsed.specifier:
        return requirement
    kept = []
    for each in parsed.specifier:
        if each.operator in _PINS or (upper and each.operator == "~="):
            kept.append(f">={Version(each.version.removesuffix('.*')).public}")
        elif not upper or each.operator not in ("<", "<="):
            kept.append(str(each))
    return _with_specifier(requirement, ",".join(sorted(kept)))


def _with_specifier(requirement: str, specifier: str) -> str:
    parsed = requirement_of(requirement)
    assert parsed is not None  # noqa: S101 - it names a version
    parsed.specifier = SpecifierSet(specifier)
    return str(parsed)
