"""A table in two forms: HTML in the look of the page it is on, and lines of text."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from amlnb.render import palette

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_HEIGHT_PX = 420
# One result may add 100 KB to a notebook; its text has what its HTML leaves of that.
_HTML_BYTES, _RESULT_BYTES = 68_000, 98_000
_GAP = "  "
_NO_BREAK = {ord(" "): "\N{NO-BREAK SPACE}"}


@dataclass(frozen=True)
class Cell:
    """One line of text, already free of what cannot be shown.

    Attributes
    ----------
    colour
        Of the text, or of its mark if it has one; empty for the page's own.
    strong
        Set in bold.
    mark
        One character before the text. A text that has one keeps the colour of the page, which is the easiest to read.
    """

    text: str
    colour: str = ""
    strong: bool = False
    mark: str = ""

    @property
    def plain(self) -> str:
        """The mark and the text."""
        return f"{self.mark} {self.text}" if self.mark else self.text


@dataclass(frozen=True)
class Column:
    """A column: its head, and a cell for each row; ``left`` aligns it there, ``mono`` sets it in equal widths."""

    head: Cell
    cells: tuple[Cell, ...]
    left: bool = False
    mono: bool = False


def fitted_html(written: Callable[[int], str], count: int) -> str:
    """Write as many of ``count`` rows as fit, one at least: a notebook keeps every byte."""
    return _fitted(written, count, _HTML_BYTES)


def fitted_text(written: Callable[[int], str], count: int, html: str) -> str:
    """Write as many of ``count`` rows as lines of text as fit beside the same result's HTML."""
    return _fitted(written, count, _RESULT_BYTES - len(html.encode()))


def _fitted(written: Callable[[int], str], count: int, limit_bytes: int) -> str:
    while len((found := written(count)).encode()) > limit_bytes and count > 1:
        count = count * 3 // 4
    return found


def box_html(title: str, notes: Sequence[str], *parts: str) -> str:
    """Put a title, faint lines of notes and parts that are HTML into a box of limited height: it scrolls inside."""
    told = [f"<div><b>{escape(title)}</b></div>"] if title else []
    told += [f'<div style="color:{palette.FAINT};margin:2px 0">{escape(text)}</div>' for text in notes]
    style = f"font-size:13px;line-height:1.35;max-height:{MAX_HEIGHT_PX}px;overflow:auto"
    return f'<div style="{style}">{"".join(told)}{"".join(parts)}</div>'


def table_html(columns: Sequence[Column]) -> str:
    """Write a table.

    Its rules, its padding and its striped rows are the page's own (JupyterLab, nbconvert and GitHub all bring them), so
    a hundred rows stay small, and fit their theme.
    """
    head = "".join(_cell_html(column.head, column, "th") for column in columns)
    rows = zip(*(column.cells for column in columns), strict=True)
    body = "".join(
        f"<tr>{''.join(_cell_html(cell, column, 'td') for cell, column in zip(row, columns, strict=True))}</tr>\n"
        for row in rows
    )
    style = "margin:0;font-size:inherit;color:inherit;border-collapse:collapse;text-align:right"
    # Where the page brings no padding, the old attribute gives some.
    return f'<table cellpadding="4" style="{style}">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>'


def table_text(columns: Sequence[Column]) -> str:
    """Write a table as lines in columns."""
    widths = [max(_width(cell.plain) for cell in (column.head, *column.cells)) for column in columns]
    lines = zip(*((column.head, *column.cells) for column in columns), strict=True)
    return "\n".join(
        _GAP.join(
            _padded(cell.plain, width, left=column.left)
            for cell, column, width in zip(line, columns, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _cell_html(cell: Cell, column: Column, tag: str) -> str:
    styles = []
    if column.left:
        styles.append("text-align:left;white-space:nowrap")
    if column.mono and tag == "td":
        styles.append("font-family:monospace")
    if cell.colour and not cell.mark:
        styles.append(f"color:{cell.colour}")
    style = f' style="{";".join(styles)}"' if styles else ""
    # A cell is one line. In the many of numbers, characters that do not break are shorter than a style that forbids it;
    # names keep their spaces, for those who copy them.
    text = escape(cell.text if column.left else cell.text.translate(_NO_BREAK), quote=False)
    if cell.mark:
        text = f'<span style="color:{cell.colour}">{escape(cell.mark)}</span>\N{NO-BREAK SPACE}{text}'
    return f"<{tag}{style}>{f'<b>{text}</b>' if cell.strong else text}</{tag}>"


def _padded(text: str, width: int, *, left: bool) -> str:
    room = " " * (width - _width(text))
    return text + room if left else room + text


def _width(text: str) -> int:
    """Columns that a text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in ("W", "F") else 1 for c in text
    )
