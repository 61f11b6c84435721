"""The far end of the ssh back end: one process a connection, asked by frames on stdin, answering by frames on stdout.

It holds no state but what it has sent, so a connection may be cut at any time: the next one asks again. It starts
runners, which depend on it no more than on the connection, and it is what may say that a runner here is dead.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time

from amlnb import host
from amlnb.core import events, frames, identity, layout, replay, states
from amlnb.core.manifest import decode, object_path
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.runner import main as runner
from amlnb.runner import process_tree
from amlnb.runner.detach import detached
from amlnb.runner.relay_feed import Budget, RunFeed
from amlnb.store.edits import edited
from amlnb.tracking import context, create, seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

# Standing of a job, as poll answers (compute/backend.py).
WAITING, RUNNING, SEALED, LOST, NOT_STARTED, UNKNOWN = (
    "waiting", "running", "sealed", "lost", "not started", "unknown"
)  # fmt: skip
_ANSWER_BYTES = 8 << 20
_SMALLEST_SHARE = 1 << 18
_UNFINISHED_S = 86400.0
_KILL_ROUNDS = 100


class Relay:
    """Serves one connection.

    Parameters
    ----------
    root
        Where the homes of runs and their objects are on this host.
    run_side
        Folder this code came from, for the runs that are started.
    """

    def __init__(self, root: str, run_side: str) -> None:
        self._root = root
        self._run_side = run_side
        self._objects = os.path.join(root, layout.OBJECTS)
        self._runs = os.path.join(root, layout.RUNS)
        self._feeds: Dict[str, RunFeed] = {}
        self._started: Dict[str, Dict[str, Any]] = {}
        self._put_failed: Optional[str] = None
        for folder in (self._objects, self._runs):
            os.makedirs(folder, mode=0o700, exist_ok=True)
        _remove_old(os.path.join(self._objects, ".tmp"))

    def serve(self) -> None:
        """Greet, then answer until the connection closes."""
        facts = {"root": self._root, "hostname": os.uname().nodename, "python": list(sys.version_info[:3])}
        self._write(b"\n" + frames.GREETING + json.dumps(facts).encode("ascii") + b"\n")
        decoder = frames.Decoder()
        while True:
            data = os.read(0, 1 << 18)
            if not data:
                return
            for header, payload in decoder.feed(data):
                self._answer(header, payload)

    def _answer(self, header: Dict[str, Any], payload: bytes) -> None:
        operation = header.get("op")
        if operation == "put":  # many of them, and no answer to each
            self._put(header, payload)
            return
        try:
            result = getattr(self, "op_" + str(operation))(header)
        except AmlnbError as error:
            result = {"error": error.message, "hint": error.hint}
        except Exception as error:  # noqa: BLE001 - the boundary: the other end tells the user
            result = {"error": f"{type(error).__name__}: {error}"}
        self._write(frames.encode(dict(result, done=True)))

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(1, view) :]

    def _directory(self, name: object) -> str:
        if not isinstance(name, str) or "/" in name or name in ("", ".", ".."):
            raise UserErrorException(f"{name!r} is not the name of a run's directory")
        return os.path.join(self._runs, name)

    # -- staging -----------------------------------------------------------------------------------------------------

    def op_stage(self, header: Dict[str, Any]) -> Dict[str, Any]:
        """Make the run's home; tell which objects of its snapshot are missing."""
        record = header["record"]
        if not os.path.isdir(self._directory(header["run"])):
            try:
                made = create.create_run(self._runs, record)
            except UserErrorException:
                made = self._directory(header["run"])  # another connection was faster
            if os.path.basename(made) != header["run"]:
                raise UserErrorException(f"the record of {record.get('id')!r} does not belong to {header['run']!r}")
        return self.op_missing(header)

    def op_missing(self, header: Dict[str, Any]) -> Dict[str, Any]:
        """Tell which objects of a snapshot are missing here: the manifest alone, while that is not here."""
        if self._put_failed is not None:
            failed, self._put_failed = self._put_failed, None
            raise UserErrorException(failed)
        snapshot = header.get("snapshot")
        if snapshot is None:
            return {"missing": []}
        try:
            with open(os.path.join(self._objects, object_path(snapshot)), "rb") as file:
                manifest = decode(file.read(), snapshot)
        except FileNotFoundError:
            return {"missing": [snapshot]}
        sizes = {sha: size for sha, size, _ in manifest.files.values()}
        return {"missing": sorted(sha for sha, size in sizes.items() if self._size(sha) != size)}

    def _size(self, sha: str) -> Optional[int]:
        try:
            return os.stat(os.path.join(self._objects, object_path(sha))).st_size
        except OSError:
            return None

    def _put(self, header: Dict[str, Any], payload: bytes) -> None:
        """Keep a part of an object; what goes wrong is told by the next answer."""
        try:
            path = os.path.join(self._objects, object_path(header["sha"]))
            unfinished = f"{self._objects}/.tmp/relay-{os.getpid()}-{header['sha']}"
            os.makedirs(os.path.dirname(unfinished), exist_ok=True)
            with open(unfinished, "wb" if header["at"] == 0 else "ab") as file:
                file.write(payload)
            if not header.get("last"):
                return
            if _sha_of(unfinished) != header["sha"]:
                os.unlink(unfinished)
                raise OSError(f"object {header['sha']} was damaged on its way")
            os.chmod(unfinished, 0o444)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.rename(unfinished, path)
        except (OSError, AmlnbError) as error:
            self._put_failed = f"{self._objects!r} cannot take an object: {error}"

    # -- runs --------------------------------------------------------------------------------------------------------

    def op_start(self, header: Dict[str, Any]) -> Dict[str, Any]:
        """Start the run's runner; its own claim sees to it that there is only one."""
        told = {
            "directory": self._directory(header["run"]),
            "objects": self._objects,
            "attempt": header["attempt"],
            "environ": {**os.environ, "AMLNB_RESULT_KEY": header.get("result_key") or ""},
            "run_side": self._run_side,
            "workspace": header["workspace"],
        }
        pid = detached(lambda: runner.run(told))
        self._started[header["run"]] = host.process_identity(pid)
        return {"pid": pid}

    def op_poll(self, header: Dict[str, Any]) -> Dict[str, Any]:
        """Standing of each run, with a reason; a runner that is dead here is proved dead, and its run is sealed."""
        return {"standings": {name: self._standing(name, attempt) for name, attempt in header["runs"].items()}}

    def _standing(self, name: str, attempt: int) -> Tuple[str, Optional[str]]:
        directory = self._directory(name)
        if not os.path.isdir(directory):
            return LOST, f"its directory {directory!r} on {os.uname().nodename!r} is gone"
        alive = host.liveness(_runner(directory, attempt) or self._started.get(name))
        # The seal and the attempt are looked for after the liveness: a runner that came or ended meanwhile is seen.
        if os.path.exists(os.path.join(directory, layout.FINAL_JSON)):
            return SEALED, None
        keeper = _runner(directory, attempt)
        if keeper is None:
            return (WAITING if alive == identity.ALIVE else NOT_STARTED), None
        alive = host.liveness(keeper)
        if alive == identity.UNKNOWN:
            here = os.uname().nodename
            return UNKNOWN, f"its runner is on {keeper.get('hostname')!r}, of which {here!r} cannot tell"
        if alive == identity.DEAD:
            _record_death(directory, attempt)
            return SEALED, None
        return RUNNING, None

    def op_cancel(self, header: Dict[str, Any]) -> Dict[str, Any]:
        """Keep the edits that came along, and make the runner look at them now."""
        directory = self._directory(header["run"])
        self._feed(header).take_edits(header["edits"])
        keeper = _runner(directory, header["attempt"])
        if keeper is not None and host.liveness(keeper) == identity.ALIVE:
            os.kill(keeper["pid"], signal.SIGUSR1)
        return {}

    def op_look(self, header: Dict[str, Any]) -> Dict[str, Any]:
        """Take edits and send what is new of these runs; tell which of them have been sent to their end."""
        share = max(_SMALLEST_SHARE, _ANSWER_BYTES // max(len(header["runs"]), 1))
        complete, trouble, more = [], {}, False
        for asked in header["runs"]:
            budget = Budget(share)  # each its own: one run that prints without end holds up no other
            directory = self._directory(asked["run"])
            if not os.path.isdir(directory):
                continue
            try:
                feed = self._feed(asked)
                feed.take_edits(asked.get("edits", {}))
                if feed.look(budget):
                    complete.append(asked["run"])
            except BrokenPipeError:
                raise
            except OSError as error:  # what one run did to its files holds up no other
                trouble[asked["run"]] = f"its files on {os.uname().nodename!r} cannot be read: {error}"
            more |= budget.left <= 0
        return {"complete": complete, "trouble": trouble, "more": more}

    def op_verify(self, header: Dict[str, Any]) -> Dict[str, Any]:
        """Compare a mirror with its home: which files differ, and which are no more here."""
        differing = self._feed(header).differing(header["hashes"])
        return {"differing": differing, "gone": self._feed(header).missing_here(differing)}

    def op_final(self, header: Dict[str, Any]) -> Dict[str, Any]:
        """Return the run's seal."""
        with open(os.path.join(self._directory(header["run"]), layout.FINAL_JSON), encoding="utf-8") as file:
            return {"final": file.read()}

    def _feed(self, asked: Dict[str, Any]) -> RunFeed:
        name = asked["run"]
        if name not in self._feeds or "have" in asked:

            def send(header: Dict[str, Any], data: bytes) -> None:
                self._write(frames.encode(dict(header, run=name), data))

            self._feeds[name] = RunFeed(self._directory(name), asked.get("have", {}), asked.get("have_edits", []), send)
        return self._feeds[name]


def _runner(directory: str, attempt: int) -> Optional[Dict[str, Any]]:
    """Identity of an attempt's runner; None if there was none, {} if its file is damaged."""
    try:
        with open(os.path.join(directory, layout.ATTEMPTS, f"{attempt}.json"), encoding="utf-8") as file:
            value = json.load(file)
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _record_death(directory: str, attempt: int) -> None:
    """End what a dead runner left, and seal its run."""
    with open(os.path.join(directory, layout.RUN_JSON), encoding="utf-8") as file:
        run_id = json.load(file)["id"]
    for _ in range(_KILL_ROUNDS):
        left = process_tree.carrying(context.RUN_ID, run_id)
        if not left:
            break
        process_tree.send(left, signal.SIGKILL)
        time.sleep(0.01)
    told = edited(directory, {})
    lost = replay.runner_lost(told.cancel, told.cancel_error)
    seal.seal(directory, dict(lost, attempt=attempt, started=_started(directory)))


def _started(directory: str) -> Optional[float]:
    """When the user's process began, by the runner's own journal."""
    folder = os.path.join(directory, layout.JOURNALS)
    times: List[float] = []
    for name in os.listdir(folder):
        if name.startswith("runner-") and name.endswith(".events"):
            with open(os.path.join(folder, name), "rb") as file:
                for line in file:
                    event = events.decode(line) or {}
                    if event.get("phase") == states.RUNNING and isinstance(event.get("time"), float):
                        times.append(event["time"])
    return max(times) if times else None


def _remove_old(folder: str) -> None:
    """Remove unfinished objects that connections cut long ago left behind."""
    if not os.path.isdir(folder):
        return
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        try:
            if time.time() - os.stat(path).st_mtime > _UNFINISHED_S:
                os.unlink(path)
        except FileNotFoundError:
            continue  # it became an object, or another relay removed it


def _sha_of(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            digest.update(chunk)
    return digest.hexdigest()


def main(root: str, run_side: str) -> None:
    """Serve the connection this process was started for."""
    try:
        Relay(root, run_side).serve()
    except BrokenPipeError:
        pass  # the connection is gone
