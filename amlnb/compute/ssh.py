"""The back end of a machine reached by ssh: a run's home is over there, and its mirror is the run directory here.

All of a target's runs share one connection. Once it is open, staging unchanged source, starting, looking and canceling
are one exchange of frames each. A connection that is cut costs nothing but time: runs go on, and the next one brings
what was missed.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from amlnb.compute.backend import Job, JobStatus, Standing
from amlnb.compute.ssh_command import SshTarget
from amlnb.compute.ssh_link import RelayLink
from amlnb.compute.ssh_mirror import Mirror
from amlnb.core.layout import RUN_JSON
from amlnb.core.manifest import object_path
from amlnb.errors import AmlnbError, BackendUnavailable, ComputeTargetException
from amlnb.staged.captured_values import KEY_VARIABLE

_CHUNK = 1 << 20
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
# One call of `read` brings at most so much before the courier does something else.
_READ_S = 2.0
_VERIFY_BYTES = 256 << 20
# A home that still changes after its seal (a process that got away) must not keep its run open for ever.
_VERIFY_ROUNDS = 5

# The relay's words (runner/relay.py). A sealed run has ENDED here once its mirror is complete, and not before.
_STANDINGS = {
    "waiting": Standing.WAITING,
    "running": Standing.RUNNING,
    "sealed": Standing.RUNNING,
    "lost": Standing.LOST,
    "not started": Standing.NOT_STARTED,
    "unknown": Standing.UNKNOWN,
}


class SshBackend:
    """Runs on a host reached by the system's OpenSSH.

    Parameters
    ----------
    definition
        The target's definition (see `SshTarget`).
    cache
        The host-local cache folder.
    clock
        Monotonic seconds.

    Raises
    ------
    ComputeTargetException
        The definition is wrong.
    """

    def __init__(self, definition: Mapping[str, Any], cache: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._target = SshTarget.parse(definition)
        self._cache = cache
        self._clock = clock
        self._link: RelayLink | None = None
        self._retry_at = 0.0
        self._pause_s = _FIRST_PAUSE_S
        self._last_error = ""
        self._mirrors: dict[str, Mirror] = {}
        # Runs that the relay of this connection was told of.
        self._told: set[str] = set()
        # Those whose mirror was found to be as the home is, and whose models and children are put in their places.
        self._verified: set[str] = set()
        # What is in the way of single runs, as of the last look.
        self._trouble: dict[str, str] = {}

    def stage(self, job: Job) -> None:
        """Make the run's home and bring the objects that are missing there."""
        with open(os.path.join(job.directory, RUN_JSON), encoding="utf-8") as file:
            record = json.load(file)
        request = {"op": "stage", "run": _name(job), "record": record, "snapshot": job.snapshot}
        missing = self._ask(job, request)["missing"]
        while missing:
            self._send(job, _object_frames(job.objects, missing))
            # Where the manifest was missing, only now it can be told which of its contents are.
            left = self._ask(job, {"op": "missing", "snapshot": job.snapshot})["missing"]
            if left == missing:
                raise BackendUnavailable(f"{self._target.name} does not keep what it is sent")
            missing = left

    def start(self, job: Job) -> int | None:
        """Have the relay fork the job's runner."""
        told = {"attempt": job.attempt, "workspace": dict(job.workspace), "result_key": job.environ.get(KEY_VARIABLE)}
        self._ask(job, {"op": "start", "run": _name(job), **told})
        return None

    def poll(self, jobs: Sequence[Job]) -> dict[str, JobStatus]:
        """Ask the relay once for all runs that are not complete here."""
        found = {job.run_id: JobStatus(Standing.ENDED) for job in jobs if self._mirror(job).is_complete}
        rest = {_name(job): job for job in jobs if job.run_id not in found}
        if rest:
            request = {"op": "poll", "runs": {name: job.attempt for name, job in rest.items()}}
            with _passing():
                standings = self._ask(next(iter(rest.values())), request)["standings"]
            for name, (standing, reason) in standings.items():
                status = JobStatus(_STANDINGS.get(standing, Standing.UNKNOWN), reason)
                if name in self._trouble and status.standing is Standing.RUNNING:
                    status = JobStatus(Standing.UNKNOWN, self._trouble[name])
                found[rest[name].run_id] = status
        return found

    def cancel(self, job: Job) -> None:
        """Bring the run's edits over and nudge its runner."""
        with _passing():
            self._connected(job)
            mirror = self._mirror(job)
            new = mirror.new_edits()
            request = {"op": "cancel", "run": _name(job), "attempt": job.attempt, "edits": new}
            self._ask(job, {**request, **self._first(job, mirror)})
            self._told.add(_name(job))
            mirror.edits_arrived(list(new))

    def read(self, jobs: Sequence[Job]) -> None:
        """Bring what is new of these runs here, in at most some two seconds, and their new edits there."""
        waiting = {_name(job): job for job in jobs if not self._mirror(job).is_complete}
        deadline = self._clock() + _READ_S
        with _passing():
            while waiting:
                answer = self._look(waiting)
                self._trouble = dict(answer.get("trouble", {}))
                for name in answer["complete"]:
                    try:
                        is_complete = self._complete(waiting[name])
                    except OSError as error:  # of one run's mirror, which holds up no other
                        self._trouble[name] = f"what it left cannot be kept here: {error}"
                        continue
                    if is_complete:
                        del waiting[name]
                if not answer["more"] or self._clock() > deadline:
                    return

    def close(self) -> None:
        """Close the connection; runs go on."""
        if self._link is not None:
            self._link.close()
            self._link = None

    # -- reading -----------------------------------------------------------------------------------------------------

    def _look(self, waiting: Mapping[str, Job]) -> dict[str, Any]:
        self._connected(next(iter(waiting.values())))
        asked, edits = [], {}
        for name, job in waiting.items():
            mirror = self._mirror(job)
            edits[name] = mirror.new_edits()
            asked.append({"run": name, "edits": edits[name], **self._first(job, mirror)})

        def take(header: dict[str, Any], data: bytes) -> None:
            self._mirror(waiting[header["run"]]).take(header, data)

        answer = self._ask(next(iter(waiting.values())), {"op": "look", "runs": asked}, take)
        for name, job in waiting.items():
            self._told.add(name)
            self._mirror(job).edits_arrived(list(edits[name]))
        return answer

    def _complete(self, job: Job) -> bool:
        """Compare a mirror that has everything with its home; write the seal if they are the same."""
        mirror, name = self._mirror(job), _name(job)
        compared: set[str] = set()
        while name not in self._verified and (hashes := mirror.hashes(_VERIFY_BYTES, compared)):
            answer = self._ask(job, {"op": "verify", "run": name, "hashes": hashes})
            # What is only here was made here: by a client that logs to the run or uploads to it.
            if set(answer["differing"]) - set(answer["gone"]) and mirror.verified_again() < _VERIFY_ROUNDS:
                return False  # the next look brings them anew
            compared.update(hashes)
        self._verified.add(name)
        if not job.arrived():
            return False
        mirror.finish(self._ask(job, {"op": "final", "run": name})["final"])
        self._verified.discard(name)
        return True

    def _mirror(self, job: Job) -> Mirror:
        if job.directory not in self._mirrors:
            self._mirrors[job.directory] = Mirror(job.directory)
        return self._mirrors[job.directory]

    def _first(self, job: Job, mirror: Mirror) -> dict[str, Any]:
        """What a relay must be told of a run it is asked about for the first time."""
        if _name(job) in self._told:
            return {}
        return {"have": mirror.have(), "have_edits": mirror.edit_names()}

    # -- the connection ----------------------------------------------------------------------------------------------

    def _ask(
        self, job: Job, request: dict[str, Any], on_frame: Callable[[dict[str, Any], bytes], None] | None = None
    ) -> dict[str, Any]:
        link = self._connected(job)
        try:
            return link.ask(request, on_frame)
        except BackendUnavailable as error:
            # Cut, or what came could not be kept: either way the rest of this answer is lost.
            self._drop(error)
            raise

    def _send(self, job: Job, parts: Iterator[tuple[dict[str, Any], bytes]]) -> None:
        link = self._connected(job)
        try:
            link.send(parts)
        except (BackendUnavailable, OSError) as error:
            self._drop(error)
            raise

    def _connected(self, job: Job) -> RelayLink:
        if self._link is not None:
            return self._link
        if self._clock() < self._retry_at:
            raise BackendUnavailable(self._last_error)
        try:
            self._link = RelayLink(self._target, self._cache, job.run_side)
        except AmlnbError as error:
            self._drop(error)
            raise
        self._pause_s = _FIRST_PAUSE_S
        self._told.clear()
        for mirror in self._mirrors.values():
            mirror.begin()
        return self._link

    def _drop(self, error: Exception) -> None:
        """Give a connection up; the next one is tried after a pause that grows."""
        self.close()
        self._last_error = str(error)
        self._retry_at = self._clock() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)


def _name(job: Job) -> str:
    """Name of the run's home below ``runs/``: that of its directory here."""
    return os.path.basename(job.directory)


@contextmanager
def _passing() -> Iterator[None]:
    """Of a run that was started, nothing that is wrong with the connection is the end."""
    try:
        yield
    except ComputeTargetException as error:
        raise BackendUnavailable(error.message, hint=error.hint) from error


def _object_frames(objects: str, missing: Sequence[str]) -> Iterator[tuple[dict[str, Any], bytes]]:
    for sha in missing:
        with open(os.path.join(objects, object_path(sha)), "rb") as file:
            at, last = 0, False
            while not last:
                data = file.read(_CHUNK)
                last = len(data) < _CHUNK
                yield {"op": "put", "sha": sha, "at": at, "last": last}, data
                at += len(data)
