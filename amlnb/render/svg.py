"""A scene as SVG."""

from __future__ import annotations

from html import escape

from amlnb.render.formatting import printable
from amlnb.render.scene import Area, Dot, Line, Scene, Shape, Text

_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"


def to_svg(scene: Scene) -> str:
    """Paint a scene as an SVG document; the same scene gives the same text. No script, no style sheet, no reference."""
    label = escape(printable(scene.label), quote=True)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{scene.width}" height="{scene.height}" '
        f'viewBox="0 0 {scene.width} {scene.height}" role="img" aria-label="{label}" '
        f'font-family="{_FONT}" fill="none" stroke-linejoin="round" stroke-linecap="round">'
    )
    return "".join([head, f"<title>{label}</title>", *(_shape(shape) for shape in scene.shapes), "</svg>"])


def _shape(shape: Shape) -> str:
    if isinstance(shape, Line):
        opacity = _opacity("stroke-opacity", shape.opacity)
        stroke = f'stroke="{shape.colour}" stroke-width="{shape.width:g}"{opacity}{_dash(shape.dash)}'
        return f'<path d="{_path(shape.points)}" {stroke}/>'
    if isinstance(shape, Area):
        return f'<path d="{_path(shape.points)}Z" fill="{shape.colour}"{_opacity("fill-opacity", shape.opacity)}/>'
    if isinstance(shape, Dot):
        opacity = _opacity("fill-opacity", shape.opacity)
        return f'<circle cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="{shape.radius:g}" fill="{shape.colour}"{opacity}/>'
    return _text(shape)


def _text(shape: Text) -> str:
    anchor = "" if shape.anchor == "start" else f' text-anchor="{shape.anchor}"'
    weight = ' font-weight="600"' if shape.bold else ""
    return (
        f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" font-size="{shape.size:g}" fill="{shape.colour}"{anchor}{weight}>'
        f"{escape(printable(shape.text))}</text>"
    )


def _path(points: tuple[tuple[float, float], ...]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _dash(lengths: tuple[float, ...]) -> str:
    # Round caps, as the other lines have them, would fill the gaps.
    return f' stroke-dasharray="{",".join(f"{n:g}" for n in lengths)}" stroke-linecap="butt"' if lengths else ""


def _opacity(name: str, value: float) -> str:
    return "" if value == 1 else f' {name}="{value:g}"'
