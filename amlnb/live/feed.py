"""A run followed for pages: its curves, its facts and how far it is, read as they come."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from amlnb.core import layout
from amlnb.errors import UserErrorException
from amlnb.live.curves import Curves
from amlnb.live.log_tail import LogTail
from amlnb.live.progress import run_progress
from amlnb.store.run_reader import RunReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from amlnb.core.replay import RunFacts
    from amlnb.specs.run_view import Progress

_LIVENESS_S = 1.0
_BAR_LINES = 5


class RunFeed:
    """A run directory that one thread follows, for others to read.

    Parameters
    ----------
    directory
        The run directory, a home or a mirror.
    clock
        Monotonic seconds.

    Attributes
    ----------
    curves
        The numeric metrics.
    facts, progress
        What else the files tell.
    version
        Changes whenever facts or progress do.
    replaced
        A file of the run is another one by now: what was read may not be so any more, and only a new feed tells.

    Raises
    ------
    UserErrorException
        There is no run in that directory.
    FormatError
        Its record is damaged, or of a newer format.
    """

    def __init__(self, directory: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.directory = directory
        self._clock = clock
        self.reader = RunReader(directory, clock)
        self.curves = Curves()
        self.version = 0
        self.replaced = False
        self._record = self._record_mark()
        self._folders = [os.path.join(directory, name) for name in ("", layout.JOURNALS, layout.EDITS)]
        self._marks = self._read_marks()
        self._log = LogTail(os.path.join(directory, layout.USER_LOG), _BAR_LINES)
        self.reader.refresh()
        self._log.poll()
        self.curves.take(self.reader.writers)
        self.facts: RunFacts = self.reader.facts()
        self.progress: Progress | None = None
        self._states = 0
        self._progress: list[dict[str, Any] | None] = []
        self._looked = 0.0
        self._fold()

    @property
    def sealed(self) -> bool:
        """Nothing will change any more but its edits."""
        return self.reader.final is not None

    def look(self, *, around: bool = True) -> bool:
        """Read what known files have more than before, by two system calls a writer; True if there is anything.

        With ``around``, by three more, what else may be new is read if a folder of the run has changed.
        """
        if around and self._read_marks() != self._marks:
            return self.refresh()
        if not self.reader.read_on():
            return self._is_replaced()
        grown = self.curves.take(self.reader.writers)
        if self._count_states() != self._states:
            return self.refresh() or grown
        return True

    def refresh(self) -> bool:
        """Read everything that is new, wherever it is; True if there is anything.

        Raises
        ------
        UserErrorException
            The run is gone.
        """
        marks = self._read_marks()
        grown = self.reader.refresh()
        if self.sealed:
            grown |= self.reader.read_on()  # a mirror may be sealed before all of it has come
        self._marks = marks
        if self._is_replaced() or self._record_mark() != self._record:
            self.replaced = True
            return True
        if grown:
            self.curves.take(self.reader.writers)
        logged = not self.sealed and self._log.poll()
        if (
            grown
            or logged
            or self._told_progress() != self._progress
            or (not self.sealed and self._clock() - self._looked >= _LIVENESS_S)
        ):
            return self._fold() or grown
        return False

    def _fold(self) -> bool:
        """Fold what the files tell; True if it is anything new."""
        facts, self._looked = self.reader.facts(), self._clock()
        self.curves.take(self.reader.writers)  # of a dead run everything was read once more
        progress = run_progress(facts, self.reader.writers, self._log.lines)
        changed = progress != self.progress or any(
            getattr(facts, name) != getattr(self.facts, name) for name in facts.__slots__
        )
        self.facts, self.progress, self._states = facts, progress, self._count_states()
        self._progress = self._told_progress()
        self.version += changed
        return changed

    def _is_replaced(self) -> bool:
        self.replaced |= any(writer.replaced for writer in self.reader.writers)
        return self.replaced

    def _count_states(self) -> int:
        return sum(len(writer.states) for writer in self.reader.writers)

    def _told_progress(self) -> list[dict[str, Any] | None]:
        """What scripts have told; looked at by `refresh` alone, as some tell it at every step."""
        return [writer.progress for writer in self.reader.writers]

    def _read_marks(self) -> list[int]:
        """When a name was last added to the folders of the run."""
        return [_changed(folder) for folder in self._folders]

    def _record_mark(self) -> tuple[int, int]:
        """Tells the run's record, which never changes, from another one."""
        try:
            told = os.stat(os.path.join(self.directory, layout.RUN_JSON))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UserErrorException(
                f"the run in {self.directory!r} is gone", hint="it was deleted, or its workspace was moved"
            ) from error
        return told.st_ino, told.st_mtime_ns


def _changed(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0
