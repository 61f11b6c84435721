"""A scene as PNG, painted by matplotlib's Agg canvas. Safe in any thread: pyplot and its global state are not used."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from amlnb.render.formatting import printable
from amlnb.render.scene import Area, Dot, Line, Scene, Shape, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 100
_SMALL_BYTES = 27_000
_POINTS = 72 / _DPI  # points a pixel
_FONT = "DejaVu Sans"  # comes with matplotlib, so it is there on every machine
# This face is wider than the ones that browsers choose, for which the scene was laid out.
_NARROWER = 0.95
_BOLDER = 1.15  # Agg's strokes look thinner than a browser's


@lru_cache(maxsize=1)
def load() -> None:
    """Import what painting needs and read the font, ahead of the first picture; done once.

    In a thread beside a busy interpreter this takes many seconds, because every file that is read waits for its turn.
    """
    to_png(
        Scene(16, 16, "", (Text(1, 12, "x", "#000000"), Line(((1, 1), (9, 9)), "#000000"), Dot(5, 5, 2, "#000000"))), 1
    )


def to_png(scene: Scene, scale: int = 2) -> bytes:
    """Paint a scene as a PNG of ``scale`` times its size, on a transparent ground.

    The same scene gives the same bytes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(scene.width / _DPI, scene.height / _DPI), dpi=_DPI * scale, facecolor="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    for order, shape in enumerate(scene.shapes):
        _paint(axes, shape, order)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return _smaller(buffer.getvalue())


def to_small_png(scene: Scene, scale: int = 2) -> bytes:
    """Paint a scene for a notebook, which keeps every byte: a picture that would be large (noise) at half the scale."""
    png = to_png(scene, scale)
    return png if len(png) <= _SMALL_BYTES or scale < 2 else to_png(scene, scale // 2)


def _paint(axes: Axes, shape: Shape, order: int) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Ellipse, Polygon

    style: dict[str, Any] = {"zorder": order, "antialiased": True}
    if isinstance(shape, Line):
        xs, ys = zip(*shape.points, strict=True)
        width = shape.width * _POINTS * _BOLDER
        line = Line2D(xs, ys, color=shape.colour, alpha=shape.opacity, linewidth=width, **style)
        if shape.dash:
            line.set_dashes([length * _POINTS / width for length in shape.dash])  # counted in line widths
        line.set_solid_capstyle("round")
        line.set_solid_joinstyle("round")
        axes.add_line(line)
    elif isinstance(shape, Area):
        polygon = Polygon(shape.points, facecolor=shape.colour, edgecolor="none", alpha=shape.opacity, **style)
        axes.add_patch(polygon)
    elif isinstance(shape, Dot):
        size = 2 * shape.radius
        dot = Ellipse(
            (shape.x, shape.y), size, size, facecolor=shape.colour, edgecolor="none", alpha=shape.opacity, **style
        )
        axes.add_patch(dot)
    else:
        text = axes.text(
            shape.x,
            shape.y,
            _known(shape.text),
            color=shape.colour,
            fontsize=shape.size * _POINTS * _NARROWER,
            fontfamily=_FONT,
            fontweight="bold" if shape.bold else "normal",
            ha={"start": "left", "middle": "center", "end": "right"}[shape.anchor],
            va="baseline",
            parse_math=False,
            usetex=False,
        )
        text.set_zorder(order)


def _known(text: str) -> str:
    """Replace characters that the face does not have; matplotlib would warn of each."""
    known = _characters()
    return "".join(c if ord(c) in known else "\N{WHITE SQUARE}" for c in printable(text))


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    from matplotlib import font_manager

    return frozenset(font_manager.get_font(font_manager.findfont(_FONT)).get_charmap())


def _smaller(png: bytes) -> bytes:
    """Store the few colours of a chart as a palette: a third of the size, and notebooks keep every byte."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        buffer = io.BytesIO()
        image.quantize(128, method=Image.Quantize.FASTOCTREE).save(buffer, "png", optimize=True)
    return min(png, buffer.getvalue(), key=len)
