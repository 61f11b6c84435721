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

_WIDTH = 240
_STYLED_PARTS = 120


def lines_html(lines: Iterable[LogLine]) -> str:
    """Write lines of a log, one a line, as the content of a ``<pre>``; everything in them is escaped.

    Of limited size: lines are cut at 240 characters, and behind 120 styled parts the text is plain.
    """
    written, left = [], _STYLED_PARTS
    for line in lines:
        written.append(_line(line, left))
        left -= len(line.styles)
    return "\n".join(written)


def _line(line: LogLine, styled_parts: int) -> str:
    shown = line.text if len(line.text) <= _WIDTH else line.text[: _WIDTH - 1] + "…"
    parts, end = [], 0
    for begin, stop, style in line.styles[: max(0, styled_parts)]:
        parts.append(_text(shown[end:begin]))
        text, css = _text(shown[begin:stop]), _css(style)
        parts.append(f'<span style="{css}">{text}</span>' if css and text else text)
        end = stop
    return "".join(parts) + _text(shown[end:])


def _text(text: str) -> str:
    return escape(printable(text), quote=False)


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
