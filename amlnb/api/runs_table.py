"""Runs as a table that displays itself."""

from __future__ import annotations

import difflib
import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from amlnb.core import states
from amlnb.engine.listing import up_to_date
from amlnb.errors import UserErrorException
from amlnb.live.glance import glance_at_curve, output_bytes
from amlnb.live.run_tail import parameters_of
from amlnb.render.better import direction
from amlnb.render.runs_table import ROW_LIMIT, runs_html, runs_text
from amlnb.specs.runs_view import RunRow, RunsView
from amlnb.store.edits import edited
from amlnb.store.index import Index

if TYPE_CHECKING:
    from amlnb.store.index import RunSummary
    from amlnb.store.workspace_dir import WorkspaceDirectory

_CURVE_POINTS = 16
_FIELDS: dict[str, Callable[[RunSummary], Any]] = {
    "created": lambda run: run.created,
    "time": lambda run: None if run.started is None else (run.ended or time.time()) - run.started,
    "state": lambda run: run.state,
    "name": lambda run: run.display_name,
}


class RunsTable:
    """A table of runs as they were when it was made; a cell that evaluates to it shows it.

    ``print`` shows it as text. See :meth:`amlnb.api.experiment.Experiment.show`.
    """

    def __init__(self, view: RunsView) -> None:
        self.view = view

    def _repr_html_(self) -> str:
        return runs_html(self.view)

    def __repr__(self) -> str:
        return runs_text(self.view)


def runs_table(
    directory: WorkspaceDirectory,
    experiment: str | None = None,
    *,
    limit: int = ROW_LIMIT,
    metrics: Sequence[str] = (),
    sort_by: str | None = None,
    ascending: bool | None = None,
) -> RunsTable:
    """Make the table of the runs of an experiment, or of the whole workspace.

    Parameters
    ----------
    experiment
        None for all experiments.
    limit
        Rows at most; no more than 100 are shown.
    metrics
        The metrics that get a column, the first of them also a curve; without any, the first ones that were logged.
    sort_by
        A metric, a parameter, ``created``, ``time``, ``state`` or ``name``; None for the newest first.
    ascending
        Its order; without it the best of a metric comes first where the name tells which way is better, the largest
        where it does not, and all else ascends.

    Raises
    ------
    UserErrorException
        No run has such a metric or parameter, or `limit` is below 1.
    """
    if limit < 1:
        raise UserErrorException(f"a table of {limit!r} runs cannot be shown", hint="give a limit of 1 to 100")
    metrics = (metrics,) if isinstance(metrics, str) else tuple(metrics)
    index = Index(directory)
    runs = listed_runs(index, directory, experiment)
    for name in metrics:
        _check_known(name, {metric for run in runs for metric in run.metrics}, "metric", bool(runs))
    if sort_by is not None:
        runs = _sorted(runs, sort_by, ascending)
    shown = runs[: min(limit, ROW_LIMIT)]
    main = metrics[0] if metrics else _main_metric(shown)
    now = time.time()
    rows = tuple(_row(run, main, now) for run in shown)
    as_of = None if all(states.is_terminal(run.state) for run in shown) else now
    title = f"workspace {directory.ids.workspace_name}" if experiment is None else f"experiment {experiment}"
    of_experiment, unreadable = experiment is not None, len(index.unreadable)
    return RunsTable(RunsView(title, rows, len(runs), tuple(metrics), of_experiment, unreadable, as_of))


def listed_runs(index: Index, directory: WorkspaceDirectory, experiment: str | None) -> list[RunSummary]:
    """Runs without child runs and archived ones; of all experiments those that are not archived."""
    runs = [run for run in up_to_date(index, experiment) if not run.archived and run.parent is None]
    if experiment is not None:
        return runs
    names = {run.experiment for run in runs}
    archived = {name for name in names if edited(directory.experiment_directory(name), {}).archived}
    return [run for run in runs if run.experiment not in archived]


def _row(run: RunSummary, main: str, now: float) -> RunRow:
    mine = main if main in run.metrics else _main_metric([run])
    many = mine in run.metrics and run.metrics[mine]["count"] > 1
    return RunRow(
        id=run.id,
        experiment=run.experiment,
        state=run.state,
        display_name=run.display_name,
        number=run.number,
        elapsed_s=None if run.started is None else max(0.0, (run.ended or now) - run.started),
        parameters=_parameters(run),
        metrics={name: metric["last"] for name, metric in run.metrics.items()},
        curve_of=mine,
        curve=glance_at_curve(run.directory, mine, _CURVE_POINTS) if many else (),
        output_bytes=output_bytes(run.directory) if states.is_terminal(run.state) else None,
        tags=run.tags,
        error=run.error if run.state == states.FAILED else None,
    )


def _main_metric(runs: Sequence[RunSummary]) -> str:
    """The metric whose curve is shown: of those with several points the first whose name tells which way is better."""
    names = dict.fromkeys(name for run in runs for name, metric in run.metrics.items() if metric["count"] > 1)
    return next((name for name in names if direction(name)), next(iter(names), ""))


def _sorted(runs: list[RunSummary], by: str, ascending: bool | None) -> list[RunSummary]:
    metrics = {name for run in runs for name in run.metrics}
    if by in metrics:
        up = direction(by) < 0 if ascending is None else ascending
        keys: list[Any] = [run.metrics[by]["last"] if by in run.metrics else None for run in runs]
    else:
        up = ascending is not False
        parameters = [_parameters(run) for run in runs]
        named = {name for each in parameters for name in each}
        if by in _FIELDS:
            keys = [_FIELDS[by](run) for run in runs]
        else:
            _check_known(by, metrics | named | _FIELDS.keys(), "metric or parameter", bool(runs))
            keys = [_value(each.get(by)) for each in parameters]
    # What has no value stands last, whichever way the others are ordered.
    have = [(key, run) for key, run in zip(keys, runs, strict=True) if not _is_missing(key)]
    rest = [run for key, run in zip(keys, runs, strict=True) if _is_missing(key)]
    have.sort(key=lambda pair: (isinstance(pair[0], str), pair[0]), reverse=not up)
    return [run for _, run in have] + rest


def _is_missing(key: Any) -> bool:
    return key is None or (isinstance(key, float) and math.isnan(key))


def _value(text: str | None) -> float | str | None:
    """A parameter as what it is ordered by: 2 comes before 10."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def _parameters(run: RunSummary) -> dict[str, str]:
    return parameters_of({"definition": {"arguments": run.arguments}}, run.properties)


def _check_known(name: str, known: set[str], what: str, there_are_runs: bool) -> None:
    if name in known or not there_are_runs:
        return
    near = difflib.get_close_matches(name, known, 1)
    raise UserErrorException(
        f"no run here has a {what} {name!r}",
        hint=f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known)[:20]) or 'none so far'}",
    )
