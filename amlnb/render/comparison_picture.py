"""Runs side by side as a picture: one chart a metric, one line style a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amlnb.render import palette
from amlnb.render.chart import RIGHT, WIDTH, Panel, curve_shapes, grid, panels
from amlnb.render.formatting import format_number, one_line
from amlnb.render.scene import Line, Scene, Shape, Text, text_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amlnb.specs.comparison_view import ComparedRun, ComparisonView

RUN_LIMIT = 12
PANEL_LIMIT = 6
_PANEL_HEIGHT = {1: 230, 2: 190, 3: 150}  # by number of columns
_LEGEND_LINE, _SAMPLE = 20, 26
# With as many dashes as colours each run would have one of each; one dash fewer tells 30 runs apart.
_DASHES: tuple[tuple[float, ...], ...] = ((), (6.0, 3.5), (1.8, 2.8), (10.0, 3.0, 1.8, 3.0), (14.0, 4.0))


def run_colour(number: int) -> str:
    """Colour of the run at this position of a comparison."""
    return palette.CURVES[number % len(palette.CURVES)]


def run_dash(number: int) -> tuple[float, ...]:
    """Dashes of its line, for those who do not tell the colours apart."""
    return _DASHES[number % len(_DASHES)]


def run_mark(number: int) -> str:
    """A character in the manner of its dashes, for where there is no picture."""
    return "━╍┅┉╸"[number % len(_DASHES)]


def shared_metrics(runs: Sequence[ComparedRun]) -> list[str]:
    """Metrics of which at least two runs have a curve, those that most runs have first."""
    counts: dict[str, int] = {}
    for run in runs[:RUN_LIMIT]:
        for name in run.series:
            counts[name] = counts.get(name, 0) + 1
    return sorted((name for name, count in counts.items() if count > 1), key=lambda name: -counts[name])


def comparison_scene(view: ComparisonView) -> Scene | None:
    """Lay out the overlaid curves; None if no two runs share a metric that has a curve.

    At most 12 runs and 6 charts are drawn; a last line tells how many metrics have none.
    """
    runs, metrics = view.runs[:RUN_LIMIT], shared_metrics(view.runs)
    shown = metrics[:PANEL_LIMIT]
    if not shown:
        return None
    shapes, height = _legend(runs)
    places, height = panels(len(shown), height, _PANEL_HEIGHT)
    for name, panel in zip(shown, places, strict=True):
        shapes += _panel(runs, name, panel)
    if len(metrics) > len(shown):
        text = f"{len(metrics) - len(shown):,} more shared metrics not drawn"
        shapes.append(Text(WIDTH, height + 14, text, palette.FAINT, 11, "end"))
        height += 20
    label = f"Curves of {', '.join(one_line(name, 40) for name in shown)} of the runs "
    label += ", ".join(one_line(run.label, 40) for run in runs)
    return Scene(WIDTH, round(height + 4), label, tuple(shapes))


def _legend(runs: Sequence[ComparedRun]) -> tuple[list[Shape], float]:
    """A piece of each run's line and its name, on as many lines as it takes; and the height of all that."""
    shapes: list[Shape] = []
    x, y = 4.0, 14.0
    for number, run in enumerate(runs):
        name = one_line(run.label, 40)
        width = _SAMPLE + 6 + text_width(name, 12, bold=True)
        if x > 4.0 and x + width > WIDTH:
            x, y = 4.0, y + _LEGEND_LINE
        colour = run_colour(number)
        shapes.append(Line(((x, y), (x + _SAMPLE, y)), colour, 2.2, dash=run_dash(number)))
        shapes.append(Text(x + _SAMPLE + 6, y + 4.5, name, colour, 12, bold=True))
        x += width + 18
    return shapes, y + 18


def _panel(runs: Sequence[ComparedRun], name: str, panel: Panel) -> list[Shape]:
    curves = [(number, run.series[name]) for number, run in enumerate(runs) if name in run.series]
    x_scale, y_scale = panel.scales([curve for _, curve in curves])
    shapes = _titles(runs, name, panel) + grid(x_scale, y_scale)
    for number, curve in curves:
        shapes += curve_shapes(curve, x_scale, y_scale, run_colour(number), run_dash(number))
    return shapes


def _titles(runs: Sequence[ComparedRun], name: str, panel: Panel) -> list[Shape]:
    """The metric at the left; at the right each run's last value in its colour, if there is room for all."""
    values = [(number, format_number(run.metrics[name])) for number, run in enumerate(runs) if name in run.metrics]
    room = panel.width - RIGHT - sum(text_width(text, 12, bold=True) + 12 for _, text in values)
    shapes: list[Shape] = []
    if room >= text_width(one_line(name, 12), 12, bold=True):
        x = panel.left + panel.width - RIGHT
        for number, text in reversed(values):
            shapes.append(Text(x, panel.top + 14, text, run_colour(number), 12, "end", bold=True))
            x -= text_width(text, 12, bold=True) + 12
    else:
        room = panel.width - RIGHT
    return [
        Text(panel.left + 4, panel.top + 14, one_line(name, max(6, int(room / 7.2))), palette.INK, 12, bold=True),
        *shapes,
    ]
