"""The ticket queue of this host: what was submitted here and has not ended yet, first in, first out.

A ticket is one file, mode 600 because it holds the submitter's environment variables. It stays until its run has
ended and is complete here; all else is in the run directory, so the courier needs no state of its own.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from amlnb import host
from amlnb.core import layout

_FOLDER = "queue"
_COUNTER = "counter"


@dataclass(frozen=True)
class Ticket:
    """A run that waits for the courier or is watched by it.

    Attributes
    ----------
    directory, data
        The run directory and the workspace's data directory.
    target, definition
        Name of the compute target, and its definition when the run was submitted.
    snapshot
        Id of the run's snapshot.
    environ
        Environment of the submitter, without what ties it to a run.
    environment
        The order for its environment (`amlnb.environments.requests.Order`), and under ``builder`` the Python that
        builds it; None for the Python that its definition names.
    """

    run_id: str
    directory: str
    data: str
    target: str
    definition: Mapping[str, Any]
    snapshot: str | None
    workspace: Mapping[str, str]
    environ: Mapping[str, str] = field(repr=False, default_factory=dict)
    environment: Mapping[str, Any] | None = field(repr=False, default=None)


def submitter() -> dict[str, Any]:
    """Return what a submission record says of its submitter: its process, and whose queue it puts the ticket into."""
    return {**host.this_process(), **_owner()}


def is_ours(submitter: object) -> bool:
    """Tell whether a submitter's tickets would be in the queue that this process sees."""
    return isinstance(submitter, dict) and all(submitter.get(key) == value for key, value in _owner().items())


def _owner() -> dict[str, Any]:
    return {"uid": os.getuid(), "queue": os.path.realpath(_folder())}


def add(ticket: Ticket) -> str:
    """Queue a ticket behind all others and return its name."""
    folder = _folder()
    counter = os.open(os.path.join(folder, _COUNTER), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(counter, fcntl.LOCK_EX)
        text = os.pread(counter, 32, 0)
        # A counter that was lost goes on behind the tickets that are there.
        number = 1 + max([int(text) if text.strip().isdigit() else 0, *(_number(name) for name in names())])
        os.pwrite(counter, b"%d\n" % number, 0)
        name = f"{number:012d}-{layout.short_hash(ticket.run_id)}.json"
        path = os.path.join(folder, name)
        fd = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            json.dump(asdict(ticket), file)
        os.rename(path + ".new", path)
    finally:
        os.close(counter)
    return name


def names() -> list[str]:
    """Names of the tickets, in their order."""
    return sorted(name for name in os.listdir(_folder()) if name.endswith(".json"))


def holds(run_id: str) -> bool:
    """Tell whether a run has a ticket on this host."""
    ending = f"-{layout.short_hash(run_id)}.json"
    return any(name.endswith(ending) for name in names())


def read(name: str) -> Ticket | None:
    """Read a ticket; None if it is gone or damaged."""
    try:
        with open(os.path.join(_folder(), name), encoding="ascii") as file:
            ticket = Ticket(**json.load(file))
    except (OSError, ValueError, TypeError):
        return None
    texts = (ticket.run_id, ticket.directory, ticket.data, ticket.target)
    mappings = (ticket.definition, ticket.workspace, ticket.environ, ticket.environment or {})
    whole = all(isinstance(text, str) for text in texts) and all(isinstance(each, dict) for each in mappings)
    return ticket if whole and isinstance(ticket.definition.get("kind"), str) else None


def remove(name: str) -> None:
    """Remove a ticket for good."""
    try:
        os.unlink(os.path.join(_folder(), name))
    except FileNotFoundError:
        return


def _folder() -> str:
    path = os.path.join(host.cache_dir(), _FOLDER)
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path


def _number(name: str) -> int:
    head = name.partition("-")[0]
    return int(head) if head.isdigit() else 0
