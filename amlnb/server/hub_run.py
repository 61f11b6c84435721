"""A run that pages follow."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from amlnb.core import states
from amlnb.engine.look import look
from amlnb.live.feed import RunFeed
from amlnb.server.encoding import encoded
from amlnb.server.hub_topic import Topic
from amlnb.server.run_document import first_log, run_document
from amlnb.store.run_reader import RunReader

if TYPE_CHECKING:
    from amlnb.server.contract import LogFile, MetricSummary
    from amlnb.server.served import Served

_LOOK_S = 0.02
_LOOK_QUIET_S = 0.5
# What was quiet for a minute may wait for a second.
_QUIET_SHARE = 1 / 60
# The log, and the folders of the run, are no matter of milliseconds.
_AROUND_S = 0.1
_REFRESH_S = 1.0
_REFRESH_QUIET_S = 2.0
_SEALED_S = 5.0
_OWED_S = 2.0
_WAITS_S = 1.0


class RunTopic(Topic):
    """A run.

    Attributes
    ----------
    feed
        Its curves. Another object than before if a file of the run was replaced: all of it is then anew.
    document
        The run as JSON text.
    log
        The log that is shown first.
    """

    def __init__(self, served: Served, workspace: str, run: str) -> None:
        super().__init__()
        self._served = served
        self._workspace = workspace
        self._run = run
        self._told = (-1, 0)  # version of the feed, number of the run
        self._grown = 0.0
        self._refresh_due = 0.0
        self._around_due = 0.0
        self._owed_due = 0.0
        self._waits_due = 0.0
        self._waits: str | None = None
        self._number = 0
        self.document = ""

    def open(self) -> None:
        """Find the run and read all of it."""
        directory = self._served.run_directory(self._workspace, self._run)
        self.feed = RunFeed(directory)
        self._find_number()
        self._tell()
        self.log: LogFile = self._read_log()
        self._grown = time.monotonic()

    def read(self, now: float) -> bool:
        """Look at the files that are known; less often at everything else."""
        feed = self.feed
        around = now >= self._around_due
        if around:
            self._around_due = now + _AROUND_S
        if now >= self._refresh_due:
            changed = feed.refresh()
            quiet = (now - self._grown) * _QUIET_SHARE
            wait = _SEALED_S if feed.sealed else min(_REFRESH_QUIET_S, max(_REFRESH_S, quiet))
            self._refresh_due = now + wait
            self._do_what_is_owed(now)
        else:
            changed = feed.look(around=around)
        if feed.replaced:
            self.feed = RunFeed(feed.directory)
            self._told = (-1, 0)
        if around and not self._number:
            self._find_number()
        log = self._read_log() if around else self.log
        if (self.feed.version, self._number) != self._told or self._waits_otherwise(now):
            self._tell()
            changed = True
        if log != self.log:
            self.log, changed = log, True
        if changed:
            self._grown = now
            self.version += 1
        wait = min(_LOOK_QUIET_S, max(_LOOK_S, (now - self._grown) * _QUIET_SHARE))
        self.due = now + (_SEALED_S if self.feed.sealed and self._number else wait)
        return changed

    def touch(self) -> None:
        """Read everything at the next poll."""
        self.due = self._refresh_due = self._around_due = 0.0

    def _find_number(self) -> None:
        """Find the run's position in its experiment, once the table was read; it is told with the next document."""
        table = self._served.table(self._workspace)
        if not table.version:
            table.read_ahead()
            return
        listed = table.get(self._run)
        if listed is not None:
            self._number = listed.summary.number

    def _do_what_is_owed(self, now: float) -> None:
        """Wake the courier for a run that waits, and record a death that is proved, as every look at a run does."""
        facts = self.feed.facts
        if self.feed.sealed or facts.state == states.RUNNING or now < self._owed_due:
            return
        self._owed_due = now + _OWED_S
        with suppress(OSError):
            look(RunReader(self.feed.directory))

    def _waits_otherwise(self, now: float) -> bool:
        """Whether a run that has not started has another reason than was told."""
        if self.feed.facts.state != states.NOT_STARTED or now < self._waits_due:
            return False
        self._waits_due = now + _WAITS_S
        return self._served.waits(self._run, self.feed.facts) != self._waits

    def _read_log(self) -> LogFile:
        return first_log(self.feed.directory, is_started=self.feed.facts.started is not None)

    def _tell(self) -> None:
        feed, reader = self.feed, self.feed.reader
        told_now = (feed.version, self._number)
        metrics: dict[str, MetricSummary] = {}
        for curve in feed.curves.told:
            told = curve.summary
            metrics[curve.name] = {"count": told.count, "last": told.last, "min": told.min, "max": told.max}
        self._waits = self._served.waits(self._run, feed.facts)
        document = run_document(
            feed.directory,
            reader.record,
            feed.facts,
            metrics=metrics,
            now=time.time(),
            number=told_now[1],
            children=self._served.table(self._workspace).children(self._run),
            progress=feed.progress,
            runner=reader.runner(),
            waits=self._waits,
            acts=self._served.acts,
        )
        self.document = encoded(document).decode("ascii")
        self._told = told_now
