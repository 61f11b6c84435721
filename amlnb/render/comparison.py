"""Runs side by side as a table of what differs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from amlnb.render import palette
from amlnb.render.comparison_picture import PANEL_LIMIT, RUN_LIMIT, run_colour, run_mark, shared_metrics
from amlnb.render.formatting import format_duration, one_line, sparkline
from amlnb.render.runs_table import metric_cells
from amlnb.render.table import Cell, Column, box_html, fitted_html, fitted_text, table_html, table_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amlnb.specs.comparison_view import ComparisonView

_ROW_LIMIT = 30  # of each kind
_NAME, _VALUE, _ERROR = 40, 32, 48
ABSENT = "–"


def comparison_html(view: ComparisonView) -> str:
    """Write what differs as an HTML table, a column a run. Of limited size and height."""
    return fitted_html(lambda limit: _html(view, _Rows(view, limit)), _ROW_LIMIT)


def comparison_text(view: ComparisonView) -> str:
    """Write the same as lines of text."""
    return fitted_text(lambda limit: _text(view, _Rows(view, limit)), _ROW_LIMIT, comparison_html(view))


def _html(view: ComparisonView, found: _Rows) -> str:
    return box_html("", _notes(view, found), table_html(_columns(view, found)))


def _text(view: ComparisonView, found: _Rows) -> str:
    return "\n".join([table_text(_columns(view, found)), *_notes(view, found)])


def curves_text(view: ComparisonView) -> str:
    """Write the curves that the runs share as lines of text."""
    lines = []
    runs = view.runs[:RUN_LIMIT]
    labels = [one_line(run.label, _NAME) for run in runs]
    width = max(map(len, labels), default=0)
    for name in shared_metrics(runs)[:PANEL_LIMIT]:
        curves = {
            label: run.series[name].y.tolist() for label, run in zip(labels, runs, strict=True) if name in run.series
        }
        finite = [value for curve in curves.values() for value in curve if math.isfinite(value)]
        within = (min(finite), max(finite)) if finite else None  # of all of them: their heights can be compared
        lines.append(one_line(name, _NAME))
        lines += [f"  {label:<{width}}  {sparkline(curve, 32, within)}" for label, curve in curves.items()]
    return "\n".join(lines)


class _Rows:
    """Rows of the table, at most so many of each kind, and what was left out of them."""

    def __init__(self, view: ComparisonView, limit: int) -> None:
        self._limit = limit
        self._runs = runs = view.runs[:RUN_LIMIT]
        self.rows: list[tuple[Cell, list[Cell], Cell]] = []
        self.same: list[str] = []
        self.hidden = 0
        states = [Cell(f"{palette.state_mark(r.state)} {r.state}", palette.state_colour(r.state)) for r in runs]
        self.rows.append((Cell("state"), states, Cell("")))
        times = [run.elapsed_s for run in runs]
        if any(time is not None for time in times):
            texts = [ABSENT if time is None else format_duration(time) for time in times]
            self.rows.append((Cell("time"), list(map(Cell, texts)), _percent(times, texts)))
        if any(run.error for run in runs):
            errors = [Cell(one_line(run.error, _ERROR), palette.RED) for run in runs]
            self.rows.append((Cell("error"), errors, Cell("")))
        self._add_metrics()
        self._add_texts("parameters", "parameter", [run.parameters for run in runs])
        self._add_texts("tags", "tag", [run.tags for run in runs])
        self._add_texts("environment", "fact of the environment", [run.environment for run in runs])

    def _add_metrics(self) -> None:
        values = {
            name: [run.metrics.get(name) for run in self._runs]
            for name in dict.fromkeys(name for run in self._runs for name in run.metrics)
        }
        # As text, because NaN is not equal to itself.
        differing = [name for name, found in values.items() if len(set(map(repr, found))) > 1]
        for name in self._differing("metrics", "metric", differing, len(values)):
            told = metric_cells(name, list(zip((run.state for run in self._runs), values[name], strict=True)))
            cells = [cell if cell.text else Cell(ABSENT) for cell in told]
            self.rows.append((Cell(one_line(name, _NAME)), cells, _percent(values[name], [c.text for c in cells])))

    def _add_texts(self, heading: str, noun: str, held: Sequence[Mapping[str, str]]) -> None:
        names = list(dict.fromkeys(name for each in held for name in each))
        differing = [name for name in names if len({each.get(name) for each in held}) > 1]
        for name in self._differing(heading, noun, differing, len(names)):
            cells = [Cell(one_line(each[name], _VALUE) if name in each else ABSENT) for each in held]
            self.rows.append((Cell(one_line(name, _NAME)), cells, Cell("")))

    def _differing(self, heading: str, noun: str, differing: Sequence[str], total: int) -> Sequence[str]:
        """Count what is the same, begin the rows of what differs, and return as many of these as are shown."""
        if differing:
            self.rows.append((Cell(heading, palette.FAINT), [Cell("")] * len(self._runs), Cell("")))
        if total > len(differing):
            first, space, rest = noun.partition(" ")
            count = total - len(differing)
            self.same.append(f"{count:,} {first}{'' if count == 1 else 's'}{space}{rest}")
        self.hidden += max(0, len(differing) - self._limit)
        return differing[: self._limit]


def _columns(view: ComparisonView, found: _Rows) -> list[Column]:
    labels, cells, differences = zip(*found.rows, strict=True)
    columns = [Column(Cell(""), labels, left=True)]
    for number, (run, column) in enumerate(zip(view.runs[:RUN_LIMIT], zip(*cells, strict=True), strict=True)):
        columns.append(Column(Cell(one_line(run.label, _NAME), run_colour(number), mark=run_mark(number)), column))
    if any(cell.text for cell in differences):
        columns.append(Column(Cell("difference"), differences))
    return columns


def _notes(view: ComparisonView, found: _Rows) -> list[str]:
    notes = []
    if found.same:
        notes.append(f"the same in {'both' if len(view.runs) == 2 else 'all'}: {', '.join(found.same)}")
    hidden = []
    if len(view.runs) > RUN_LIMIT:
        hidden.append(f"{len(view.runs) - RUN_LIMIT:,} more runs")
    if found.hidden:
        hidden.append(f"{found.hidden:,} more rows")
    return [*notes, *([f"not shown: {', '.join(hidden)}"] if hidden else [])]


def _percent(values: Sequence[float | None], texts: Sequence[str]) -> Cell:
    """By how much the second of two numbers is larger than the first, in percent of the first.

    Nothing where ``texts``, which are shown of them, are the same.
    """
    if len(values) != 2 or len(set(texts)) == 1 or any(value is None or not math.isfinite(value) for value in values):
        return Cell("")
    before, after = (float(value or 0.0) for value in values)
    if before == 0:
        return Cell("")
    share = (after / abs(before) - before / abs(before)) * 100
    if not math.isfinite(share):
        return Cell("")
    size = abs(share)
    text = f"{share:+.1f}" if 0.05 <= size < 99.95 else f"{share:+,.0f}" if 1 < size < 1e6 else f"{share:+.1g}"
    return Cell(f"{text.replace('e+0', 'e').replace('e+', 'e').replace('-', '−')} %")
