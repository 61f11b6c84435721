"""A picture as plain shapes, laid out once and painted as SVG or PNG."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A stroke through points, in pixels from the top left; ``dash`` is lengths of strokes and gaps in turn."""

    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.0
    opacity: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True)
class Area:
    """A filled polygon without an outline."""

    points: tuple[tuple[float, float], ...]
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    colour: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Text:
    """One line of text; ``y`` is its baseline, ``anchor`` is start, middle or end."""

    x: float
    y: float
    text: str
    colour: str
    size: float = 12.0
    anchor: str = "start"
    bold: bool = False


Shape = Line | Area | Dot | Text


@dataclass(frozen=True)
class Scene:
    """Shapes in painting order, and what a screen reader says of them."""

    width: int
    height: int
    label: str
    shapes: tuple[Shape, ...]


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Estimate how wide a text of a sans-serif face is, rather too wide than too narrow."""
    units = sum(
        0.32 if c in "il.,:;|!'()[]/ f tjI" else 0.9 if c in "mwMW@%" else 0.69 if c.isupper() else 0.58 for c in text
    )
    return units * size * (1.06 if bold else 1.0)
