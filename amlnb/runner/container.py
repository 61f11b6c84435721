"""A run inside a container: the engine's command line, and the end of a container whose client is gone."""

from __future__ import annotations

import hashlib
import os

from amlnb.core import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Tuple

    from amlnb.runner.launch import Launch

_SHM_SIZE = "2g"  # as v1 had it
_END_LIMIT_S = 60
_HIGHEST_SIGNAL = 64
# Variables that the client itself goes by; another value for the container has to stand in the command line.
_OF_THE_CLIENT = frozenset(
    [
        *("HOME", "PATH", "TMPDIR", "LD_AUDIT", "LD_DEBUG", "LD_LIBRARY_PATH", "LD_PRELOAD"),
        *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
        *("DOCKER_API_VERSION", "DOCKER_CERT_PATH", "DOCKER_CONFIG", "DOCKER_CONTENT_TRUST", "DOCKER_CONTEXT"),
        *("DOCKER_DEFAULT_PLATFORM", "DOCKER_HOST", "DOCKER_TLS", "DOCKER_TLS_VERIFY"),
        *("CONTAINER_CONNECTION", "CONTAINER_HOST", "CONTAINER_SSHKEY", "STORAGE_DRIVER", "STORAGE_OPTS"),
        *("CONTAINERS_CONF", "CONTAINERS_CONF_OVERRIDE", "CONTAINERS_REGISTRIES_CONF", "CONTAINERS_STORAGE_CONF"),
    ]
)


def name_of(launch: Launch) -> str:
    """Name of an attempt's container, known before it is made."""
    digest = hashlib.sha256(os.path.abspath(launch.directory).encode("utf-8", "surrogateescape")).hexdigest()
    return f"amlnb-{digest[:16]}-{launch.attempt}"


def argv(launch: Launch, work: str) -> List[str]:
    """Command line of the engine's client for the user's process.

    Values of variables do not stand in it but for those that the client itself goes by: they reach the container from
    the client's environment.

    Parameters
    ----------
    launch
        What the runner was told. Of ``built`` count: ``engine``, ``image``, ``interpreter``, and if they are there
        ``user`` (``root`` and ``keep-id`` for engines without root), ``gpus``, ``init``. Of the run's definition counts
        ``docker``: ``shm_size`` and ``arguments``.
    work
        The working directory.
    """
    built, asked = launch.built, launch.definition.get("docker") or {}
    command = [built["engine"], "run", "--rm", "--name", name_of(launch), "--pull", "never"]
    command += ["--init"] if built.get("init", True) else []
    # The client copies the streams to the log; the engine need not keep them too.
    command += ["--log-driver", "none", "--network", "host", "--shm-size", str(asked.get("shm_size") or _SHM_SIZE)]
    command += ["--security-opt", "label=disable", "--entrypoint", "", "--workdir", work, *_user(built.get("user"))]
    command += ["--gpus", "all"] if built.get("gpus") else []
    for path, read_only in _mounts(launch):
        fields = ["type=bind", f"source={path}", f"target={path}"] + ["readonly"] * read_only
        command += ["--mount", ",".join(_quoted(field) for field in fields)]
    variables = launch.environment()
    # Whoever has no name inside has no home either; and a signal is for all that the script started.
    for name, value in _for_everyone().items():
        command += ["-e", f"{name}={value}"] if name not in variables else []
    for name in sorted(variables):
        command += ["-e", f"{name}={variables[name]}" if name in _OF_THE_CLIENT else name]
    return [*command, *map(str, asked.get("arguments") or []), built["image"], *launch.command()]


def client_environment(launch: Launch) -> Dict[str, str]:
    """Environment of the engine's client: the person's, and the variables of the container."""
    variables = launch.environment()
    inside = {name: value for name, value in variables.items() if name not in _OF_THE_CLIENT}
    return dict(launch.environ, **inside)


def end(launch: Launch) -> None:
    """End the container, should it still be there; that its client was killed does not end it."""
    import subprocess

    try:
        subprocess.run(
            [launch.built["engine"], "rm", "--force", name_of(launch)],
            env=launch.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_END_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        pass  # an engine that does not answer; what carries the run's id in its environment is ended by that


def status_inside(status: Optional[int]) -> Optional[int]:
    """How the process inside ended, of how the client did: it tells a signal by an exit code above 128.

    Parameters
    ----------
    status
        As ``waitpid`` gives it.
    """
    if status is not None and os.WIFEXITED(status) and 128 < os.WEXITSTATUS(status) <= 128 + _HIGHEST_SIGNAL:
        return os.WEXITSTATUS(status) - 128
    return status


def _user(kind: Optional[str]) -> List[str]:
    """Whose the outputs will be: the caller's."""
    if kind == "root":  # who is root in there is the caller outside
        return ["--user", "0:0"]
    user = ["--user", f"{os.getuid()}:{os.getgid()}"]
    return ["--userns", "keep-id", *user] if kind == "keep-id" else user


def _mounts(launch: Launch) -> List[Tuple[str, bool]]:
    """Folders that the run sees under their own paths, and whether it may only read them."""
    directory = os.path.abspath(launch.directory)
    found = [(directory, False), (os.path.abspath(launch.run_side), True)]
    models = os.path.join(os.path.dirname(os.path.dirname(directory)), layout.MODELS)
    if os.path.isdir(models):
        found.append((models, True))
    linked = launch.definition.get("link_directory")
    if linked and os.path.isdir(linked):
        found.append((os.path.abspath(linked), False))
    return found


def _for_everyone() -> Dict[str, str]:
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return {"HOME": "/tmp", "USER": name, "LOGNAME": name, "TINI_KILL_PROCESS_GROUP": "1"}  # noqa: S108 - the container's


def _quoted(field: str) -> str:
    """A field of a mount, which the engine reads as CSV."""
    return '"{}"'.format(field.replace('"', '""')) if any(mark in field for mark in ',"\n') else field
