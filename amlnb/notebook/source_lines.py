"""Lines as Python counts them: a form feed or another separator of Unicode ends none."""

from __future__ import annotations


def normalized(source: str) -> str:
    """The same code with every line ended by one newline, and no byte order mark."""
    return source.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").replace("\r\n", "\n").replace("\r", "\n")


def split_lines(source: str) -> list[str]:
    """Split a text into lines, without their ends; `ast` counts them so."""
    return normalized(source).split("\n")
