"""What a run's environment is asked to be: one frozen value that every face makes and the builders take."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amlnb.errors import FormatError

WORKSPACE = "workspace"
EXISTING = "existing"
PIP = "pip"
CONDA = "conda"
CONTAINER = "container"
# Origin of what was written on a command line.
WORDS_ORIGIN = "--env"


@dataclass(frozen=True)
class EnvironmentSpec:
    """An environment that was asked for.

    No secret is part of it: user and password of an address are in ``credentials`` alone, which is never written down
    by `to_dict`.

    Attributes
    ----------
    name, version
        Of a registered or curated environment; None for others.
    origin
        Where it was written, as a person would say it: ``requirements.txt``, ``--env``, ``the cell's metadata``.
    python
        Version that was asked for, such as ``3.11``, ``3.6.2`` or ``>=3.10``; None is the workspace's own.
    python_is_soft
        The version stands in a specification made for Azure ML, where it means little: then the workspace's minor
        version is taken, and that is told.
    pip
        Requirements (PEP 508), one each, as they were written; local paths are absolute.
    pip_options
        Options of a requirements file that say where packages come from, such as ``--extra-index-url ADDRESS``.
    constraints
        Constraints (PEP 508), one each.
    conda, channels
        Conda match specifications (without ``python``), and the channels they were written for.
    use_conda
        Take the conda packages themselves; not their translation to pip.
    interpreter
        A Python, or the folder of an environment, that exists and is used as it is.
    image, dockerfile
        A container image by its name; or the text of a Dockerfile to build one from.
    variables
        Environment variables of the run.
    strict
        A pin that cannot be met is an error.
    notes
        What is otherwise than it was asked for; told in the build log and among the run's warnings.
    news
        What has another name here and is the same; told in the build log.
    document
        Of an environment in v1's words: these, as ``azureml_environment.json`` has them; it does not say what is made.
    credentials
        ``{host: "user:password"}`` of the addresses above.
    """

    name: str | None = None
    version: str | None = None
    origin: str = ""
    python: str | None = None
    python_is_soft: bool = False
    pip: tuple[str, ...] = ()
    pip_options: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    conda: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    use_conda: bool = False
    interpreter: str | None = None
    image: str | None = None
    dockerfile: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False
    notes: tuple[str, ...] = ()
    news: tuple[str, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    credentials: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def kind(self) -> str:
        """What it takes: one of the words above; a conda specification is ``conda`` also where it is translated."""
        if self.image or self.dockerfile:
            return CONTAINER
        if self.interpreter:
            return EXISTING
        if self.conda or self.use_conda:
            return CONDA
        return PIP if self.pip or self.python else WORKSPACE

    @property
    def called(self) -> str:
        """What a person calls it: its name, where it was written, or of words on a command line these themselves."""
        python = (f"python={self.python}",) if self.python else ()
        words = (*python, *self.conda, *self.pip)
        return self.name or (",".join(words) if self.origin == WORDS_ORIGIN and words else self.origin)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the credentials, as JSON can hold it; what is as by default is left out."""
        found = {}
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if each.name != "credentials" and value not in (None, "", (), False) and value != {}:
                found[each.name] = list(value) if isinstance(value, tuple) else value
        return {**found, "variables": dict(self.variables)} if self.variables else found

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> EnvironmentSpec:
        """Read what `to_dict` made.

        Raises
        ------
        FormatError
            It is not that; or a newer version made it.
        """
        known = {each.name for each in dataclasses.fields(cls)} - {"credentials"}
        unknown = sorted(set(value) - known)
        if unknown:
            raise FormatError(f"an environment has {unknown[0]!r}, which is not known", hint="upgrade amlnb")
        fields: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in value.items()}
        return cls(**fields)
