"""Where the pages of a workspace are served: by a Jupyter server that runs here, else by a studio, started when asked.

Every server of ours leaves a small file in the host-local cache while it lives; those of dead ones are passed over. No
address has a secret in it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from amlnb import host
from amlnb.core import coercion, identity
from amlnb.engine import children
from amlnb.store.known_workspaces import key_of
from amlnb.store.plain_files import read_json
from amlnb.tracking import context

if TYPE_CHECKING:
    import socket

PAGE = "amlnb/studio/"
LOOPBACK = "127.0.0.1"
_FOLDER = "servers"
_JUPYTER, _STUDIO = "jupyter-", "studio-"
# Below those that Linux (from 32768) and macOS (from 49152) give to outgoing connections: none of them is in the way.
_FIRST_PORT = 20000
_PORTS = 12000
_TRIED = 20
_LONGEST_LOG_BYTES = 1024 * 1024
# Most addresses are printed and never opened: until somebody connects, a studio is a Python that has loaded nothing.
_WAITS_S = 86_400
_WAITING = (
    "import os, select, sys\n"
    "if select.select([3], [], [], float(sys.argv[1]))[0]: os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)
# Studios that this process started; collected so that none stays a zombie.
_started: set[int] = set()


class Jupyter(NamedTuple):
    """A Jupyter server that serves the pages.

    Attributes
    ----------
    url
        Its base address, with a slash at its end.
    info_file
        The file of mode 600 in which Jupyter keeps the server's token; None if that was not told.
    """

    url: str
    info_file: str | None


def page_of(data: str, *, start: bool = True) -> str:
    """Address of the page of a workspace, without a slash at its end.

    Parameters
    ----------
    data
        The workspace's data directory.
    start
        Start a studio where no server serves it. A run starts none: it would end with the run.
    """
    jupyter = jupyter_of(data)
    base = _studio(data) if jupyter is None else jupyter.url
    if base is None and start and context.current() is None and os.path.isdir(data):
        with contextlib.suppress(OSError):  # a cache that cannot be written to, or no port: the address is the same
            base = _started_studio(data)
    return f"{base or f'http://{LOOPBACK}:{first_port(data)}/'}{PAGE}w/{key_of(data)}"


def run_page(workspace_page: str, run_id: str) -> str:
    """Address of a run's page, by that of its workspace."""
    return f"{workspace_page}/runs/{quote(run_id, safe='')}"


def experiment_page(workspace_page: str, name: str) -> str:
    """Address of an experiment's page, by that of its workspace."""
    return f"{workspace_page}/experiments/{quote(name, safe='')}"


def first_port(data: str) -> int:
    """The port of a workspace's studio, fixed by the path of its data; taken by somebody else, it is a next one."""
    return _FIRST_PORT + int(key_of(data), 16) % _PORTS


def studio_of(data: str) -> str | None:
    """Base address of the studio that serves a workspace now; None if there is none."""
    return _studio(data)


def jupyter_of(data: str) -> Jupyter | None:
    """The Jupyter server that serves a workspace now: that whose root it is below, else the newest."""
    place = os.path.realpath(data)

    def rank(record: dict[str, Any]) -> tuple[bool, float]:
        is_near = place.startswith(str(record.get("root", "")).rstrip("/") + "/")
        return is_near, float(record.get("time") or 0.0)

    best = max(_records(_JUPYTER), key=rank, default=None)
    return None if best is None else Jupyter(str(best["url"]), coercion.text(best.get("info_file")))


def announce_jupyter(url: str, root: str, info_file: str) -> str:
    """Tell that this process is a Jupyter server that serves the pages; returns what `withdraw` takes."""
    more = {"root": os.path.realpath(root), "info_file": os.path.abspath(info_file)}
    return _announce(f"{_JUPYTER}{os.getpid()}", url, os.getpid(), **more)


def announce_studio(data: str, url: str, pid: int) -> str:
    """Tell that a process serves the pages of a workspace; returns what `withdraw` takes."""
    return _announce(f"{_STUDIO}{key_of(data)}", url, pid)


def withdraw(path: str) -> None:
    """Take back what this process announced."""
    if (read_json(path) or {}).get("process", {}).get("pid") == os.getpid():
        with contextlib.suppress(OSError):
            os.unlink(path)


def listening(data: str, port: int | None = None) -> socket.socket:
    """A socket that listens on loopback for the studio of a workspace: on its port, or one near it that is free.

    Parameters
    ----------
    port
        This one and no other.

    Raises
    ------
    OSError
        It is not free.
    """
    import socket  # two milliseconds that a submission need not pay

    first = first_port(data)
    ports = [port] if port is not None else [*range(first, first + _TRIED), 0]
    for each in ports:
        found = socket.socket()
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind((LOOPBACK, each))
            found.listen(128)
        except OSError as error:
            found.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES) or each == ports[-1]:
                raise
        else:
            return found
    raise OSError(errno.EADDRINUSE, "no port is free")


def _studio(data: str) -> str | None:
    return next((str(record["url"]) for record in _records(f"{_STUDIO}{key_of(data)}")), None)


def _records(beginning: str) -> Iterator[dict[str, Any]]:
    """What servers that live have announced; of dead ones nothing stays."""
    try:
        folder = _folder()
        names = [name for name in os.listdir(folder) if name.startswith(beginning) and name.endswith(".json")]
    except OSError:
        return
    for name in sorted(names):
        path = os.path.join(folder, name)
        record = read_json(path) or {}
        process = record.get("process")
        alive = host.liveness(process) if isinstance(process, dict) else identity.DEAD
        if alive == identity.ALIVE and isinstance(record.get("url"), str):
            yield record
        elif alive == identity.DEAD:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _announce(name: str, url: str, pid: int, **more: str) -> str:
    path = os.path.join(_folder(), f"{name}.json")
    record = {"url": url, "process": host.process_identity(pid), "time": time.time(), **more}
    host.replace_file(path, json.dumps(record).encode("ascii"), 0o600)
    return path


def _started_studio(data: str) -> str:
    """Start a studio, detached, with a socket that listens already; of several who ask at once one does."""
    _started.difference_update(children.ended(_started))
    with open(os.path.join(_folder(), f"{_STUDIO}{key_of(data)}.lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = _studio(data)
        if found is not None:
            return found
        with listening(data) as listener:
            url = f"http://{LOOPBACK}:{listener.getsockname()[1]}/"
            announce_studio(data, url, _spawn(data, listener))
            return url


def _spawn(data: str, listener: socket.socket) -> int:
    cache = host.cache_dir()
    environ = {**context.without_run(os.environ), "AMLNB_CACHE_DIR": cache}
    log = os.path.join(cache, "studio.log")
    with contextlib.suppress(FileNotFoundError):
        if os.path.getsize(log) > _LONGEST_LOG_BYTES:
            os.replace(log, log + ".old")
    # A socket of a number that the actions below do not use.
    passed = fcntl.fcntl(listener.fileno(), fcntl.F_DUPFD_CLOEXEC, 10)
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, passed, 3),
    ]
    # -P: a module of the working directory must not stand in for one of ours.
    studio = ["-P", "-m", "amlnb.server.studio", os.path.abspath(data), "3"]
    command = [sys.executable, "-I", "-S", "-c", _WAITING, str(_WAITS_S), *studio]
    try:
        pid = os.posix_spawn(sys.executable, command, environ, file_actions=actions, setsid=True)
    finally:
        os.close(passed)
    _started.add(pid)
    return pid


def _folder() -> str:
    path = os.path.join(host.cache_dir(), _FOLDER)
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path
