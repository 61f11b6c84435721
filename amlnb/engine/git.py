"""The git state of a source directory: what a run's code was, in the words of version control.

Git is asked by several commands at once with one deadline for all, because a submission must not wait for a slow disk
or a huge repository; what is not known by then is recorded as not determined. Nothing that the repository configures is
run: no hooks, pagers, file system monitors or external diff programs.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from amlnb.store.objects import ObjectStore

DIFF_MAX_BYTES = 4 * 1024 * 1024
_CUT = b"\n[the diff was cut here: it is longer than %d bytes]\n"

# Variables that point git at another repository than the one of the directory; left over from a hook, for instance.
_LOCATORS = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_EXTERNAL_DIFF", "GIT_TRACE",
)  # fmt: skip
_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-pager")
_COMMANDS = {
    "head": ("rev-parse", "--verify", "--quiet", "HEAD"),
    "branch": ("symbolic-ref", "--short", "--quiet", "HEAD"),
    "remote": ("config", "-z", "--get-regexp", r"^remote\..*\.url$"),
    "untracked": ("ls-files", "--others", "--exclude-standard", "--directory", "--no-empty-directory", "-z"),
    "diff": ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=dirty", "HEAD"),
}
# How much of each answer is read; enough to know, and no more than is kept.
_READ_BYTES = {"head": 1000, "branch": 4096, "remote": 1 << 16, "untracked": 1, "diff": DIFF_MAX_BYTES}


@dataclass(frozen=True, slots=True)
class GitState:
    """What is known of the repository a source directory is in; all None if it is in none.

    Attributes
    ----------
    repository_uri
        URL of the remote, without user names and passwords; None if there is no remote.
    branch
        Name of the branch; None on a detached HEAD.
    commit
        Full hash; None before the first commit.
    dirty
        True if the repository's files differ from the commit, or some below the directory are in no commit and not
        ignored.
    diff
        ``git diff HEAD``, at most `DIFF_MAX_BYTES` and a line that says so; None if nothing differs.
    build_id, build_uri
        Of the CI build, from AZUREML_GIT_BUILD_ID and AZUREML_GIT_BUILD_URI.
    not_determined
        Names of the attributes above that git did not tell in time; their values are None.
    """

    repository_uri: str | None = None
    branch: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    diff: bytes | None = None
    build_id: str | None = None
    build_uri: str | None = None
    not_determined: tuple[str, ...] = ()

    def record(self, objects: ObjectStore) -> dict[str, Any]:
        """Return ``git`` and ``git_diff`` of the run's record; the diff is kept in ``objects``."""
        facts: dict[str, Any] = {name: getattr(self, name) for name in ("repository_uri", "branch", "commit", "dirty")}
        if self.not_determined:
            facts["not_determined"] = list(self.not_determined)
        known = any(value is not None for value in facts.values())
        return {
            "git": facts if known else None,
            "git_diff": objects.put_bytes(self.diff) if self.diff is not None else None,
        }

    def properties(self) -> dict[str, str]:
        """Return the run's properties as v1 named them; what is not known has none."""
        values = {
            "azureml.git.repository_uri": self.repository_uri,
            "mlflow.source.git.repoURL": self.repository_uri,
            "azureml.git.branch": self.branch,
            "mlflow.source.git.branch": self.branch,
            "azureml.git.commit": self.commit,
            "mlflow.source.git.commit": self.commit,
            "azureml.git.dirty": None if self.dirty is None else str(self.dirty),
            "azureml.git.build_id": self.build_id,
            "azureml.git.build_uri": self.build_uri,
        }
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class NotDetermined:
    """There is a repository, but nothing of it is known.

    Attributes
    ----------
    reason
        Why, for the user.
    """

    reason: str

    def record(self, objects: ObjectStore) -> dict[str, Any]:
        """Return ``git`` and ``git_diff`` of the run's record."""
        return {"git": {"not_determined": self.reason}, "git_diff": None}

    def properties(self) -> dict[str, str]:
        """Return no properties: v1 omits what it does not know."""
        return {}


@dataclass(frozen=True, slots=True)
class _Answer:
    """Exit code (None if the deadline came first) and the beginning of the output."""

    code: int | None
    output: bytes
    error: str = ""


def read_git(
    directory: str | os.PathLike[str], budget_s: float = 0.2, environ: Mapping[str, str] | None = None
) -> GitState | NotDetermined:
    """Read the git state of a directory.

    Parameters
    ----------
    directory
        The source directory.
    budget_s
        Seconds after which git is killed and what it has not told is recorded as not determined.
    environ
        Environment variables; those of this process by default. As in v1, ``AZUREML_GIT_REPOSITORY_URI``, ``_BRANCH``,
        ``_COMMIT``, ``_DIRTY``, ``_BUILD_ID`` and ``_BUILD_URI`` go before what git says.

    Returns
    -------
    GitState or NotDetermined
        A state without values if the directory is in no repository; git is not started then.
    """
    environ = os.environ if environ is None else environ
    told = _told_by_variables(environ)
    source = os.path.realpath(directory)
    if not _in_repository(source):
        return told
    answers = _ask_all(source, environ, budget_s)
    state = _interpret(answers) if isinstance(answers, dict) else answers
    if isinstance(state, NotDetermined):
        return told if told != GitState() else state
    return _overridden(state, told)


def _in_repository(source: str) -> bool:
    while not os.path.lexists(os.path.join(source, ".git")):
        parent = os.path.dirname(source)
        if parent == source:
            return False
        source = parent
    return True


