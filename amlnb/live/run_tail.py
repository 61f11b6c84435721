"""A run followed from its directory: each poll reads what is new and gives the run as it is."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from amlnb.core import coercion, layout, states
from amlnb.live.downsample import downsample
from amlnb.live.log_tail import LogTail
from amlnb.live.progress import run_progress
from amlnb.specs.run_view import MetricSummary, Progress, RunView, Series
from amlnb.store.run_reader import RunReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from amlnb.store import series as series_

DEFAULT_POINTS = 300
_POINTS_OF_ALL = 2400  # of many curves each has fewer: they are drawn smaller, and a notebook keeps them
DEFAULT_METRICS = 200
DEFAULT_CURVES = 24
DEFAULT_LOG_LINES = 120  # a long traceback, whose first lines are the person's own
PARAMETER_PREFIX = "param."
_LIVENESS_S = 1.0
_METRIC_ID = np.uint64(0xFFFFFFFF)  # the part of a record's head that names the metric


class RunTail:
    """A follower of one run directory, a home or a mirror.

    Parameters
    ----------
    run_directory
        The run directory.
    points
        Points of a curve at most; of more than eight curves each has fewer.
    metric_limit, curve_limit
        Metrics that are summed up, and those of them that get a curve; the first ones in the order of first use.
    log_lines
        Lines of the log's tail.
    clock
        Unix seconds, for the time that a running run has taken.
    waits
        Tells by its id why a run that has not started waits; None where nobody knows.

    Raises
    ------
    UserErrorException
        There is no run in that directory.
    FormatError
        Its record is damaged, or of a newer format.
    """

    def __init__(
        self,
        run_directory: str,
        *,
        points: int = DEFAULT_POINTS,
        metric_limit: int = DEFAULT_METRICS,
        curve_limit: int = DEFAULT_CURVES,
        log_lines: int = DEFAULT_LOG_LINES,
        clock: Callable[[], float] = time.time,
        waits: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self.reader = RunReader(run_directory)
        self._log = LogTail(os.path.join(run_directory, layout.USER_LOG), log_lines)
        self._build_log = LogTail(os.path.join(run_directory, layout.BUILD_LOG), log_lines)
        self._points = points
        self._metric_limit = metric_limit
        self._curve_limit = curve_limit
        self._clock = clock
        self._waits = waits
        self._metrics: dict[str, MetricSummary] = {}
        self._series: dict[str, Series] = {}
        self._metric_count = 0
        self._seen: dict[str, int] = {}  # records of each writer that were looked at
        self._bytes = -1
        self._facts = self.reader.facts()
        self._facts_at = float("-inf")
        self._told: RunView | None = None
        self._progress: Progress | None = None
        self._progress_at = float("-inf")
        self.changed = True

    @property
    def sealed(self) -> bool:
        """Nothing will change any more."""
        return self.reader.final is not None

    def poll(self) -> RunView:
        """Read what is new and return the run as it is now.

        `changed` then tells whether anything but the time has changed since the poll before.
        """
        # The reader may be refreshed by others too, so what changed is seen by what is there.
        refreshed = self.reader.refresh()
        logged = self._log.poll()
        if self._facts.started is None:
            logged |= self._build_log.poll()
        written = sum(writer.bytes_read for writer in self.reader.writers)
        grown = written != self._bytes
        if grown:
            self._bytes = written
            self._read_metrics()
        self._read_facts(at_once=refreshed or grown or self.sealed != self._facts.sealed)
        view = self._view()
        told = replace(view, elapsed_s=0.0, metrics={}, series={}, log_tail=(), progress=self._progress)
        self.changed = logged or grown or told != self._told
        self._told = told
        return view

    def _read_facts(self, *, at_once: bool) -> None:
        """Fold the facts anew if there is anything new; else once a second, to see whether the runner lives.

        Each look at a process is a dozen system calls; in a busy kernel every one of them waits for the interpreter.
        """
        now = time.monotonic()
        if at_once or now - self._facts_at >= _LIVENESS_S:
            self._facts, self._facts_at = self.reader.facts(), now

    def _read_metrics(self) -> None:
        """Read the metrics that have grown; of very many, only the first ones."""
        grown = self._grown_metrics()
        names = self.reader.metric_names()
        points = min(self._points, _POINTS_OF_ALL // max(1, min(len(names), self._curve_limit)))
        for name in names:
            if name not in self._metrics and len(self._metrics) >= self._metric_limit:
                break
            if name in grown:
                found = self.reader.series(name)
                if len(found.value):
                    self._take(name, found, points)
        # Beyond the limit, which of them are numbers is not worth reading them all.
        self._metric_count = len(self._metrics) if len(self._metrics) < self._metric_limit else len(names)

    def _grown_metrics(self) -> set[str]:
        grown: set[str] = set()
        for writer in self.reader.writers:
            heads = writer.records().head
            fresh = np.unique(heads[self._seen.get(writer.base, 0) :] & _METRIC_ID)
            grown |= {writer.names[number] for number in fresh.tolist() if number in writer.names}
            self._seen[writer.base] = len(heads)
        return grown

    def _take(self, name: str, found: series_.Series, points: int) -> None:
        finite = found.value[np.isfinite(found.value)]
        self._metrics[name] = MetricSummary(
            count=len(found.value),
            last=float(found.value[-1]),
            min=float(finite.min()) if len(finite) else float("nan"),
            max=float(finite.max()) if len(finite) else float("nan"),
        )
        if len(found.value) > 1 and (len(self._series) < self._curve_limit or name in self._series):
            kept = downsample(found.value, points)
            self._series[name] = Series(found.step[kept], found.value[kept])

    def _progress_now(self) -> Progress | None:
        """How far it is, the time that is left counted down since that was told."""
        found = run_progress(self._facts, self.reader.writers, self._log.lines)
        now = time.monotonic()
        if found != self._progress:
            self._progress, self._progress_at = found, now
        if found is None or found.left_s is None:
            return found
        # What should have ended by now goes on, and nobody knows for how long.
        left_s = found.left_s - (now - self._progress_at)
        return replace(found, left_s=left_s if left_s > 0 else None)

    def _view(self) -> RunView:
        facts, record = self._facts, self.reader.record
        # Until the person's own program runs, what there is to see is the build of its environment.
        log = self._log if facts.started is not None or self._log.lines else self._build_log
        elapsed = 0.0
        if facts.started is not None:
            elapsed = max(0.0, (facts.ended if facts.ended is not None else self._clock()) - facts.started)
        return RunView(
            id=self.reader.id,
            experiment=self.reader.experiment,
            state=facts.state,
            display_name=facts.display_name,
            attempt=facts.attempt,
            target=str(record.get("target") or "local"),
            reason=facts.reason or (self._waits(self.reader.id) if facts.state == states.NOT_STARTED else None),
            created=coercion.unix_time(record.get("created")) or 0.0,
            started=facts.started,
            ended=facts.ended,
            elapsed_s=elapsed,
            error=facts.error,
            warnings=tuple(facts.warnings),
            parameters=parameters_of(record, facts.properties),
            tags=dict(facts.tags),
            metrics=dict(self._metrics),
            metric_count=self._metric_count,
            series=dict(self._series),
            progress=self._progress_now(),
            log_tail=log.lines,
            log_earlier=log.earlier,
        )


def parameters_of(record: dict[str, Any], properties: dict[str, str]) -> dict[str, str]:
    """Parameters of a cell stand among the properties; those of a script are its ``--name value`` arguments."""
    found = {
        key[len(PARAMETER_PREFIX) :]: value for key, value in properties.items() if key.startswith(PARAMETER_PREFIX)
    }
    name: str | None = None
    for argument in coercion.items(coercion.mapping(record.get("definition")).get("arguments")):
        text = str(argument)
        if text.startswith("--") and len(text) > 2:
            name, equals, value = text[2:].partition("=")
            found.setdefault(name, value)
            name = None if equals else name
        elif name is not None:
            found[name] = f"{found[name]} {text}".strip()
    return found
