"""What is typed for an SSH target: the ssh command line, the scripts that run over there, and what its errors mean.

Everything here is a function from values to values.
"""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amlnb.errors import AmlnbError, BackendUnavailable, ComputeTargetException

DEFAULT_PYTHON = "python3"
# A Unix socket's path has at most 108 bytes, and ssh adds 17 while it makes one.
_LONGEST_SOCKET_PATH = 88
ABSENT = b"AMLNB-ABSENT"
OLD_PYTHON = b"AMLNB-OLD-PYTHON"
STAGED = b"AMLNB-STAGED"

_KEYS = {"kind", "host", "user", "port", "python", "root", "config_file", "options"}

# ssh's own -o options. The user's configuration and the target's options go before them, because ssh takes the first.
_OPTIONS = {
    "BatchMode": "yes",  # the courier has no terminal to ask on
    "ConnectTimeout": "10",
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    "ControlMaster": "auto",
    "ControlPersist": "600",
    "ForwardX11": "no",
    "RequestTTY": "no",
    "LogLevel": "ERROR",
}

_SERVE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from amlnb.runner import relay; relay.main(sys.argv[2], sys.argv[1])"
)

# Python 2 reads this, so that it can say that it is too old.
_UNPACK = """\
import os, shutil, sys
if sys.version_info < (3, 7):
    print("AMLNB-OLD-PYTHON " + sys.version.split()[0])
    sys.exit(0)
import tarfile
final = sys.argv[1]
new = "%s.new-%d" % (final, os.getpid())
os.makedirs(os.path.dirname(final), mode=0o700, exist_ok=True)
with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as tar:
    tar.extractall(new, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
try:
    os.rename(new, final)
except OSError:
    shutil.rmtree(new)
print("AMLNB-STAGED")
"""


@dataclass(frozen=True)
class SshTarget:
    """An SSH target's definition, checked.

    Attributes
    ----------
    host, user, port
        As ssh takes them; the host may be a name of the user's ssh configuration.
    python
        Interpreter at the far end (3.7 or newer), a name or a path; ``~/`` is the home directory there.
    root
        Where runs and objects are kept there; None is ``amlnb`` in the user data directory there.
    config_file
        ssh configuration instead of the user's own.
    options
        More ``-o`` options; they go before ours.
    """

    host: str
    user: str | None = None
    port: int | None = None
    python: str = DEFAULT_PYTHON
    root: str | None = None
    config_file: str | None = None
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, definition: Mapping[str, Any]) -> SshTarget:
        """Check a definition as read from ``targets/<name>.json``.

        Raises
        ------
        ComputeTargetException
            Something in it is missing, unknown or of the wrong type.
        """
        unknown = sorted(set(definition) - _KEYS)
        if unknown:
            raise ComputeTargetException(
                f"an SSH target has no {unknown[0]!r}", hint=f"it has: {', '.join(sorted(_KEYS))}"
            )
        host = definition.get("host")
        if not isinstance(host, str) or not _is_plain(host):
            raise ComputeTargetException(f"{host!r} is not the name or address of a host")
        texts: dict[str, str | None] = {}
        for name in ("user", "python", "root", "config_file"):
            value = definition.get(name)
            if value is not None and (not isinstance(value, str) or not value or "\n" in value or "\0" in value):
                raise ComputeTargetException(f"the {name!r} of the SSH target {host!r} is {value!r}, not a text")
            texts[name] = value
        if texts["user"] is not None and not _is_plain(texts["user"]):
            raise ComputeTargetException(f"{texts['user']!r} is not the name of a user")
        port = definition.get("port")
        if port is not None and (not isinstance(port, int) or not 0 < port < 65536):
            raise ComputeTargetException(f"the port of the SSH target {host!r} is {port!r}, not a number below 65536")
        options = definition.get("options") or {}
        if not isinstance(options, dict) or not all(isinstance(v, str | int) for v in options.values()):
            raise ComputeTargetException(
                f"the options of the SSH target {host!r} are {options!r}", hint='such as {"ProxyJump": "gateway"}'
            )
        return cls(
            host=host,
            user=texts["user"],
            port=port,
            python=texts["python"] or DEFAULT_PYTHON,
            root=texts["root"],
            config_file=texts["config_file"],
            options=tuple((str(name), str(value)) for name, value in options.items()),
        )

    @property
    def name(self) -> str:
        """The target as people write it: ``user@host:port``."""
        user = f"{self.user}@" if self.user else ""
        return f"{user}{self.host}" + (f":{self.port}" if self.port else "")


def _is_plain(text: str) -> bool:
    """Tell whether a text cannot be taken for an option or for two words."""
    return bool(text) and not text.startswith("-") and not any(c.isspace() or c == "\0" for c in text)


