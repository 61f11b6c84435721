"""A run's details as HTML: plain tables that survive an untrusted notebook, in the colours of the page they are on."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from amlnb.core import states
from amlnb.render import palette
from amlnb.render.formatting import (
    format_clock,
    format_number,
    format_progress,
    in_order_of_weight,
    one_line,
    sparkline,
)
from amlnb.render.log_html import lines_html
from amlnb.render.run_failure import FailedFrame, failed_frames, traceback_lines
from amlnb.render.run_picture import drawn_metrics
from amlnb.specs.run_view import LogLine
from amlnb.store.run_names import short_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amlnb.specs.run_view import RunView

METRIC_LIMIT = 30
LOG_LINES = 10
_NAME_LIMIT = 44
_VALUE_LIMIT = 40
_FACTS_LIMIT = 10
_LINE_HEIGHT_PX = 17

_MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
_CELL = "padding:2px 14px 2px 0;text-align:right;white-space:nowrap;border:0"
_FIRST = _CELL.replace("text-align:right", "text-align:left")
_TABLE = "border-collapse:collapse;color:inherit;font-size:inherit;margin:0 0 6px 0;border:0"
_CURVE = "font-family:monospace;color:rgba(61,139,253,0.65)"
_FAINT = f"color:{palette.FAINT}"


def run_html(view: RunView, *, as_of: float | None = None) -> str:
    """Write a run's facts, metrics and last log lines: what stands below its picture.

    Parameters
    ----------
    view
        The run.
    as_of
        Unix time of what will be replaced by something newer, told with how to come back to the run if that does not
        happen (its kernel may be gone). None for a final one.

    Returns
    -------
    str
        A fragment without script, style sheet or picture, of limited size whatever the run holds. Everything from the
        run is escaped. While the run is going its height stays the same once its metrics are known.
    """
    failure = _failure(view)
    parts = [_facts(view), _warnings(view), _error(view), failure, "" if as_of is None else _as_of(view, as_of)]
    parts.append(_columns(_metrics_table(view), "" if failure else _log(view)))
    return f'<div style="font-size:13px;line-height:1.35;padding:0 2px">{"".join(part for part in parts if part)}</div>'


def _columns(*columns: str) -> str:
    if not any(columns):
        return ""
    # What is wider than the page scrolls on its own.
    style = "padding:0 18px 0 0;max-width:100%;box-sizing:border-box;overflow-x:auto;overflow-y:hidden"
    cells = "".join(f'<div style="{style}">{column}</div>' for column in columns if column)
    return f'<div style="display:flex;flex-wrap:wrap;align-items:flex-start">{cells}</div>'


def _facts(view: RunView) -> str:
    facts = [f"run {one_line(view.id, 80)}", f"experiment {one_line(view.experiment, 60)}"]
    facts += [
        f"{one_line(k, 30)} = {one_line(v, _VALUE_LIMIT)}" for k, v in list(view.parameters.items())[:_FACTS_LIMIT]
    ]
    facts += [_tag(k, v) for k, v in list(view.tags.items())[:_FACTS_LIMIT]]
    if view.attempt > 1:
        facts.append(f"attempt {view.attempt}")
    if view.reason and not view.error:
        facts.append(one_line(view.reason, 200))
    return f'<div style="{_FAINT};margin:2px 0 6px 0;font-size:12px">{escape(" · ".join(facts))}</div>'


def _as_of(view: RunView, as_of: float) -> str:
    name = escape(one_line(short_id(view.id), 80))
    code = f"import amlnb; amlnb.Workspace.from_config().get_run(&quot;{name}&quot;)"
    style = f"{_FAINT};margin:0 0 6px 0;font-size:12px;overflow-wrap:anywhere"
    progress = f"{escape(format_progress(view.progress))} · " if view.progress is not None else ""
    return (
        f'<div style="{style}">{progress}as of {format_clock(as_of, date=True)}; if it stands still: '
        f'<span style="{_MONO}">%load_ext amlnb</span>, then <span style="{_MONO}">{code}</span></div>'
    )


def _tag(key: str, value: str | None) -> str:
    return f"#{one_line(key, 30)}" + (f": {one_line(value, _VALUE_LIMIT)}" if value else "")


def _warnings(view: RunView) -> str:
    shown = [f"<div>{escape(one_line(text, 300))}</div>" for text in in_order_of_weight(view.warnings)[:3]]
    if len(view.warnings) > 3:
        shown.append(f"<div>and {len(view.warnings) - 3:,} more warnings</div>")
    return f'<div style="color:{palette.AMBER};margin:0 0 6px 0">{"".join(shown)}</div>' if shown else ""


def _error(view: RunView) -> str:
    if not view.error:
        return ""
    message = one_line(str(view.error.get("message") or ""), 600)
    hint = one_line(str(view.error.get("hint") or ""), 400)
    told = f'<div style="{_FAINT}">hint: {escape(hint)}</div>' if hint else ""
    return (
        f'<div style="border-left:3px solid {palette.RED};padding:2px 0 2px 10px;margin:0 0 8px 0">'
        f'<div style="color:{palette.RED}">{escape(message)}</div>{told}</div>'
    )


def _failure(view: RunView) -> str:
    """Where it failed: the end of its last traceback (else of its log), and the local values there."""
    if view.state != states.FAILED:
        return ""
    frames = failed_frames(view)
    told = traceback_lines(view)
    text = _log_box(told, palette.RED) if told else _log(view)
    return f'<div style="margin:0 0 8px 0">{_columns(text, "".join(_values(frame) for frame in frames))}</div>'


def _values(frame: FailedFrame) -> str:
    head = f'<div style="{_FAINT};padding:4px 0 2px 0">values {escape(frame.where)}</div>'
    rows = "".join(
        _row(
            [
                f'<span style="{_MONO};font-size:12px">{escape(each.name)}</span>',
                f'<span style="{_FAINT}">{escape(each.kind)}</span>',
                f"<b>{escape(each.value)}</b>",
            ],
            left=2,
        )
        for each in frame.values
    )
    note = f'<div style="{_FAINT}">and {frame.hidden:,} more</div>' if frame.hidden else ""
    return f'{head}<table style="{_TABLE}">{rows}</table>{note}'


def _metrics_table(view: RunView) -> str:
    if not view.metrics:
        return ""
    shown = list(view.metrics.items())[:METRIC_LIMIT]
    undrawn = view.series.keys() - drawn_metrics(view)
    has_curves = any(name in undrawn for name, _ in shown)
    head = ["metric", "last", "min", "max", "points", *(["curve"] if has_curves else [])]
    rows = [_row([f'<span style="{_FAINT};font-weight:normal">{text}</span>' for text in head])]
    for name, metric in shown:
        cells = [escape(one_line(name, _NAME_LIMIT)), f"<b>{format_number(metric.last)}</b>"]
        cells += [format_number(metric.min), format_number(metric.max), f"{metric.count:,}"]
        if has_curves:
            curve = view.series.get(name) if name in undrawn else None
            line = sparkline(curve.y.tolist()) if curve is not None else ""
            cells.append(f'<span style="{_CURVE}">{line}</span>' if line else "")
        rows.append(_row(cells))
    hidden = max(view.metric_count, len(view.metrics)) - len(shown)
    note = f'<div style="{_FAINT}">and {hidden:,} more metrics</div>' if hidden > 0 else ""
    return f'<table style="{_TABLE}">{"".join(rows)}</table>{note}'


def _row(cells: list[str], left: int = 1) -> str:
    styles = [*([_FIRST] * left), *([_CELL] * (len(cells) - left))]
    return "<tr>" + "".join(f'<td style="{s}">{cell}</td>' for s, cell in zip(styles, cells, strict=True)) + "</tr>"


def _log(view: RunView) -> str:
    lines = view.log_tail[-LOG_LINES:]
    if not lines:
        return ""
    earlier = None if view.log_earlier is None else view.log_earlier + len(view.log_tail) - len(lines)
    if earlier != 0:
        count = "" if earlier is None else f"{earlier + 1:,} "
        lines = (LogLine(f"… {count}earlier lines: amlnb run logs {short_id(view.id)}"), *lines[1:])
    # While the run is going the box has its full height from the first line on, so that the page does not jump.
    running = not states.is_terminal(view.state)
    return _log_box(lines, "rgba(128,128,128,0.35)", f"height:{LOG_LINES * _LINE_HEIGHT_PX}px;" if running else "")


def _log_box(lines: Sequence[LogLine], edge: str, height: str = "") -> str:
    return (
        f'<pre style="{_MONO};font-size:12px;line-height:{_LINE_HEIGHT_PX}px;{height}'
        f"margin:0;padding:4px 0 4px 12px;border:0;border-left:2px solid {edge};"
        f'background:transparent;color:inherit;white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;overflow:hidden">{lines_html(lines)}</pre>'
    )
