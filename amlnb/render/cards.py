"""A run and a workspace as small pieces of HTML: what a cell that evaluates to one shows."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from amlnb.core import states
from amlnb.render import palette
from amlnb.render.formatting import format_duration, format_number, format_progress, one_line, sparkline
from amlnb.render.table import Cell, Column, box_html, table_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amlnb.specs.run_view import RunView

METRIC_LIMIT = 12
EXPERIMENT_LIMIT = 30
_FACTS_LIMIT = 8


@dataclass(frozen=True)
class ExperimentRow:
    """An experiment as a line of a table: how many runs it has, and how many of them are in which state."""

    name: str
    runs: int
    states: dict[str, int]


def run_card(view: RunView) -> str:
    """Write a run as it is now: state, facts, error, and its metrics with their curves. Without a picture or a log."""
    colour = palette.state_colour(view.state)
    head = f'<span style="color:{colour}">{palette.state_mark(view.state)} <b>{escape(view.state)}</b></span>'
    timing = [] if view.started is None else [format_duration(view.elapsed_s, whole=not states.is_terminal(view.state))]
    progress = [format_progress(view.progress)] if view.progress is not None else []
    named = [one_line(view.display_name, 60)] if view.display_name else []
    waits = [one_line(view.reason, 120)] if view.reason and view.state == states.NOT_STARTED else []
    facts = [*named, *timing, f"on {one_line(view.target, 40)}", *waits, *progress]
    error = one_line(str((view.error or {}).get("message") or ""), 300)
    hint = one_line(str((view.error or {}).get("hint") or ""), 300)
    parts = [f"<div>{head} {escape(' · '.join(facts))}</div>"]
    parts += [f'<div style="color:{palette.RED}">{escape(error)}</div>'] if error else []
    parts += [f"<div>hint: {escape(hint)}</div>"] if hint else []
    parts += [f'<div style="color:{palette.FAINT};margin:2px 0">{escape(text)}</div>' for text in _about(view)]
    return box_html("", (), *parts, _metrics(view))


def workspace_card(title: str, path: str, rows: Sequence[ExperimentRow]) -> str:
    """Write a workspace: where its data are, and its experiments in the order given."""
    notes = [one_line(path, 200)]
    if not rows:
        return box_html(title, [*notes, "No experiments yet."])
    shown = rows[:EXPERIMENT_LIMIT]
    if len(rows) > len(shown):
        notes.append(f"not shown: {len(rows) - len(shown):,} more experiments")
    columns = [
        Column(Cell("experiment"), tuple(Cell(one_line(row.name, 60)) for row in shown), left=True),
        Column(Cell("runs"), tuple(Cell(f"{row.runs:,}") for row in shown)),
    ]
    for state in dict.fromkeys(state for row in shown for state in row.states):
        cells = tuple(Cell(f"{row.states[state]:,}" if state in row.states else "") for row in shown)
        head = Cell(f"{palette.state_mark(state)} {state}", palette.state_colour(state))
        columns.append(Column(head, cells))
    return box_html(title, notes, table_html(columns))


def _about(view: RunView) -> list[str]:
    facts = [f"run {one_line(view.id, 80)}", f"experiment {one_line(view.experiment, 60)}"]
    facts += [f"{one_line(k, 30)} = {one_line(v, 40)}" for k, v in list(view.parameters.items())[:_FACTS_LIMIT]]
    facts += [f"#{one_line(k, 30)}" + (f": {one_line(v, 40)}" if v else "") for k, v in list(view.tags.items())[:8]]
    live = [] if states.is_terminal(view.state) else ["as it is now; %load_ext amlnb shows it live"]
    return [" · ".join(facts), *live]


def _metrics(view: RunView) -> str:
    shown = list(view.metrics.items())[:METRIC_LIMIT]
    if not shown:
        return ""
    curves = [sparkline(view.series[name].y.tolist(), 32) if name in view.series else "" for name, _ in shown]
    columns = [
        Column(Cell("metric"), tuple(Cell(one_line(name, 40)) for name, _ in shown), left=True),
        Column(Cell("last"), tuple(Cell(format_number(metric.last), strong=True) for _, metric in shown)),
        Column(Cell("min"), tuple(Cell(format_number(metric.min)) for _, metric in shown)),
        Column(Cell("max"), tuple(Cell(format_number(metric.max)) for _, metric in shown)),
        Column(Cell("points"), tuple(Cell(f"{metric.count:,}") for _, metric in shown)),
    ]
    if any(curves):
        columns.append(Column(Cell("curve"), tuple(Cell(text, palette.BLUE) for text in curves), left=True, mono=True))
    hidden = max(view.metric_count, len(view.metrics)) - len(shown)
    note = f'<div style="color:{palette.FAINT}">and {hidden:,} more metrics</div>' if hidden > 0 else ""
    return table_html(columns) + note
