"""Checks of what amlnb stands on: each says what it found and what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from amlnb import host, overwritten
from amlnb.compute.ssh_command import SshTarget
from amlnb.core import layout
from amlnb.engine import queue, targets
from amlnb.engine.courier.wake import LOCK, LOG
from amlnb.errors import AmlnbError
from amlnb.store.run_record import read_record
from amlnb.store.workspace_dir import WorkspaceDirectory
from amlnb.version import __version__

OK, WARNING, FAULT = "ok", "warning", "fault"
_LITTLE_BYTES = 1 << 30
_LOG_LINES = 5
_LOG_BYTES = 16384
_NAMED_AT_MOST = 5
_VERSION_S = 10.0
_OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes
    ----------
    status
        ``ok``; ``warning`` where something will not work as it could; ``fault`` where runs cannot work.
    message
        What was found, with its values.
    hint
        What to do; None where there is nothing to do.
    details
        Lines that show it.
    """

    name: str
    status: str
    message: str
    hint: str | None = None
    details: tuple[str, ...] = ()


def examine(workspace: WorkspaceDirectory | AmlnbError | None) -> Iterator[Check]:
    """Yield the checks as they are made; nothing is started or changed.

    Parameters
    ----------
    workspace
        The workspace that was found, None if there is none, or why it cannot be opened.
    """
    yield _python()
    yield _azureml()
    cache = _cache()
    yield cache
    if cache.status != FAULT:
        yield _courier()
        yield _slots()
        yield _space("disk of the cache", host.cache_dir())
    yield _program("git", ["git", "--version"], "runs are kept without their commit and diff: install git")
    yield _program("ssh", ["ssh", "-V"], "compute targets of kind ssh need it: install openssh-client")
    if workspace is None:
        hint = "'amlnb submit' and '%%submit' make one in the folder they are used in"
        yield Check("workspace", WARNING, f"none in {os.getcwd()!r} or above it", hint)
    elif isinstance(workspace, AmlnbError):
        yield Check("workspace", FAULT, workspace.message, workspace.hint)
    else:
        yield _workspace(workspace)
        yield _runs(workspace)
        yield _targets(workspace)
        yield _space("disk of the workspace", workspace.path)


def _python() -> Check:
    message = f"amlnb {__version__}, Python {platform.python_version()}, {sys.executable}"
    if sys.version_info < _OLDEST_PYTHON:
        return Check("python", FAULT, message, "amlnb needs Python 3.11 or newer")
    return Check("python", OK, message)


def _azureml() -> Check:
    trouble = overwritten.trouble()
    if trouble is not None:
        return Check("azureml", FAULT, *trouble)
    return Check("azureml", OK, "the names of Azure ML's SDK v1 are amlnb's own")


def _cache() -> Check:
    try:
        path = host.cache_dir()
    except OSError as error:
        return Check("cache", FAULT, str(error), "set AMLNB_CACHE_DIR to a folder of your own on this host's disk")
    kind = host.file_system(path)
    mode = os.stat(path).st_mode & 0o777
    message = f"{path} ({kind or 'unknown file system'}, mode {mode:o})"
    if kind in host.NETWORK_FILE_SYSTEMS:
        hint = "set AMLNB_CACHE_DIR to a folder on a disk of this host: locks there do not hold between hosts"
        return Check("cache", WARNING, message, hint)
    if not os.access(path, os.W_OK | os.X_OK):
        return Check("cache", FAULT, f"{message} cannot be written", "make it writable, or set AMLNB_CACHE_DIR")
    return Check("cache", OK, message)


def _courier() -> Check:
    cache = host.cache_dir()
    waiting = len(queue.names())
    log = tuple(_last_lines(os.path.join(cache, LOG)))
    pid = _courier_pid(os.path.join(cache, LOCK))
    tickets = f"{waiting} run{'' if waiting == 1 else 's'} queued or watched"
    if pid is not None:
        return Check("courier", OK, f"at work, pid {pid}; {tickets}", details=log)
    if waiting:
        hint = "'amlnb run list' starts one; if it does not stay, its log says why"
        return Check("courier", WARNING, f"none is at work; {tickets}", hint, log)
    return Check("courier", OK, f"none is needed; {tickets}", details=log)


