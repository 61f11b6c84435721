"""Docker or Podman: whichever answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from amlnb.errors import EnvironmentBuildException

NAMES = ("docker", "podman")
VARIABLE = "AMLNB_CONTAINER_ENGINE"
_LIMIT_S = 60
_KEPT_LINES = 30
# Where podman looks for its init process.
_INIT_FOLDERS = (
    "/usr/libexec/podman",
    "/usr/local/libexec/podman",
    "/usr/local/lib/podman",
    "/usr/lib/podman",
    "/usr/bin",
)


@dataclass(frozen=True)
class Engine:
    """A container engine that answers.

    Attributes
    ----------
    path
        Of its client.
    name
        ``docker`` or ``podman``.
    version
        Of the engine.
    user
        Whose a container's files are to be: ``caller``; ``root`` where the caller is root inside; ``keep-id`` where a
        user namespace has to keep the caller's id.
    gpus
        It gives containers the GPUs of the machine.
    init
        It has an init process for containers, which passes signals on.
    environ
        Environment of its client.
    """

    path: str
    name: str
    version: str
    user: str
    gpus: bool
    init: bool
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)

    def ask(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a command that answers soon."""
        return _ask([self.path, *arguments], self.environ)

    def run(
        self,
        arguments: Sequence[str],
        line: Callable[[str], None],
        *,
        given: str = "",
        more: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """Run a command whose words are told as they come.

        Parameters
        ----------
        arguments
            What follows the client's name.
        line
            Called with every line of standard output and error.
        given
            Its standard input.
        more
            Variables over those of the person.

        Returns
        -------
        tuple
            The exit status, and the last lines.
        """
        with subprocess.Popen(
            [self.path, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**self.environ, **(more or {})},
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdin is not None  # noqa: S101 - it was asked for
            assert process.stdout is not None  # noqa: S101 - as above
            try:
                process.stdin.write(given)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it ended at once, and says why
            said: list[str] = []
            for each in process.stdout:
                text = each.rstrip("\n")
                line(text)
                said = [*said[-_KEPT_LINES:], text]
            return process.wait(), "\n".join(said).strip()


def find(environ: Mapping[str, str]) -> Engine:
    """Find an engine that answers.

    Parameters
    ----------
    environ
        The person's environment variables. ``AMLNB_CONTAINER_ENGINE`` names one engine, by its name or path; ``PATH``,
        and what the clients themselves go by, such as ``DOCKER_HOST``, count too.

    Raises
    ------
    EnvironmentBuildException
        None does; the message holds what each of them said.
    """
    named = environ.get(VARIABLE)
    told = []
    for name in [named] if named else NAMES:
        path = shutil.which(name, path=environ.get("PATH"))
        if path is None:
            told.append(f"{name}: there is no such program")
            continue
        found = _answer(path, environ)
        if isinstance(found, Engine):
            return found
        told.append(f"{name}: {found}")
    raise EnvironmentBuildException(
        "no container engine answers, and the environment is a container image:\n" + "\n".join(told),
        hint=f"install and start Docker or Podman (your user must be allowed to use it), or name one with {VARIABLE}",
    )


def _answer(path: str, environ: Mapping[str, str]) -> Engine | str:
    """The engine behind a client; or why there is none."""
    done = _ask([path, "info", "--format", "{{json .}}"], environ)
    words = done.stderr.strip() or done.stdout.strip()
    try:
        told: dict[str, Any] = json.loads(done.stdout) or {}
    except ValueError:
        return words or f"it ended with exit status {done.returncode}"
    if "host" in told:
        rootless = bool(told["host"].get("security", {}).get("rootless"))
        version = str(told.get("version", {}).get("Version", ""))
        init = any(os.path.exists(os.path.join(folder, "catatonit")) for folder in _INIT_FOLDERS)
        return Engine(path, "podman", version, "keep-id" if rootless else "caller", False, init, environ)
    if done.returncode or not told.get("ServerVersion"):
        return "; ".join(told.get("ServerErrors") or []) or words or "it says nothing"
    rootless = any("rootless" in each for each in told.get("SecurityOptions") or [])
    gpus = "nvidia" in (told.get("Runtimes") or {})
    return Engine(path, "docker", str(told["ServerVersion"]), "root" if rootless else "caller", gpus, True, environ)


def _ask(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"it did not answer within {_LIMIT_S} s")
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", error.strerror or os.strerror(error.errno or 0))
