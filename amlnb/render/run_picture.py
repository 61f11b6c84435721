"""A run as a picture: its state on a line, its curves below."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from amlnb.core import states
from amlnb.render import palette
from amlnb.render.axes import Scale
from amlnb.render.chart import RIGHT, WIDTH, Panel, curve_shapes, grid, panels
from amlnb.render.formatting import format_clock, format_duration, format_number, format_progress, one_line
from amlnb.render.metric_groups import MetricGroup, group_metrics
from amlnb.render.scene import Area, Dot, Line, Scene, Shape, Text, text_width

if TYPE_CHECKING:
    from amlnb.specs.run_view import Progress, RunView, Series

_HEADER = 38
_BAR_Y = 33.0
_NAME_ROOM = 110
_NARROW, _TITLE_ROOM = 300, 40  # a chart's width below which its texts are smaller; what its title has at least
_PANEL_HEIGHT = {1: 210, 2: 180, 3: 150}  # by number of columns
PANEL_LIMIT = 6
LINE_LIMIT = 6


def run_scene(view: RunView, *, as_of: float | None = None) -> Scene:
    """Lay out a run's picture.

    Parameters
    ----------
    view
        The run.
    as_of
        Unix time of a picture that will be replaced by a newer one: told in it, because the one that replaces it may
        never come. None for a final one.

    Notes
    -----
    The height depends only on how many charts there are, so that a page does not jump while a curve grows. At most 6
    charts of 6 curves are drawn; a last line tells how many metrics have none.
    """
    groups = group_metrics(view.series)
    shown = groups[:PANEL_LIMIT]
    height = float(_HEADER)
    shapes = _header(view, as_of)
    if shown:
        places, height = panels(len(shown), height, _PANEL_HEIGHT)
        for group, panel in zip(shown, places, strict=True):
            shapes += _panel(view, group, panel)
    hidden = len(groups) - len(shown)
    if hidden > 0:
        text = f"{hidden} more curve{'s' if hidden > 1 else ''} not drawn"
        shapes.append(Text(WIDTH, height + 14, text, palette.FAINT, 11, "end"))
        height += 20
    return Scene(WIDTH, round(height + 4), _label(view), tuple(shapes))


def drawn_metrics(view: RunView) -> frozenset[str]:
    """Names of the metrics whose curves the picture holds."""
    groups = group_metrics(view.series)[:PANEL_LIMIT]
    return frozenset(name for group in groups for name, _ in group.members[:LINE_LIMIT])


def _header(view: RunView, as_of: float | None) -> list[Shape]:
    colour = palette.state_colour(view.state)
    middle = 19.0
    shapes: list[Shape] = _state_mark(view.state, 10, middle, colour)
    shapes.append(Text(24, middle + 4.5, view.state, colour, 13, bold=True))
    name_x = 24 + text_width(view.state, 13, bold=True) + 16
    told = "" if as_of is None else f"as of {format_clock(as_of)}"  # last, so that it stays in its place
    right = " · ".join(part for part in (_timing(view), f"on {one_line(view.target, 24)}", told) if part)
    right_x = WIDTH - text_width(right, 12) - 16
    room = right_x - name_x
    progress = _progress(view.progress, room - _NAME_ROOM) if view.progress is not None else ""
    name = one_line(view.name, max(8, int((room - text_width(progress, 12)) / 7.4)))
    shapes.append(Text(name_x, middle + 4.5, name, palette.INK, 13))
    if view.progress is not None:
        shapes.append(Text(name_x + text_width(name, 13) + 14, middle + 4.5, progress, colour, 12))
        shapes += _bar(view.progress, colour)
    shapes.append(Text(WIDTH, middle + 4.5, right, palette.FAINT, 12, "end"))
    return shapes


def _progress(progress: Progress, room: float) -> str:
    text = format_progress(progress)
    return text if text_width(text, 12) <= room else format_progress(replace(progress, text=None))


def _bar(progress: Progress, colour: str) -> list[Shape]:
    """A thin line across the picture below its header, as far as the run has come."""
    whole = Line(((1, _BAR_Y), (WIDTH - 1, _BAR_Y)), palette.GRID, 2.5, 0.25)
    x = 1 + (WIDTH - 2) * progress.fraction
    return [whole, Line(((1, _BAR_Y), (x, _BAR_Y)), colour, 2.5)] if x > 2 else [whole]


def _state_mark(state: str, x: float, y: float, colour: str) -> list[Shape]:
    """A mark whose form differs by state, for those who do not tell the colours apart."""
    if state == states.COMPLETED:
        return [Line(((x - 5, y), (x - 1.5, y + 4), (x + 5.5, y - 4.5)), colour, 2.4)]
    if state == states.FAILED:
        return [
            Line(((x - 4, y - 4), (x + 4, y + 4)), colour, 2.4),
            Line(((x - 4, y + 4), (x + 4, y - 4)), colour, 2.4),
        ]
    if state == states.CANCELED:
        return [Area(((x - 4, y - 4), (x + 4, y - 4), (x + 4, y + 4), (x - 4, y + 4)), colour)]
    if state == states.RUNNING:
        return [Dot(x, y, 7.5, colour, 0.22), Dot(x, y, 4.2, colour)]
    return [Dot(x, y, 4.2, colour, 0.9 if colour != palette.GREY else 0.55)]


def _timing(view: RunView) -> str:
    if view.state == states.NOT_STARTED and view.reason:
        return one_line(view.reason, 60)
    if view.started is None:
        return "waiting for a free slot" if view.state == states.QUEUED else ""
    return format_duration(view.elapsed_s, whole=_is_live(view))


def _panel(view: RunView, group: MetricGroup, panel: Panel) -> list[Shape]:
    members = group.members[:LINE_LIMIT]
    curves = [view.series[name] for name, _ in members]
    x_scale, y_scale = panel.scales(curves)
    shapes = _titles(view, group, panel)
    shapes += grid(x_scale, y_scale)
    for number, curve in enumerate(curves):
        shapes += _curve(curve, x_scale, y_scale, palette.CURVES[number % len(palette.CURVES)], live=_is_live(view))
    return shapes


def _titles(view: RunView, group: MetricGroup, panel: Panel) -> list[Shape]:
    """The quantity at the left; at the right each curve's last value in its colour."""
    shapes: list[Shape] = []
    size, gap = (12, 12) if panel.width > _NARROW else (11, 8)
    x = panel.left + panel.width - RIGHT
    for number, (name, label) in reversed(list(enumerate(group.members[:LINE_LIMIT]))):
        value = format_number(view.metrics[name].last) if name in view.metrics else ""
        text = value if len(group.members) == 1 else f"{one_line(label, 12)} {value}"
        if x - text_width(text, size, bold=True) < panel.left + _TITLE_ROOM:
            break
        shapes.append(
            Text(x, panel.top + 14, text, palette.CURVES[number % len(palette.CURVES)], size, "end", bold=True)
        )
        x -= text_width(text, size, bold=True) + gap
    room = max(6, int((x - panel.left - 4) / (size * 0.6)))
    shapes.insert(0, Text(panel.left + 4, panel.top + 14, one_line(group.title, room), palette.INK, size, bold=True))
    return shapes


def _curve(curve: Series, x_scale: Scale, y_scale: Scale, colour: str, *, live: bool) -> list[Shape]:
    shapes = curve_shapes(curve, x_scale, y_scale, colour)
    finite = np.flatnonzero(np.isfinite(curve.y) & np.isfinite(curve.x))
    if len(finite) and live:
        x, y = x_scale(float(curve.x[finite[-1]])), y_scale(float(curve.y[finite[-1]]))
        shapes += [Dot(x, y, 6.0, colour, 0.22), Dot(x, y, 3.0, colour)]
    return shapes


def _is_live(view: RunView) -> bool:
    return not states.is_terminal(view.state)


def _label(view: RunView) -> str:
    last = ", ".join(
        f"{one_line(name, 40)} {format_number(metric.last)}"
        for name, metric in list(view.metrics.items())[:PANEL_LIMIT]
    )
    return f"Run {one_line(view.name, 60)}: {view.state}" + (f"; {last}" if last else "")