def _told_by_variables(environ: Mapping[str, str]) -> GitState:
    def told(name: str) -> str | None:
        return environ.get(f"AZUREML_GIT_{name}") or None

    uri, dirty = told("REPOSITORY_URI"), told("DIRTY")
    return GitState(
        repository_uri=None if uri is None else without_credentials(uri),
        branch=told("BRANCH"),
        commit=told("COMMIT"),
        dirty=None if dirty is None else dirty.strip().lower() in ("true", "1", "yes"),
        build_id=told("BUILD_ID"),
        build_uri=told("BUILD_URI"),
    )


def _overridden(state: GitState, told: GitState) -> GitState:
    names = ("repository_uri", "branch", "commit", "dirty", "build_id", "build_uri")
    values = {name: getattr(state if getattr(told, name) is None else told, name) for name in names}
    unknown = tuple(name for name in state.not_determined if values.get(name) is None)
    return GitState(diff=state.diff, not_determined=unknown, **values)


def without_credentials(uri: str) -> str:
    """Return a repository's URL without what lets one in.

    User name and password go, and so does a query, which may hold a token. The user of an ssh URL stays: it is part of
    the address.
    """
    if "://" not in uri:
        return re.sub(r"^([^/@:]+):[^@/]*@", r"\1@", uri)  # git@host:path has no password; user:secret@host:path has
    try:
        parts = urlsplit(uri)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return re.sub(r"//[^/]*@", "//", uri.partition("?")[0])
    host = parts.netloc.rpartition("@")[2].removesuffix(port) + port
    user = f"{parts.username}@" if parts.username and "ssh" in parts.scheme else ""
    return urlunsplit((parts.scheme, user + host, parts.path, "", ""))


def _ask_all(source: str, environ: Mapping[str, str], budget_s: float) -> dict[str, _Answer] | NotDetermined:
    """Run all commands at once; at the deadline kill those that have not ended."""
    deadline = time.monotonic() + budget_s
    variables = {name: value for name, value in environ.items() if name not in _LOCATORS}
    variables |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, arguments in _COMMANDS.items():
            running[name] = subprocess.Popen(
                ["git", *_SAFE, *arguments],
                cwd=source,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE if name == "head" else subprocess.DEVNULL,
                bufsize=0,
                process_group=0,
            )
        return _collect(running, deadline)
    except FileNotFoundError:
        return NotDetermined("git is not installed, or not on PATH")
    except OSError as error:
        return NotDetermined(f"git could not be started: {error}")
    finally:
        for process in running.values():
            _end(process)


def _collect(running: dict[str, subprocess.Popen[bytes]], deadline: float) -> dict[str, _Answer]:
    outputs = {name: bytearray() for name in running}
    complaints = bytearray()
    with selectors.DefaultSelector() as selector:
        for name, process in running.items():
            for stream, output, enough in (
                (process.stdout, outputs[name], _READ_BYTES[name]),
                (process.stderr, complaints, 4096),
            ):
                if stream is not None:
                    selector.register(stream, selectors.EVENT_READ, (output, enough))
        while selector.get_map() and (left := deadline - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                output, enough = key.data
                data = os.read(key.fd, min(1 << 16, enough + 1 - len(output)))
                output += data
                if not data or len(output) > enough:
                    selector.unregister(key.fileobj)
    answers = {}
    for name, process in running.items():
        enough = len(outputs[name]) > _READ_BYTES[name]
        try:
            code = 0 if enough else process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            code = None
        answers[name] = _Answer(code, bytes(outputs[name]), complaints.decode("utf-8", "replace").strip())
    return answers


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what still runs, with what it started, and do not wait for a process that hangs in its disk."""
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        threading.Thread(target=process.wait, name="amlnb-git-reaper", daemon=True).start()


def _interpret(answers: dict[str, _Answer]) -> GitState | NotDetermined:
    """Read what the commands answered."""
    head, branch, remote, untracked, diff = (answers[name] for name in _COMMANDS)
    if head.code == 128 or (head.code and head.error):  # not a repository, or one of another user's
        return NotDetermined(f"git refused: {head.error.splitlines()[0] if head.error else 'exit code 128'}")
    if all(answer.code is None for answer in answers.values()):
        return NotDetermined("git did not answer in time")
    unknown = {
        "repository_uri": remote.code is None,
        "branch": branch.code is None,
        "commit": head.code is None,
        "diff": diff.code != 0 and head.code != 1,
    }
    changed = True if diff.output else False if diff.code == 0 else None
    dirty: bool | None = None
    if changed or untracked.output or head.code == 1:  # 1: no commit yet, so nothing is in one
        dirty = True
    elif changed is False and untracked.code == 0:
        dirty = False
    unknown["dirty"] = dirty is None
    return GitState(
        repository_uri=_remote_uri(remote.output) if remote.code == 0 else None,
        branch=branch.output.decode("utf-8", "replace").strip() or None if branch.code == 0 else None,
        commit=head.output.decode("ascii", "replace").strip() or None if head.code == 0 else None,
        dirty=dirty,
        diff=_capped(diff.output) if diff.code == 0 and diff.output else None,
        not_determined=tuple(name for name, is_unknown in unknown.items() if is_unknown),
    )


def _remote_uri(listing: bytes) -> str | None:
    r"""Of the remotes (``name\\nurl\\0`` each), take origin, else the first one."""
    remotes: dict[str, str] = {}
    for entry in listing.decode("utf-8", "surrogateescape").split("\0"):
        name, separator, url = entry.partition("\n")
        if separator:
            remotes.setdefault(name, url)
    uri = remotes.get("remote.origin.url") or next(iter(remotes.values()), None)
    return None if uri is None else without_credentials(uri)


def _capped(diff: bytes) -> bytes:
    return diff if len(diff) <= DIFF_MAX_BYTES else diff[:DIFF_MAX_BYTES] + _CUT % DIFF_MAX_BYTES
