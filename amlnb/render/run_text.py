"""A run as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amlnb.core import states
from amlnb.render import palette
from amlnb.render.formatting import (
    format_clock,
    format_duration,
    format_number,
    format_progress,
    one_line,
    printable,
    sparkline,
)
from amlnb.render.run_failure import failed_frames, traceback_lines

if TYPE_CHECKING:
    from amlnb.specs.run_view import RunView

_METRIC_LIMIT = 12
_LOG_WIDTH = 160


def run_text(view: RunView, *, as_of: float | None = None) -> str:
    """Write a run's state and metrics as lines of text, for terminals and for those who read notebooks as files.

    With ``as_of``, Unix time, the first line says when it was so.
    """
    told = "" if as_of is None else f" · as of {format_clock(as_of, date=True)}"
    progress = f" · {format_progress(view.progress)}" if view.progress is not None else ""
    lines = [headline(view) + progress + told]
    if view.error:
        lines.append("  " + one_line(str(view.error.get("message") or ""), 200))
        if view.error.get("hint"):
            lines.append("  hint: " + one_line(str(view.error["hint"]), 200))
        lines += _failure(view)
    shown = list(view.metrics.items())[:_METRIC_LIMIT]
    width = max((len(one_line(name, 32)) for name, _ in shown), default=0)
    for name, metric in shown:
        curve = view.series.get(name)
        text = f"  {one_line(name, 32):<{width}}  {format_number(metric.last):>10}"
        text += f"  (min {format_number(metric.min)}, max {format_number(metric.max)}, {metric.count:,} points)"
        lines.append(text + (f"  {sparkline(curve.y.tolist())}" if curve is not None else ""))
    hidden = max(view.metric_count, len(view.metrics)) - len(shown)
    if hidden > 0:
        lines.append(f"  and {hidden:,} more metrics")
    return "\n".join(lines)


def _failure(view: RunView) -> list[str]:
    """Where a run failed: the end of its traceback, and the local values there."""
    lines = [f"  | {printable(line.text[:_LOG_WIDTH])}".rstrip() for line in traceback_lines(view)]
    for frame in failed_frames(view):
        lines.append(f"  values {frame.where}:")
        width = max(len(each.name) for each in frame.values)
        lines += [f"    {each.name:<{width}}  {each.kind}  {each.value}".rstrip() for each in frame.values]
        if frame.hidden:
            lines.append(f"    and {frame.hidden:,} more")
    return lines


def headline(view: RunView) -> str:
    """State, name, id, target and time on one line."""
    name = f"{one_line(view.display_name, 60)} · " if view.display_name else ""
    live = not states.is_terminal(view.state)
    timing = f" · {format_duration(view.elapsed_s, whole=live)}" if view.started is not None else ""
    place = f"run {one_line(view.id, 120)} · on {one_line(view.target, 40)}"
    return f"{palette.state_mark(view.state)} {view.state}  {name}{place}{timing}"


def progress_line(view: RunView) -> str:
    """One line for a log: state, time, progress, the last values of the first metrics."""
    values = [f"{one_line(name, 24)} {format_number(metric.last)}" for name, metric in list(view.metrics.items())[:4]]
    live = not states.is_terminal(view.state)
    timing = [format_duration(view.elapsed_s, whole=live)] if view.started is not None else []
    told = [format_progress(view.progress).replace(" · ", ", ")] if view.progress is not None else []
    return f"amlnb: run {one_line(view.id, 120)} {', '.join([view.state, *timing, *told, *values])}"