def _courier_pid(lock: str) -> int | None:
    """Pid of the process that holds the courier's lock, as it wrote it there."""
    try:
        with open(lock, encoding="ascii") as file:
            pid = int(file.read())
    except (OSError, ValueError):
        return None
    try:
        alive = "amlnb.engine.courier" in " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return None
    return pid if alive else None


def _last_lines(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return text.splitlines()[-_LOG_LINES:]


def _slots() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    path = os.path.join(host.cache_dir(), "slots")
    try:
        with open(path, encoding="ascii") as file:
            text = file.read().strip()
    except OSError:
        return Check("slots", OK, f"{cores} runs at once, one a core; write another number into {path} to change it")
    if not text.isdecimal() or int(text) < 1:
        hint = "write a number from 1 on into it, or remove it"
        return Check("slots", WARNING, f"{path} holds {text!r}, not a number; {cores} runs at once", hint)
    return Check("slots", OK, f"{text} runs at once, set in {path} ({cores} cores)")


def _program(name: str, command: list[str], hint: str) -> Check:
    if shutil.which(command[0]) is None:
        return Check(name, WARNING, "not found on PATH", hint)
    try:
        asked = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_VERSION_S, check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Check(name, WARNING, f"does not start: {error}", hint)
    told = (asked.stdout + asked.stderr).strip().splitlines()
    return Check(name, OK, told[0] if told else str(shutil.which(command[0])))


def _workspace(workspace: WorkspaceDirectory) -> Check:
    kind = host.file_system(workspace.path)
    message = f"{workspace.ids.workspace_name!r} in {workspace.path} ({kind or 'unknown file system'})"
    blocked = [
        path
        for path in (workspace.path, workspace.runs, workspace.objects)
        if os.path.exists(path) and not os.access(path, os.W_OK | os.X_OK)
    ]
    if blocked:
        hint = "nothing can be submitted here: make it writable, or set AMLNB_HOME to another place"
        return Check("workspace", FAULT, f"{message}: {blocked[0]} cannot be written", hint)
    return Check("workspace", OK, message)


def _runs(workspace: WorkspaceDirectory) -> Check:
    directories = workspace.run_directories()
    unreadable = []
    for directory in directories:
        try:
            read_record(directory)
        except (AmlnbError, OSError) as error:
            unreadable.append(error.message if isinstance(error, AmlnbError) else f"{directory}: {error.strerror}")
    message = f"{len(directories)} in format {layout.FORMAT}"
    if not unreadable:
        return Check("runs", OK, message)
    hint = "restore these run.json from a copy, upgrade amlnb where the format is newer, or remove those directories"
    more = [f"and {len(unreadable) - _NAMED_AT_MOST} more"] if len(unreadable) > _NAMED_AT_MOST else []
    details = (*unreadable[:_NAMED_AT_MOST], *more)
    return Check("runs", WARNING, f"{len(directories)}, of which {len(unreadable)} cannot be read", hint, details)


def _targets(workspace: WorkspaceDirectory) -> Check:
    names = targets.names(workspace.path)
    broken = []
    for name in names[1:]:
        try:
            definition = targets.read(workspace.path, name)
            if definition["kind"] == "ssh":
                SshTarget.parse(definition)
        except AmlnbError as error:
            broken.append(f"{name}: {error.message}")
    if broken:
        hint = "'amlnb target remove' and 'amlnb target add' make them anew"
        return Check("targets", WARNING, f"{len(broken)} cannot be used", hint, tuple(broken))
    return Check("targets", OK, ", ".join(names))


def _space(name: str, path: str) -> Check:
    try:
        usage = shutil.disk_usage(path)
        status = os.statvfs(path)
    except OSError as error:
        return Check(name, WARNING, f"{path}: {error.strerror}", "look at that folder")
    message = f"{usage.free / 1e9:.1f} GB of {usage.total / 1e9:.1f} GB free"
    if usage.free < _LITTLE_BYTES:
        return Check(name, WARNING, f"only {message}", "'amlnb gc --dry-run' tells what is not needed any more")
    if status.f_files and status.f_favail * 100 < status.f_files:
        message = f"only {status.f_favail:,} of {status.f_files:,} inodes free"
        return Check(name, WARNING, message, "'amlnb gc --dry-run' tells what is not needed any more")
    return Check(name, OK, message)
