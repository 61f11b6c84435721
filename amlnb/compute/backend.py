"""The protocol between the courier and a compute engine, and the values that cross it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Job:
    """One attempt of a run, as a back end sees it.

    Attributes
    ----------
    run_id, directory
        The run, and its directory in the workspace (its home, or the mirror of one elsewhere).
    snapshot, objects
        Id of the snapshot (None for none) and the workspace's folder of objects.
    environ
        Environment of the submitter, for targets on the submitter's own host. It never enters the run directory.
    workspace
        ``subscription_id``, ``resource_group``, ``workspace_name``.
    run_side
        Folder with the run side of amlnb, content-addressed by its name.
    target
        The target's definition.
    environment
        What the runner is told of the environment that was built for it; None for the Python of its definition.
    arrived
        What a back end that mirrors calls when all of the run's files are here, before it writes the seal: it puts
        the run's models and children where the workspace has them. It is called again until it says True: all is in
        its place, or given up and told.
    """

    run_id: str
    directory: str
    attempt: int
    snapshot: str | None
    objects: str
    environ: Mapping[str, str]
    workspace: Mapping[str, str]
    run_side: str
    target: Mapping[str, Any]
    environment: Mapping[str, Any] | None = None
    arrived: Callable[[], bool] = lambda: True


class Standing(enum.Enum):
    """Where a job stands: a total map of every engine's own words."""

    WAITING = "waiting"  # started or queued by the engine, its runner not yet there
    RUNNING = "running"
    ENDED = "ended"  # sealed, and everything of it is here
    LOST = "lost"  # proved: no runner, and the run is not sealed
    NOT_STARTED = "not started"  # proved: no runner was ever there, so it may be started again
    UNKNOWN = "unknown"  # cannot be known now; the reason is told


@dataclass(frozen=True)
class JobStatus:
    """Answer of :meth:`Backend.poll` for one job."""

    standing: Standing
    reason: str | None = None


class Backend(Protocol):
    """A compute engine.

    Rules, which are the contract tests:

    - Every method may be called again after it failed or was cut short, and then does what is left to do.
    - ``start`` starts a runner; the runner's own claim sees to it that a run is never started twice.
    - Nothing here decides a state. Facts come from the run directory; a back end brings it (``read``), and proves
      deaths.
    - A failure that may pass raises :class:`~amlnb.errors.BackendUnavailable`; any other
      :class:`~amlnb.errors.AmlnbError` ends the run as Failed with its message.
    - Only the courier calls it, from one thread at a time; a call may block.
    """

    def stage(self, job: Job) -> None:
        """Bring to the engine what the job needs: the run side, the snapshot, the submission record."""

    def start(self, job: Job) -> int | None:
        """Start the job's runner. Returns its pid if it is a process of this host, else None."""

    def poll(self, jobs: Sequence[Job]) -> dict[str, JobStatus]:
        """Standing of all these jobs by run id, asked of the engine once."""

    def cancel(self, job: Job) -> None:
        """Make the runner look for the cancel that stands in the run's edits. Returns without waiting."""

    def read(self, jobs: Sequence[Job]) -> None:
        """Bring what is new of these runs into their directories here, and take edits made here there."""
