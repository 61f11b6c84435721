"""Many runs as a table."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from amlnb.render import palette
from amlnb.render.formatting import format_duration, format_number, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amlnb.specs.run_view import RunRow

ROW_LIMIT = 100
COLUMN_LIMIT = 6
_BORDER = "border:0;border-bottom:1px solid rgba(128,128,128,0.25)"
_CELL = f"padding:4px 16px 4px 0;text-align:right;background:transparent;white-space:nowrap;{_BORDER}"
_FIRST = _CELL.replace("text-align:right", "text-align:left")


def runs_html(rows: Sequence[RunRow]) -> str:
    """Write runs as an HTML table: state, name, parameters, metrics, time.

    At most 100 runs, 6 parameters and 6 metrics, and a line that tells what is not shown. A parameter that is the same
    in all runs is said once, above. Everything from the runs is escaped.
    """
    if not rows:
        return "<div>No runs yet.</div>"
    shown, table = rows[:ROW_LIMIT], _Columns(rows[:ROW_LIMIT])
    head = ["", "run", *table.parameters, *table.metrics, "time"]
    lines = ["<tr>" + "".join(_head_cell(i, text) for i, text in enumerate(head)) + "</tr>"]
    lines += ["<tr>" + "".join(_cells(row, table)) + "</tr>" for row in shown]
    faint = f"color:{palette.FAINT};margin:2px 0"
    common = ", ".join(f"{one_line(k, 30)} = {one_line(v, 40)}" for k, v in table.common.items())
    above = f'<div style="{faint}">all with {escape(common)}</div>' if common else ""
    below = f'<div style="{faint}">{escape(note)}</div>' if (note := _note(rows, table)) else ""
    style = "border-collapse:collapse;color:inherit;font-size:inherit;margin:0;border:0"
    body = f'<table style="{style}">{"".join(lines)}</table>'
    return f'<div style="font-size:13px;line-height:1.35;max-height:420px;overflow:auto">{above}{body}{below}</div>'


def runs_text(rows: Sequence[RunRow]) -> str:
    """Write runs as lines of text in columns; limits as in `runs_html`."""
    if not rows:
        return "No runs yet."
    shown, table = rows[:ROW_LIMIT], _Columns(rows[:ROW_LIMIT])
    lines = [["state", "run", *(one_line(name, 24) for name in [*table.parameters, *table.metrics]), "time"]]
    lines += [
        [
            f"{palette.state_mark(row.state)} {row.state}",
            one_line(row.name, 40),
            *(one_line(row.parameters.get(name, ""), 24) for name in table.parameters),
            *(_number(row, name) for name in table.metrics),
            format_duration(row.elapsed_s),
        ]
        for row in shown
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = [
        "  ".join(
            cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    note = _note(rows, table)
    return "\n".join([line.rstrip() for line in text] + ([note] if note else []))


class _Columns:
    """Which parameters and metrics get a column, in the order of first use."""

    def __init__(self, rows: Sequence[RunRow]) -> None:
        parameters = dict.fromkeys(name for row in rows for name in row.parameters)
        self.common = {
            name: rows[0].parameters[name]
            for name in parameters
            if len(rows) > 1 and len({row.parameters.get(name) for row in rows}) == 1
        }
        varied = [name for name in parameters if name not in self.common]
        metrics = list(dict.fromkeys(name for row in rows for name in row.metrics))
        self.parameters, self.metrics = varied[:COLUMN_LIMIT], metrics[:COLUMN_LIMIT]
        self.hidden = len(varied) + len(metrics) - len(self.parameters) - len(self.metrics)


def _head_cell(index: int, text: str) -> str:
    style = _FIRST if index < 2 else _CELL
    return f'<th style="{style};color:{palette.FAINT};font-weight:normal">{escape(one_line(text, 24))}</th>'


def _cells(row: RunRow, table: _Columns) -> list[str]:
    colour = palette.state_colour(row.state)
    state = f'<span style="color:{colour}">{palette.state_mark(row.state)} {escape(row.state)}</span>'
    cells = [
        f'<td style="{_FIRST}">{state}</td>',
        f'<td style="{_FIRST}">{escape(one_line(row.name, 60))}</td>',
    ]
    texts = [one_line(row.parameters.get(name, ""), 24) for name in table.parameters]
    texts += [_number(row, name) for name in table.metrics]
    texts.append(format_duration(row.elapsed_s))
    return cells + [f'<td style="{_CELL}">{escape(text)}</td>' for text in texts]


def _number(row: RunRow, name: str) -> str:
    value = row.metrics.get(name, math.nan)
    return format_number(value) if name in row.metrics else ""


def _note(rows: Sequence[RunRow], table: _Columns) -> str:
    parts = []
    if len(rows) > ROW_LIMIT:
        parts.append(f"{len(rows) - ROW_LIMIT:,} more runs")
    if table.hidden > 0:
        parts.append(f"{table.hidden:,} more columns")
    return f"not shown: {', '.join(parts)}" if parts else ""
