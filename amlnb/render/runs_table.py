"""Many runs as a table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from amlnb.render import palette
from amlnb.render.better import best, direction, has_results
from amlnb.render.formatting import format_clock, format_duration, format_number, format_size, one_line, sparkline
from amlnb.render.table import Cell, Column, box_html, fitted_html, fitted_text, table_html, table_text
from amlnb.store.run_names import short_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amlnb.specs.runs_view import RunRow, RunsView

ROW_LIMIT = 100
COLUMN_LIMIT = 6
BEST = "★"
_NAME, _HEAD, _VALUE, _TAGS, _ERROR = 40, 24, 24, 48, 60
_COMMON_LIMIT = 12
_MISSING = "\0"  # no value of a run is equal to it


def runs_html(view: RunsView) -> str:
    """Write runs as an HTML table: state, name, parameters, metrics, a curve, time, size, tags and errors.

    At most 100 runs, 6 parameters and 6 metrics, and a line that tells what is not shown. What is the same in all runs
    is said once, above. Everything from the runs is escaped. Of a limited height: it scrolls inside.
    """
    if not view.rows:
        return f"<div>{escape(_nothing(view))}</div>"
    return fitted_html(lambda count: _html(_Table(view, count)), min(len(view.rows), ROW_LIMIT))


def runs_text(view: RunsView) -> str:
    """Write runs as lines of text in columns; limits as in `runs_html`."""
    if not view.rows:
        return _nothing(view)
    return fitted_text(lambda count: _text(_Table(view, count)), min(len(view.rows), ROW_LIMIT), runs_html(view))


def _html(table: _Table) -> str:
    return box_html(table.title, table.notes, table_html(table.columns))


def _text(table: _Table) -> str:
    return "\n".join([table.title, *table.notes, table_text(table.columns)])


class _Table:
    """Which columns a table of these runs has, and what stands above it."""

    def __init__(self, view: RunsView, count: int) -> None:
        self._rows, self._view = view.rows[:count], view
        parameters, common_parameters = _varied([row.parameters for row in self._rows])
        _, common_tags = _varied([row.tags for row in self._rows])
        metrics = list(view.metrics) or _metrics(self._rows)
        self._parameters, self._metrics = parameters[:COLUMN_LIMIT], metrics[:COLUMN_LIMIT]
        self._common_tags = common_tags
        hidden = len(parameters) + len(metrics) - len(self._parameters) - len(self._metrics)
        self.title = f"{one_line(view.title, 80)}: {_counted(view.total, 'run')}"
        hidden_rows = view.total - len(self._rows)
        common = _common_note(common_parameters, common_tags, "all" if hidden_rows <= 0 else "all of these")
        going = "" if view.as_of is None else f"as of {format_clock(view.as_of, date=True)}"
        notes = (common, _hidden_note(hidden_rows, hidden), going)
        self.notes = [note for note in (*notes, _unreadable_note(view)) if note]
        self.columns = list(self._all_columns())

    def _all_columns(self) -> Iterable[Column]:
        rows = self._rows
        yield _column("", (_state(row) for row in rows), left=True)
        yield _column("run", (Cell(self._name(row)) for row in rows), left=True)
        for name in self._parameters:
            yield _column(name, (Cell(one_line(row.parameters.get(name, ""), _VALUE)) for row in rows))
        for name in self._metrics:
            # A loss of one experiment is no better than that of another.
            alike = len({row.experiment for row in rows}) == 1
            yield _column(name, metric_cells(name, [(row.state, row.metrics.get(name)) for row in rows], mark=alike))
        if any(row.curve for row in rows):
            yield self._curves()
        if any(row.elapsed_s is not None for row in rows):
            yield _column("time", (Cell("" if r.elapsed_s is None else format_duration(r.elapsed_s)) for r in rows))
        if any(row.output_bytes for row in rows):
            yield _column("outputs", (Cell(format_size(r.output_bytes) if r.output_bytes else "") for r in rows))
        tags = [_tags(row, self._common_tags) for row in rows]
        if any(tags):
            yield _column("tags", map(Cell, tags), left=True)
        if any(row.error for row in rows):
            yield _column("error", (Cell(one_line(r.error or "", _ERROR), palette.RED) for r in rows), left=True)

    def _name(self, row: RunRow) -> str:
        place = "" if self._view.of_experiment else one_line(row.experiment, _NAME)
        number = f"#{row.number}" if row.number else ""
        name = one_line(row.display_name or short_id(row.id), _NAME)
        return " ".join(part for part in (place + number, name) if part)

    def _curves(self) -> Column:
        """One metric's curves are named in the head, several metrics' beside each."""
        drawn = {row.curve_of for row in self._rows if row.curve}
        one = len(drawn) == 1
        texts = [
            sparkline(row.curve) + ("" if one or not row.curve else f" {one_line(row.curve_of, 16)}")
            for row in self._rows
        ]
        head = f"curve of {next(iter(drawn))}" if one else "curve"
        return _column(head, (Cell(text, palette.BLUE) for text in texts), left=True, mono=True)


def _metrics(rows: Sequence[RunRow]) -> list[str]:
    """Metrics in the order of first use; where there are too many, those first whose name tells what is better."""
    names = list(dict.fromkeys(name for row in rows for name in row.metrics))
    return names if len(names) <= COLUMN_LIMIT else sorted(names, key=lambda name: not direction(name))


def metric_cells(name: str, values: Sequence[tuple[str, float | None]], *, mark: bool = True) -> list[Cell]:
    """Cells of a metric's values, each with its run's state; the best has a star, and is set in bold, if marked."""
    results = [value if has_results(state) else None for state, value in values]
    top = best(name, results) if mark else None
    return [
        _value_cell(value, is_best=top is not None and result == top)
        for (_, value), result in zip(values, results, strict=True)
    ]


def _value_cell(value: float | None, *, is_best: bool) -> Cell:
    text = "" if value is None else format_number(value)
    return Cell(text, palette.GREEN, strong=True, mark=BEST) if is_best else Cell(text)


def _column(head: str, cells: Iterable[Cell], *, left: bool = False, mono: bool = False) -> Column:
    return Column(Cell(one_line(head, _HEAD)), tuple(cells), left, mono)


def _state(row: RunRow) -> Cell:
    return Cell(f"{palette.state_mark(row.state)} {row.state}", palette.state_colour(row.state))


def _varied(held: Sequence[Mapping[str, str | None]]) -> tuple[list[str], dict[str, str]]:
    """Names whose values differ between runs, and the names and values that all share (if there are several runs)."""
    names = dict.fromkeys(name for each in held for name in each)
    common = {}
    for name in names:
        values = {each.get(name, _MISSING) for each in held}
        if len(held) > 1 and len(values) == 1:
            common[name] = values.pop() or ""
    return [name for name in names if name not in common], common


def _tags(row: RunRow, common: dict[str, str]) -> str:
    shown = [f"{key}={value}" if value else key for key, value in row.tags.items() if key not in common]
    return one_line(", ".join(shown), _TAGS)


def _common_note(parameters: dict[str, str], tags: dict[str, str], all_: str) -> str:
    parts = [f"{one_line(name, 30)} = {one_line(value, 40)}" for name, value in parameters.items()]
    parts += [
        f"tag {one_line(key, 30)}" + (f" = {one_line(value, 40)}" if value else "") for key, value in tags.items()
    ]
    more = f" and {len(parts) - _COMMON_LIMIT:,} more" if len(parts) > _COMMON_LIMIT else ""
    return f"{all_} with {', '.join(parts[:_COMMON_LIMIT])}{more}" if parts else ""


def _hidden_note(runs: int, columns: int) -> str:
    parts = []
    if runs > 0:
        parts.append(_counted(runs, "more run"))
    if columns > 0:
        parts.append(_counted(columns, "more column"))
    return f"not shown: {', '.join(parts)}" if parts else ""


def _unreadable_note(view: RunsView) -> str:
    count = view.unreadable
    return f"{_counted(count, 'run')} cannot be read: 'amlnb run list' tells why" if count else ""


def _nothing(view: RunsView) -> str:
    told = f"{one_line(view.title, 80)}: no runs yet"
    return f"{told}; {_unreadable_note(view)}" if view.unreadable else f"{told}."


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
