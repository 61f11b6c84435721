"""The runs of a workspace, for pages that want to know which of them change."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from amlnb.core import states
from amlnb.server.hub_topic import Topic
from amlnb.server.run_rows import run_row

if TYPE_CHECKING:
    from amlnb.server.contract import RunRow
    from amlnb.server.run_table import Listed
    from amlnb.server.served import Served

_WATCH_S = 1.0
_WATCH_LONGEST_S = 5.0
# Looking at a workspace takes no more than this share of the time, unless a look takes very long.
_WATCH_SHARE = 0.005
_REMOVED_KEPT = 10_000


class Changes(NamedTuple):
    """What is known of a workspace's runs at one moment, for readers in other threads.

    Attributes
    ----------
    version
        Counts the looks that found a change.
    listed
        The runs, by id.
    changed, removed
        Ids of runs and the version at which they changed or went, the latest last.
    running
        How many runs have not ended.
    """

    version: int
    listed: Mapping[str, Listed]
    changed: Mapping[str, int]
    removed: Mapping[str, int]
    running: int

    def after(self, listed: Mapping[str, Listed]) -> Changes:
        """What is known after another look; the same object if nothing has changed."""
        changed = [run for run, each in listed.items() if _differs(self.listed.get(run), each)]
        removed = [run for run in self.listed if run not in listed]
        if not changed and not removed:
            return self
        version = self.version + 1
        gone = list(_noted(self.removed, removed, changed, version).items())[-_REMOVED_KEPT:]
        running = sum(not states.is_terminal(each.summary.state) for each in listed.values())
        return Changes(version, listed, _noted(self.changed, changed, removed, version), dict(gone), running)

    def since(self, version: int) -> tuple[list[str], list[str]]:
        """Ids of the runs that have changed since a version, and of those that are gone since."""
        return _later(self.changed, version), _later(self.removed, version)

    def rows(self, runs: Iterable[str]) -> list[RunRow]:
        """Rows of runs."""
        now = time.time()
        return [run_row(self.listed[run].summary, now) for run in runs]


class WatchTopic(Topic):
    """The runs of a workspace: which of them have changed.

    Attributes
    ----------
    now
        What is known of them.
    """

    def __init__(self, served: Served, workspace: str) -> None:
        super().__init__()
        self._served = served
        self._workspace = workspace
        self._seen = -1
        self.now = Changes(0, {}, {}, {}, 0)

    def open(self) -> None:
        """Read the table of the runs."""
        self._look()

    def read(self, now: float) -> bool:
        """Bring the table up to date."""
        begun = time.thread_time()
        changed = self._look()
        self.due = now + min(_WATCH_LONGEST_S, max(_WATCH_S, (time.thread_time() - begun) / _WATCH_SHARE))
        return changed

    def touch(self) -> None:
        """Look at the next poll."""
        self.due = 0.0

    def _look(self) -> bool:
        table = self._served.table(self._workspace)
        listed = {each.summary.id: each for each in table.look()}
        if table.version == self._seen:
            return False
        self._seen = table.version
        before, self.now = self.now, self.now.after(listed)
        self.version = self.now.version
        return self.now is not before


def _differs(before: Listed | None, now: Listed) -> bool:
    return before is not now and (before is None or before.summary != now.summary)


def _noted(before: Mapping[str, int], runs: list[str], others: list[str], version: int) -> dict[str, int]:
    """Note runs at the end, and take others away."""
    found = dict(before)
    for run in (*runs, *others):
        found.pop(run, None)
    found.update(dict.fromkeys(runs, version))
    return found


def _later(where: Mapping[str, int], version: int) -> list[str]:
    found = []
    for run in reversed(list(where)):
        if where[run] <= version:
            break
        found.append(run)
    return found
