"""A lock: what an environment is, exactly; and the key under which it is built."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from amlnb.errors import FormatError

FORMAT = 1
BUILDERS = ("uv", "conda", "container", "existing")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_PYTHON = re.compile(r"\d+\.\d+[\w.+-]*")
_HASH = re.compile(r"(?:sha\d+|blake2[bs]|md5|folder):[0-9A-Fa-f]+")
_CONTROL = re.compile(r"[\x00-\x1f]")


@dataclass(frozen=True)
class LockedPackage:
    """One package.

    Attributes
    ----------
    name, version
        As its index or channel has them.
    hashes
        ``sha256:...`` of the files that fit the lock's platform; ``folder:...`` of what is in a local project.
    source
        Where it comes from if not from an index: an address, a path, a channel's file; without credentials.
    by
        Who installs it: ``uv`` or ``conda``.
    """

    name: str
    version: str
    hashes: tuple[str, ...] = ()
    source: str | None = None
    by: str = "uv"


_values = attrgetter(*(each.name for each in dataclasses.fields(LockedPackage)))


@dataclass(frozen=True)
class Lock:
    """Names, versions and hashes of all packages, for one Python and one platform.

    Attributes
    ----------
    builder
        Who made it, and builds it: ``uv``, ``conda`` or ``container``; ``existing`` is of what was there.
    tool
        Name and version of the program behind it, such as ``uv 0.13.9``.
    python
        Version of the interpreter, such as ``3.11.7``; its first two parts are those that count, see below.
    platform
        Such as ``linux-x86_64``.
    packages
        By name.
    image
        Id of a container image; None for others.
    build_constraints
        Constraints under which the sources among them build.
    notes
        What was mapped, left out or met otherwise than it was asked for.
    generation
        How often the request was locked anew.
    made
        When, in Unix time; of no importance to what it is.
    python_is_exact
        All parts of the version count: it was asked for to its patch.
    """

    builder: str
    tool: str
    python: str
    platform: str
    packages: tuple[LockedPackage, ...] = ()
    image: str | None = None
    build_constraints: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    generation: int = 0
    made: float = 0.0
    python_is_exact: bool = False

    @property
    def minor(self) -> str:
        """The version of Python that counts, such as ``3.11``."""
        return ".".join(self.python.split(".")[:2])

    @property
    def key(self) -> str:
        """32 hex digits: the same for what is built the same."""
        python = self.python if self.python_is_exact else self.minor
        told = [self.builder, python, self.platform, self.image, sorted(map(_values, self.packages))]
        return hashlib.sha256(json.dumps([*told, self.build_constraints]).encode()).hexdigest()[:32]

    def versions(self) -> dict[str, str]:
        """``{name: version}`` of all packages."""
        return {package.name: package.version for package in self.packages}

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it."""
        return {"format": FORMAT, **dataclasses.asdict(self)}

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Lock:
        """Read what `to_dict` made.

        Raises
        ------
        FormatError
            It is not a lock, or one of a newer version.
        """
        try:
            fields = dict(value)
            if fields.pop("format") != FORMAT:
                raise FormatError("the lock of an environment is of a newer version", hint="upgrade amlnb")
            packages = [LockedPackage(**{**each, "hashes": tuple(each["hashes"])}) for each in fields.pop("packages")]
            lists: dict[str, Any] = {name: tuple(fields.pop(name)) for name in ("build_constraints", "notes")}
            found = cls(packages=tuple(packages), **lists, **fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise FormatError(f"the lock of an environment is damaged: {error!r}") from error
        _check(found)
        return found


def _check(lock: Lock) -> None:
    """Refuse what no builder writes: parts of a lock become lines of a file that a tool reads options from."""
    _fits(lock.builder in BUILDERS, "builder", lock.builder)
    _fits(_is_text(lock.python) and bool(_PYTHON.fullmatch(lock.python)), "python", lock.python)
    for name in ("tool", "platform"):
        _fits(_is_text(getattr(lock, name)), name, getattr(lock, name))
    _fits(lock.image is None or _is_text(lock.image), "image", lock.image)
    for each in lock.build_constraints:
        _fits(_is_text(each) and not each.startswith("-"), "build constraint", each)
    for each in lock.notes:
        _fits(isinstance(each, str), "note", each)
    _fits(type(lock.generation) is int, "generation", lock.generation)
    _fits(type(lock.made) in (int, float), "made", lock.made)
    _fits(isinstance(lock.python_is_exact, bool), "python_is_exact", lock.python_is_exact)
    for package in lock.packages:
        _check_package(package)


def _check_package(package: LockedPackage) -> None:
    for name in ("name", "version", "by"):
        _fits(_is_text(getattr(package, name)), f"package's {name}", getattr(package, name))
    for each in package.hashes:
        _fits(_is_text(each) and bool(_HASH.fullmatch(each)), "hash", each)
    source = package.source
    _fits(source is None or _is_text(source), "source", source)
    if package.by == "uv":
        _fits(bool(_NAME.fullmatch(package.name)), "package's name", package.name)
        is_version = bool(_VERSION.fullmatch(package.version)) or (not package.version and source is not None)
        _fits(is_version, "package's version", package.version)
        is_place = source is None or not ("://" in source and len(source.removeprefix("-e ").split()) > 1)
        _fits(is_place and (source is None or source.startswith("-e ") or source[:1] != "-"), "source", source)


def _is_text(value: object) -> bool:
    """Tell whether it is a text of one line."""
    return isinstance(value, str) and not _CONTROL.search(value) and len(value.splitlines()) < 2


def _fits(holds: bool, what: str, value: object) -> None:
    if not holds:
        raise FormatError(f"the lock of an environment is damaged: {value!r:.200} is no {what}")
