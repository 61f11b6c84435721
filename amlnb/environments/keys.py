"""Under which key a request is known: the same for the same text, platform and Python, on every machine."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator
from urllib.parse import unquote

from amlnb.environments.builder import Interpreter
from amlnb.specs.environment_spec import EnvironmentSpec

# What a person calls it, and where it was written, does not change what it is; variables are set when a run starts.
_NOT_BUILT = ("name", "version", "origin", "variables", "notes", "news", "document")
# The order of these says nothing.
_SETS = ("pip", "constraints", "conda")
_PLAIN = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)((?: *[<>=!~]=?=? *[\w.*+!]+ *,?)*)\s*")
_SEPARATORS = re.compile(r"[-_.]+")
_EDITABLE = "-e "
_MARKER_OR_OPTION = re.compile(r"\s+;|;\s|\s--")
_LOCAL = re.compile(r"(?:^|@\s*)(file:(?://)?)?(/[^#]*)")
_EXTRAS = re.compile(r"\[[^\[\]/]*\]$")
# What a build of a project writes into it.
_OF_BUILDS = frozenset({"__pycache__", "build", "dist", "node_modules"})
_OF_A_BUILD = ".egg-info"
# All that counts of a project whose code is used where it lies.
_METADATA = ("pyproject.toml", "setup.cfg", "setup.py")


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
    asked.update({name: sorted(map(_plain, asked[name])) for name in _SETS if name in asked})
    if not spec.conda and not spec.use_conda:
        asked.pop("channels", None)  # v1 gives some to every environment
    local = [_state(each) for each in sorted({*spec.pip, *spec.constraints}) if "/" in each]
    told = [asked, interpreter.minor, platform_tag(), local]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:32]


def _plain(requirement: str) -> str:
    """A plain requirement as everybody would write it; all others as they are. By hand: 200 of them cost nothing."""
    found = _PLAIN.fullmatch(requirement)
    if found is None:
        return requirement
    name = _SEPARATORS.sub("-", found[1]).lower()
    return name + ",".join(sorted(found[2].replace(" ", "").split(",")))


def local_path(requirement: str) -> str | None:
    """Path of the file or folder of this machine that a requirement names; None if it names none."""
    text = _MARKER_OR_OPTION.split(requirement.removeprefix(_EDITABLE), maxsplit=1)[0].strip()
    found = _LOCAL.search(text)
    if found is None:
        return None
    path = _EXTRAS.sub("", found[2])
    return unquote(path) if found[1] else path


def _files_of(project: str) -> Iterator[str]:
    """Files of a project's folder, in order, without what is hidden or was built from them."""
    for top, folders, names in os.walk(project):
        folders[:] = sorted(
            each
            for each in folders
            if not each.startswith(".") and not each.endswith(_OF_A_BUILD) and each not in _OF_BUILDS
        )
        yield from filter(os.path.isfile, (os.path.join(top, name) for name in sorted(names)))


def content_of(project: str) -> str:
    """64 hex digits for the names and contents of a project's files."""
    found = hashlib.sha256()
    for path in _files_of(project):
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found.update(f"{os.path.relpath(path, project)!r} {digest}\n".encode("ascii", "backslashreplace"))
    return found.hexdigest()


def _state(requirement: str) -> object:
    """What tells one content of a requirement's file or folder from another: names, sizes and times."""
    path = local_path(requirement)
    if path is None:
        return None
    if not os.path.isdir(path):
        return _mark(path)
    if requirement.startswith(_EDITABLE):
        return [_mark(os.path.join(path, name)) for name in _METADATA]
    return [_mark(each) for each in _files_of(path)]


def _mark(path: str) -> tuple[str, int, int]:
    try:
        info = os.stat(path)
    except OSError:
        return path, -1, -1
    return path, info.st_size, info.st_mtime_ns
