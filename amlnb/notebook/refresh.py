"""The outputs of runs in a saved notebook, as the runs are now: for when the kernel that kept them is gone."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amlnb.api.run_outputs import RUN_MIME, Output, is_details, still_outputs
from amlnb.api.workspace import Workspace
from amlnb.core import states
from amlnb.engine import look as looking
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.live.run_tail import RunTail
from amlnb.notebook.saved_notebook import SavedOutput, find_outputs, replaced, with_data

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Refreshed:
    """What was done to a notebook.

    Attributes
    ----------
    refreshed
        How many outputs show something else than before.
    unchanged
        How many outputs of runs showed it already.
    going
        Ids of the runs that are still going: their outputs tell as of when they are.
    gone
        Ids of the runs that the workspace does not have (or that cannot be read): their outputs are as they were.
    """

    path: str
    refreshed: int
    unchanged: int
    going: tuple[str, ...]
    gone: tuple[str, ...]


def refresh(path: str, *, clock: Callable[[], float] = time.time) -> Refreshed:
    """Write the outputs of a notebook's runs anew, as the runs are now; everything else stays as it is, to the byte.

    Parameters
    ----------
    path
        The notebook; its runs are those of the workspace that its folder belongs to.
    clock
        Unix seconds.

    Raises
    ------
    UserErrorException
        It is no notebook, or somebody else has written to it meanwhile; or its folder has no workspace.
    OSError
        It cannot be read or written.
    """
    target = os.path.realpath(path)
    with open(target, "rb") as file:
        before = os.fstat(file.fileno())
        raw = file.read()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserErrorException(f"{path!r} is no notebook: it is not UTF-8 ({error})") from error
    runs = _Runs(os.path.dirname(target), clock)
    changes: list[tuple[SavedOutput, dict[str, Any]]] = []
    unchanged = 0
    for output, run_id, part in run_outputs(find_outputs(text, path)):
        bundle = runs.outputs(run_id)
        if bundle is None:
            continue
        new = with_data(output, bundle[part].data, bundle[part].metadata)
        if new == output.content:
            unchanged += 1
        else:
            changes.append((output, new))
    if changes:
        _write(target, replaced(text, changes).encode("utf-8"), before)
    return Refreshed(path, len(changes), unchanged, tuple(runs.going), tuple(runs.gone))


def run_outputs(outputs: list[SavedOutput]) -> list[tuple[SavedOutput, str, int]]:
    """Find the outputs of runs: each picture (0), and the tables (1) that follow it in the same cell."""
    found: list[tuple[SavedOutput, str, int]] = []
    pending: tuple[int, str] | None = None
    for output in outputs:
        data = output.content.get("data")
        told = data.get(RUN_MIME) if isinstance(data, dict) else None
        run_id = told.get("id") if isinstance(told, dict) else None
        if isinstance(run_id, str):
            found.append((output, run_id, 0))
            pending = output.cell, run_id
        elif pending is not None and pending[0] == output.cell and is_details(output.text("text/plain"), pending[1]):
            found.append((output, pending[1], 1))
            pending = None
    return found


class _Runs:
    """Outputs of the runs of one workspace, each made once."""

    def __init__(self, folder: str, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._workspace: Workspace | None = None
        self._made: dict[str, tuple[Output, Output] | None] = {}
        self.going: list[str] = []
        self.gone: list[str] = []

    def outputs(self, run_id: str) -> tuple[Output, Output] | None:
        if run_id not in self._made:
            self._made[run_id] = self._make(run_id)
        return self._made[run_id]

    def _make(self, run_id: str) -> tuple[Output, Output] | None:
        if self._workspace is None:
            self._workspace = Workspace.from_config(self._folder)
        directory = self._workspace.directory.find_run(run_id)
        try:
            tail = RunTail(directory) if directory is not None else None
        except AmlnbError:
            tail = None
        if tail is None:
            self.gone.append(run_id)
            return None
        looking.look(tail.reader)
        shown = still_outputs(tail, clock=self._clock)
        if not states.is_terminal(shown[0].data[RUN_MIME]["state"]):
            self.going.append(run_id)
        return shown


def _write(path: str, content: bytes, before: os.stat_result) -> None:
    """Replace a file by one with the same mode and owner, whole or not at all, unless it has changed since."""
    descriptor, new = tempfile.mkstemp(prefix=f".{os.path.basename(path)[:80]}-", dir=os.path.dirname(path))
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, before.st_mode & 0o7777)
            if (before.st_uid, before.st_gid) != (os.getuid(), os.getgid()):
                os.fchown(descriptor, before.st_uid, before.st_gid)
            file.flush()
            os.fsync(descriptor)
        now = os.stat(path)
        if (now.st_mtime_ns, now.st_ino, now.st_size) != (before.st_mtime_ns, before.st_ino, before.st_size):
            raise UserErrorException(
                f"{path!r} was written to meanwhile, and is left as it is",
                hint="close it where it is open, and try again",
            )
        os.replace(new, path)
    except BaseException:
        os.unlink(new)
        raise
