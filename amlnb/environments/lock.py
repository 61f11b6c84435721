"""A lock: what an environment is, exactly; and the key under which it is built."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amlnb.errors import FormatError

FORMAT = 1


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


@dataclass(frozen=True)
class Lock:
    """Names, versions and hashes of all packages, for one Python and one platform.

    Attributes
    ----------
    builder
        Who made it, and builds it: ``uv``, ``conda`` or ``container``.
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
        told = [self.builder, python, self.platform, self.image, sorted(map(dataclasses.astuple, self.packages))]
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
            return cls(packages=tuple(packages), **lists, **fields)
        except (KeyError, TypeError, AttributeError) as error:
            raise FormatError(f"the lock of an environment is damaged: {error!r}") from error
