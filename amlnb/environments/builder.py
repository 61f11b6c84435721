"""The protocol of those who build environments, and the values that cross it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from amlnb.environments.lock import Lock
from amlnb.specs.environment_spec import EnvironmentSpec


def counted(number: int, noun: str) -> str:
    """A number and a noun, as a log tells them."""
    return f"{number} {noun}" + ("" if number == 1 else "s")


@dataclass(frozen=True)
class Interpreter:
    """A Python of this machine.

    Attributes
    ----------
    path
        Of the program.
    version
        Such as ``3.11.7``.
    """

    path: str
    version: str

    @property
    def minor(self) -> str:
        """The part of the version that counts, such as ``3.11``."""
        return ".".join(self.version.split(".")[:2])


class BuildLog(Protocol):
    """Who is told how a build goes."""

    def step(self, text: str) -> None:
        """A step begins; it is written with the time."""

    def line(self, text: str) -> None:
        """A line of the tool that works, untouched but for secrets."""

    def note(self, text: str) -> None:
        """What is otherwise than it was asked for. The lock's ``notes`` hold it too: every run is warned by them."""

    def progress(self, done: int, total: int, text: str) -> None:
        """How far it is."""


class Builder(Protocol):
    """Makes environments of one kind.

    Rules, which are the contract tests (`amlnb.testing.builder_contract`):

    - `lock` decides and installs nothing; the same request and the same packages on offer give a lock of the same key.
    - `build` makes what the lock says and nothing else, in a folder that does not exist or is empty; it may be ended at
      any time, and is then called again with an empty folder. It never resolves anew.
    - Whatever fails raises :class:`~amlnb.errors.EnvironmentBuildException` with the tool's own words and a hint.
    - Nothing that is secret is told to the log, put into the lock, or stands in a command line.
    """

    def lock(self, spec: EnvironmentSpec, log: BuildLog) -> Lock:
        """Decide what the environment is."""

    def build(self, lock: Lock, prefix: str, log: BuildLog) -> None:
        """Make it in ``prefix``; its Python is then ``prefix/bin/python``."""
