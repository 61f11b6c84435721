"""A process that builds an environment, as those see it who started it: its log, how far it is, how it ended."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Mapping
from typing import Any

from amlnb import host
from amlnb.core import identity
from amlnb.engine.result_keys import KEY_VARIABLE
from amlnb.environments.prefixes import BUILDS
from amlnb.errors import EnvironmentBuildException
from amlnb.store.plain_files import read_json

_GRACE_S = 5.0
_IDENTITY = ".pid"


class BuilderProcess:
    """A builder process; `start` may be called again after it ended.

    Parameters
    ----------
    cache
        The host-local cache.
    key
        The request's key.

    Attributes
    ----------
    log
        Path of its log, for as long as `close` is not called.
    """

    def __init__(self, cache: str, key: str) -> None:
        self._cache = cache
        folder = os.path.join(cache, BUILDS)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        base = os.path.join(folder, f"{key}-{os.urandom(4).hex()}")
        self.log, self._status_path, self._temporary = base + ".log", base + ".json", base + ".tmp"
        self._identity_path, self._key = base + _IDENTITY, key
        self._process: subprocess.Popen[bytes] | None = None
        self._asked_to_end_at = 0.0

    def start(self, order: Mapping[str, Any], builder: str, environ: Mapping[str, str]) -> int:
        """Start it and return its pid; it is in a session of its own, and outlives whoever started it.

        Parameters
        ----------
        order
            What to build (`amlnb.environments.requests.Order.to_dict`).
        builder
            The Python that runs it, one that has amlnb.
        environ
            The person's environment variables.

        Raises
        ------
        EnvironmentBuildException
            The Python that is to run it is gone.
        OSError
            It cannot be started.
        """
        if not os.path.exists(builder):
            raise EnvironmentBuildException(
                f"the Python {builder!r}, which was to build the environment, is gone",
                hint="submit again from an environment that is there, with amlnb installed",
            )
        kept = {name: value for name, value in environ.items() if name != KEY_VARIABLE}
        # -P: a module of the working directory must not stand in for one of ours.
        command = [builder, "-P", "-m", "amlnb.environments", self._status_path]
        # What a killed one leaves there goes with the rest.
        os.makedirs(self._temporary, mode=0o700, exist_ok=True)
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**kept, "AMLNB_CACHE_DIR": self._cache, "TMPDIR": self._temporary},
                cwd="/",
                start_new_session=True,
            )
        stdin = self._process.stdin
        with contextlib.suppress(BrokenPipeError):
            if stdin is not None:
                stdin.write(json.dumps(order).encode("ascii"))
                stdin.close()
        told = {"builder": host.process_identity(self._process.pid), "owner": host.this_process(), "key": self._key}
        with open(self._identity_path, "w", encoding="ascii") as file:
            json.dump(told, file)
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Tell whether it was started and has not ended."""
        return self._process is not None

    def status(self) -> dict[str, Any]:
        """How far it is, as it last said: ``text``, ``done`` and ``total``, each only where it is known."""
        return read_json(self._status_path) or {}

    def end(self) -> None:
        """Ask it to end, all that it started too; called again, after some seconds, make it."""
        if self._process is None:
            return
        now = time.monotonic()
        first = not self._asked_to_end_at
        self._asked_to_end_at = self._asked_to_end_at or now
        if first or now - self._asked_to_end_at > _GRACE_S:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM if first else signal.SIGKILL)

    def ended(self) -> dict[str, str] | None:
        """Return how it ended, once it has: {} for well, else code, message and hint; None as long as it runs.

        An error without ``code`` says that it was killed before it could say anything.
        """
        process = self._process
        if process is None or os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        # Before its pid may be another's: what a killed one left (uv, a compiler) goes too.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        self._process, self._asked_to_end_at = None, 0.0
        error = self.status().get("error")
        if code == 0:
            return {}
        if isinstance(error, dict) and isinstance(error.get("message"), str):
            return {str(name): str(value) for name, value in error.items()}
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        return {"message": f"the process that built the environment ended by {how}", "hint": _hint_of(code)}

    def close(self) -> None:
        """Remove its log, its status and its temporary files."""
        shutil.rmtree(self._temporary, ignore_errors=True)
        for path in (self.log, self._status_path, self._identity_path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def end_orphans(cache: str, wanted: Collection[str]) -> None:
    """Ask the builders to end whose starter was killed, and whose environment nobody waits for.

    Parameters
    ----------
    cache
        The host-local cache.
    wanted
        Keys of the requests that somebody waits for.
    """
    for path in glob.glob(os.path.join(glob.escape(os.path.join(cache, BUILDS)), "*" + _IDENTITY)):
        told = read_json(path) or {}
        if told.get("key") in wanted or host.liveness(told.get("owner")) != identity.DEAD:
            continue
        if host.liveness(told.get("builder")) == identity.ALIVE:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(told["builder"]["pid"], signal.SIGTERM)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def _hint_of(code: int) -> str:
    if code == -signal.SIGKILL:
        return "was the memory used up? Submit again, with less at the same time"
    if code in {-signal.SIGTERM, 128 + signal.SIGTERM}:
        return "something ended it from outside, as a machine that shuts down does; submit again"
    return "the end of the build log may say why; submit again"
