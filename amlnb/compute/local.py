"""The back end of this machine: runners are forked by the courier's zygote; the home is the directory here."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

from amlnb import host
from amlnb.compute.backend import Job, JobStatus, Standing
from amlnb.core import identity, layout


class LocalBackend:
    """Runs on this host.

    Parameters
    ----------
    launch
        Forks a runner for a launch (a JSON-able dict, see ``amlnb.runner.launch``) and returns its pid.
    end_orphans
        Ends the processes that dead runners have left.
    """

    def __init__(self, launch: Callable[[dict[str, Any]], int], end_orphans: Callable[[], None]) -> None:
        self._launch = launch
        self._end_orphans = end_orphans
        self._launched: dict[str, dict[str, Any]] = {}

    def stage(self, job: Job) -> None:
        """Do nothing: the runner takes the snapshot from the objects of the workspace itself."""

    def start(self, job: Job) -> int | None:
        """Fork a runner and return its pid."""
        pid = self._launch(
            {
                "directory": job.directory,
                "objects": job.objects,
                "attempt": job.attempt,
                "environ": dict(job.environ),
                "run_side": job.run_side,
                "workspace": dict(job.workspace),
                "environment": job.environment,
            }
        )
        self._launched[job.run_id] = host.process_identity(pid)
        return pid

    def poll(self, jobs: Sequence[Job]) -> dict[str, JobStatus]:
        """Ask the run directories and /proc."""
        return {job.run_id: self._poll(job) for job in jobs}

    def cancel(self, job: Job) -> None:
        """Nudge the runner; it then finds the cancel among the edits."""
        runner = self._runner(job)
        if runner is not None and host.liveness(runner) == identity.ALIVE:
            os.kill(runner["pid"], signal.SIGUSR1)

    def read(self, jobs: Sequence[Job]) -> None:
        """Do nothing: the home is here."""

    def _poll(self, job: Job) -> JobStatus:
        launched = self._launched.get(job.run_id)
        try:
            runner = self._runner(job)
        except OSError as error:
            # Whatever is in the way of that one file, the runner that we started ourselves is known without it.
            runner, trouble = launched or {}, str(error)
        else:
            trouble = ""
        alive = host.liveness(runner or launched)
        # The seal is looked for after the liveness: a runner that ended in between has sealed before.
        if os.path.exists(os.path.join(job.directory, layout.FINAL_JSON)):
            return self._over(job, Standing.ENDED)
        if runner is None:
            return JobStatus(Standing.WAITING if alive == identity.ALIVE else self._absent(job))
        if alive == identity.UNKNOWN:
            where = f"its runner is on {runner.get('hostname')!r}, which cannot be asked"
            return JobStatus(Standing.UNKNOWN, trouble or where)
        if alive == identity.ALIVE:
            return JobStatus(Standing.RUNNING)
        self._end_orphans()
        return self._over(job, Standing.LOST)

    def _over(self, job: Job, standing: Standing) -> JobStatus:
        self._launched.pop(job.run_id, None)
        return JobStatus(standing)

    def _absent(self, job: Job) -> Standing:
        """No attempt file and no living runner of ours; a runner may have come and claimed the run just now."""
        return Standing.NOT_STARTED if self._runner(job) is None else Standing.RUNNING

    def _runner(self, job: Job) -> dict[str, Any] | None:
        return _read_identity(os.path.join(job.directory, layout.ATTEMPTS, f"{job.attempt}.json"))


def _read_identity(path: str) -> dict[str, Any] | None:
    """Identity in an attempt file; None if there is no such file, {} (liveness unknown) if it is damaged."""
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
