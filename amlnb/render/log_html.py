"""Lines of a log as HTML: a terminal's colours as inline styles that are readable on a white and on a dark page."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from amlnb.render import palette
from amlnb.render.formatting import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amlnb.specs.run_view import LogLine, TextStyle


def lines_html(lines: Iterable[LogLine]) -> str:
    """Write lines of a log, one a line, as the content of a ``<pre>``; everything in them is escaped."""
    return "\n".join(_line(line) for line in lines)


def _line(line: LogLine) -> str:
    parts, end = [], 0
    for begin, stop, style in line.styles:
        parts.append(escape(printable(line.text[end:begin])))
        text = escape(printable(line.text[begin:stop]))
        css = _css(style)
        parts.append(f'<span style="{css}">{text}</span>' if css else text)
        end = stop
    return "".join(parts) + escape(printable(line.text[end:]))


@lru_cache(maxsize=256)
def _css(style: TextStyle) -> str:
    """Inline style. Text on the page's own ground is made readable; on a ground of its own it is as it was meant."""
    colour, ground = style.colour, style.ground
    if style.inverse:
        colour, ground = ground, colour
    found = []
    if ground is not None:
        behind = palette.terminal_rgb(ground)
        found.append(f"background-color:{palette.hex_colour(behind)}")
        front = palette.contrasting(behind, None if colour is None else palette.terminal_rgb(colour))
        found.append(f"color:{palette.hex_colour(front)}")
    elif style.inverse:
        found.append(f"background-color:{palette.INVERSE}")
    if ground is None and colour is not None:
        found.append(f"color:{palette.hex_colour(palette.readable(palette.terminal_rgb(colour)))}")
    if style.bold:
        found.append("font-weight:bold")
    if style.dim:
        found.append("opacity:0.7")
    if style.italic:
        found.append("font-style:italic")
    if style.underline:
        found.append("text-decoration:underline")
    return ";".join(found)
