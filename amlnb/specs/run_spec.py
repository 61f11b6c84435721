"""What is submitted: one frozen value that every face builds and the engine takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amlnb.specs.environment_spec import EnvironmentSpec


@dataclass(frozen=True)
class RunSpec:
    """A script or a command to run, from a source directory, on a target.

    Attributes
    ----------
    experiment
        Name of the experiment the run belongs to.
    source_directory
        Folder that is snapshotted and becomes the run's working directory.
    script, arguments
        Path of a Python script in the source directory, and its arguments (scalars).
    command
        A shell command line instead of a script.
    distributed
        How many processes v1 code asks for, as JSON can hold it; None for one that says nothing of it.
    sections
        What v1 code set that has no effect here, by section and name, as its definition has it; told again, not used.
    docker
        ``arguments`` and ``shm_size`` for the container, where the run is in one.
    target
        Name of the compute target; ``local`` is this machine.
    target_is_soft
        A name that was never given to a target means this machine: v1 code names clusters of its cloud.
    interpreter
        Python that runs the script; None is the target's own (locally the submitter's).
    environment
        What the run's environment is asked to be; None is the target's own Python, as it is.
    environment_variables
        Set for the user's process, and kept with the run.
    timeout_s, grace_s
        Time limit; seconds between TERM and KILL.
    only
        Paths below the source directory to take instead of all of it; None for all.
    added
        ``{path in the snapshot: path of a file}``: what goes with the source and is not in it (a cell's script).
    depends
        What else the outcome depends on, as text: two runs are the same only if it is the same.
    link_directory
        On local targets, the folder whose entries appear as links in the working directory (a cell's files).
    """

    experiment: str
    source_directory: str
    script: str | None = None
    arguments: tuple[Any, ...] = ()
    command: str | None = None
    distributed: Mapping[str, Any] | None = None
    sections: Mapping[str, Any] = field(default_factory=dict)
    docker: Mapping[str, Any] | None = None
    target: str = "local"
    target_is_soft: bool = False
    interpreter: str | None = None
    environment: EnvironmentSpec | None = None
    environment_variables: dict[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    grace_s: float | None = None
    only: tuple[str, ...] | None = None
    added: dict[str, str] = field(default_factory=dict)
    depends: str = ""
    link_directory: str | None = None
    display_name: str | None = None
    parent: str | None = None
    tags: dict[str, str | None] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
