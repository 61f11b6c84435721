"""Under which key a request is known: the same for the same text, platform and Python, on every machine."""

from __future__ import annotations

import hashlib
import json
import os
import platform

from amlnb.environments.builder import Interpreter
from amlnb.specs.environment_spec import EnvironmentSpec

# What a person calls it, and where it was written, does not change what it is; variables are set when a run starts.
_NOT_BUILT = ("name", "version", "origin", "variables", "notes")


def platform_tag() -> str:
    """Kernel, machine and C library, such as ``linux-x86_64`` (``linux-x86_64-musl``)."""
    libc = "" if platform.system() != "Linux" or platform.libc_ver()[0] == "glibc" else "-musl"
    return f"{platform.system().lower()}-{platform.machine()}{libc}"


def request_key(spec: EnvironmentSpec, interpreter: Interpreter) -> str:
    """32 hex digits for what was asked for.

    Parameters
    ----------
    spec
        The request. The content of files and folders that it names counts too.
    interpreter
        The Python that was chosen for it; its minor version counts.
    """
    asked = {name: value for name, value in spec.to_dict().items() if name not in _NOT_BUILT}
    local = [_state(part) for requirement in (*spec.pip, *spec.constraints) for part in _local_paths(requirement)]
    told = [asked, interpreter.minor, platform_tag(), local]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def _local_paths(requirement: str) -> list[str]:
    """Paths of this machine that a requirement names."""
    if "/" not in requirement:
        return []
    parts = (part.strip("'\"") for part in requirement.replace("file://", " ").split())
    return [part.partition("[")[0] for part in parts if part.startswith("/")]


def _state(path: str) -> object:
    """What tells one content of a file or folder from another: names, sizes and times."""
    if not os.path.isdir(path):
        return _mark(path)
    found = []
    for top, folders, names in os.walk(path):
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each not in _OF_BUILDS)
        found += [_mark(os.path.join(top, name)) for name in sorted(names)]
    return found


_OF_BUILDS = frozenset({"__pycache__", "build", "dist", "node_modules"})


def _mark(path: str) -> tuple[str, int, int]:
    try:
        info = os.stat(path)
    except OSError:
        return path, -1, -1
    return path, info.st_size, info.st_mtime_ns
