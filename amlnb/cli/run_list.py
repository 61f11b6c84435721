"""``amlnb run list``."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amlnb.cli.output import Column, Json, emit, in_colour, note, print_table
from amlnb.cli.run_names import number_name, short_id
from amlnb.core import states
from amlnb.errors import UserErrorException

if TYPE_CHECKING:
    from amlnb.store.index import RunSummary

_SHOWN = 30
_CELL = 32
_PARAMETERS = 6
_METRICS = 6


def list_runs(
    experiment: Annotated[str | None, typer.Option("--experiment", "-e", help="Of this experiment only.")] = None,
    state: Annotated[list[str] | None, typer.Option("--state", help="In this state only; may be repeated.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="KEY[=VALUE]", help="With this tag only; may be repeated.")
    ] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones too.")] = False,
    children: Annotated[bool, typer.Option("--children", help="Child runs too.")] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", min=0, help="At most so many, 0 for all. Default: 30; all as JSON."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List runs, the newest first."""
    from amlnb.api.workspace import Workspace
    from amlnb.engine.listing import up_to_date
    from amlnb.store.index import Index

    workspace = Workspace.from_config()
    wanted_states = [_state(text) for text in state or []]
    index = Index(workspace.directory)
    runs = up_to_date(index)
    if experiment is not None:
        _check_experiment(experiment, workspace.directory.experiment_names())
    found = [
        run
        for run in runs
        if (experiment is None or run.experiment == experiment)
        and (archived or not run.archived)
        and (children or run.parent is None)
        and (not wanted_states or run.state in wanted_states)
        and all(_has_tag(run, text) for text in tag or [])
    ]
    shown = found[: (limit if limit is not None else 0 if as_json else _SHOWN) or None]
    if as_json:
        unreadable = [{"directory": path, "message": text} for path, text in index.unreadable.items()]
        emit({"runs": [dataclasses.asdict(run) for run in shown], "unreadable": unreadable})
        return
    if not shown:
        note("no runs" if runs else "no runs yet: 'amlnb submit SCRIPT' makes one")
    else:
        print_table(columns(shown, time.time()))
    if len(found) > len(shown):
        note(f"{len(found) - len(shown):,} older runs are not shown: --limit 0 shows all")
    for path, text in index.unreadable.items():
        note(f"warning: {path} cannot be read: {text}")


def columns(runs: Sequence[RunSummary], now: float) -> list[Column]:
    """Columns of a table of runs."""
    from amlnb.render import palette
    from amlnb.render.formatting import format_duration, format_number, one_line

    parameters = [_parameters(run) for run in runs]
    names = list(dict.fromkeys(name for each in parameters for name in each))[:_PARAMETERS]
    metrics = list(dict.fromkeys(name for run in runs for name in run.metrics))[:_METRICS]
    marked = [f"{palette.state_mark(run.state)} {run.state}" for run in runs]
    colours = {text: palette.state_colour(run.state) for text, run in zip(marked, runs, strict=True)}
    return [
        Column("run", [one_line(number_name(run), 48) for run in runs]),
        Column("id", [one_line(short_id(run.id), 40) for run in runs]),
        Column("state", marked, paint=lambda text: in_colour(text, colours[text.rstrip()])),
        Column("name", [one_line(run.display_name or run.script or "", _CELL) for run in runs], optional=True),
        Column("age", [format_duration(max(0.0, now - run.created), whole=True) for run in runs], right=True),
        Column("time", [_took(run, now, format_duration) for run in runs], right=True),
        *(
            Column(one_line(name, 20), [_last(run, name, format_number) for run in runs], right=True, optional=True)
            for name in metrics
        ),
        *(
            Column(one_line(name, 20), [one_line(each.get(name, ""), 20) for each in parameters], optional=True)
            for name in names
        ),
    ]


def _took(run: RunSummary, now: float, text: Any) -> str:
    return "" if run.started is None else str(text(max(0.0, (run.ended or now) - run.started)))


def _last(run: RunSummary, name: str, text: Any) -> str:
    return str(text(run.metrics[name]["last"])) if name in run.metrics else ""


def _parameters(run: RunSummary) -> dict[str, str]:
    from amlnb.live.run_tail import parameters_of

    return parameters_of({"definition": {"arguments": run.arguments}}, run.properties)


def _state(text: str) -> str:
    for state in states.ALL:
        if state.lower() == text.lower():
            return state
    raise UserErrorException(f"there is no state {text!r}", hint=f"there are: {', '.join(states.ALL)}")


def _has_tag(run: RunSummary, text: str) -> bool:
    key, equals, value = text.partition("=")
    return key in run.tags and (not equals or run.tags[key] == value)


def _check_experiment(name: str, known: list[str]) -> None:
    from amlnb.cli.experiments import unknown

    if name not in known:
        raise unknown(name, known)