def control_path(target: SshTarget, cache: str, temporary: str = "/tmp") -> str:  # noqa: S108 - mode 700, checked
    """Path of the control socket that the connections to a target share; in ``cache`` where that is short enough."""
    key = hashlib.sha256(repr(target).encode()).hexdigest()[:12]
    path = f"{cache}/ssh/{key}"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    place = hashlib.sha256(os.fsencode(cache)).hexdigest()[:12]
    return f"{temporary}/amlnb-{os.getuid()}-{place}/{key}"


def ssh_arguments(target: SshTarget, socket: str) -> list[str]:
    """``ssh`` with everything but what to do there."""
    arguments = ["ssh"]
    if target.config_file is not None:
        arguments += ["-F", os.path.expanduser(target.config_file)]
    if target.port is not None:
        arguments += ["-p", str(target.port)]
    if target.user is not None:
        arguments += ["-l", target.user]
    for name, value in [*target.options, *_OPTIONS.items(), ("ControlPath", socket.replace("%", "%%"))]:
        arguments += ["-o", f"{name}={value}"]
    return arguments


def remote_command(target: SshTarget, script: str) -> list[str]:
    """What follows `ssh_arguments`: a script for the POSIX shell there, whatever the user's login shell is."""
    return ["--", target.host, "exec sh -c " + shlex.quote(script)]


def serve_script(target: SshTarget, version: str) -> str:
    """Script that becomes the relay, or prints `ABSENT` if our run side of this version is not there."""
    return (
        f"{_places(target, version)} "
        f'if [ -d "$D" ]; then exec "$P" -c {shlex.quote(_SERVE)} "$D" "$R"; else echo {ABSENT.decode()}; fi'
    )


def unpack_script(target: SshTarget, version: str) -> str:
    """Script that takes our run side as a tar on stdin; prints `STAGED`, or `OLD_PYTHON` and the version there."""
    return f'{_places(target, version)} exec "$P" -c {shlex.quote(_UNPACK)} "$D"'


def _places(target: SshTarget, version: str) -> str:
    """Shell assignments: R is the root, P the interpreter, D the run side."""
    root = _word(target.root) if target.root else '"${XDG_DATA_HOME:-$HOME/.local/share}"/amlnb'
    return f'R={root}; case "$R" in /*) ;; *) R="$HOME/$R";; esac; P={_word(target.python)}; D="$R/run-side/{version}";'


def _word(path: str) -> str:
    """Return a path as a shell word; ``~/`` is the home directory there."""
    return f'"$HOME"/{shlex.quote(path[2:])}' if path.startswith("~/") else shlex.quote(path)


def refusal(target: SshTarget, code: int | None, complaint: str) -> AmlnbError:
    """Return the error for an ssh that ended before it served.

    Parameters
    ----------
    target
        Where to.
    code
        ssh's exit code; 255 is ssh's own failure, anything else the far end's.
    complaint
        What it wrote to stderr.

    Returns
    -------
    AmlnbError
        BackendUnavailable for what may pass; ComputeTargetException for what somebody must mend.
    """
    said = " ".join(complaint.split()) or f"ssh ended with code {code}"
    where = target.name
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in complaint:
        return ComputeTargetException(
            f"{where} shows another host key than before: it is another machine, was reinstalled, or is being "
            f"impersonated ({_last_line(complaint)})",
            hint=f"if you know why, remove the old key with: ssh-keygen -R {target.host}",
        )
    if "Host key verification failed" in complaint or "host key is known" in complaint:
        return ComputeTargetException(
            f"the host key of {where} is not known here ({_last_line(complaint)})",
            hint=f"connect once in a terminal and check the key: ssh {target.host}",
        )
    if "Permission denied" in complaint and code == 255:
        return ComputeTargetException(
            f"{where} did not let us in: {_last_line(complaint)}",
            hint=f"'ssh {target.host} true' must work in a terminal without a question; ssh-agent may hold the key",
        )
    if "Bad configuration option" in complaint or "Can't open user config file" in complaint:
        return ComputeTargetException(
            f"ssh refused its configuration for {where}: {said}", hint="correct the target's definition"
        )
    if code in (126, 127):
        return ComputeTargetException(
            f"there is no Python at {target.python!r} on {where}: {_last_line(complaint)}",
            hint="give the target the path of a Python 3.7 or newer there ('python')",
        )
    if "Could not resolve hostname" in complaint:
        return BackendUnavailable(f"{where} is not found: {said}", hint="check the host's name and this network")
    if code == 255 or code is None or code < 0:
        return BackendUnavailable(f"{where} cannot be reached: {said}")
    return ComputeTargetException(
        f"the program that serves runs on {where} could not start (exit code {code}): {said}",
        hint="look at the disk space and at the Python there",
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
