"""What the commands print: results on stdout, all else on stderr; as JSON where a program reads them."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TextIO

import typer

from amlnb.errors import AmlnbError, UserErrorException
from amlnb.render import palette
from amlnb.render.formatting import one_line, printable

Json = Annotated[bool, typer.Option("--json", help="Print JSON; its keys are in docs/cli.md.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_ANSI = {palette.GREEN: "32", palette.RED: "31", palette.BLUE: "34", palette.AMBER: "33", palette.GREY: "2"}
_PROGRESS_S = 0.1
_PROGRESS_LENGTH = 120


def emit(value: Any) -> None:
    """Print a value as JSON on one line."""
    from amlnb.render.strict_json import strict_json

    print(strict_json(value))


def note(text: str) -> None:
    """Tell a person something that is not the result; what would command the terminal is taken out."""
    sys.stdout.flush()
    print(printable(text), file=sys.stderr, flush=True)


def tell_error(error: BaseException, *, as_json: bool) -> None:
    """Print an error on stderr: its message and hint, or ``{"error": {"type", "message", "hint"}}``."""
    message, hint = str(error), None
    if isinstance(error, AmlnbError):
        message, hint = error.message, error.hint
    elif isinstance(error, OSError) and error.strerror:
        message = f"{error.strerror}: {error.filename!r}" if error.filename else error.strerror
    if as_json:
        from amlnb.render.strict_json import strict_json

        told = {"error": {"type": type(error).__name__, "message": message, "hint": hint}}
        print(strict_json(told), file=sys.stderr)
        return
    print(f"{_paint('error:', '31', sys.stderr)} {printable(message)}", file=sys.stderr)
    if hint:
        print(f"hint: {printable(hint)}", file=sys.stderr)


def state_text(state: str, stream: TextIO | None = None) -> str:
    """Write a state with its mark, in its colour where there is one."""
    return in_colour(f"{palette.state_mark(state)} {state}", palette.state_colour(state), stream)


def in_colour(text: str, colour: str, stream: TextIO | None = None) -> str:
    """Colour a text for a stream (default: stdout), if that is a terminal and NO_COLOR is not set."""
    return _paint(text, _ANSI[colour], stream or sys.stdout)


def _paint(text: str, code: str, stream: TextIO) -> str:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    right
        Set to the right, as numbers are.
    optional
        Left out where the terminal is too narrow; the last ones first.
    paint
        Colours a cell that has its full width.
    """

    title: str
    cells: Sequence[str]
    right: bool = False
    optional: bool = False
    paint: Callable[[str], str] = str


def print_table(columns: Sequence[Column]) -> None:
    """Print columns of text, as many as fit on the terminal."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    shown = fitting(columns, width)
    widths = [_width(column) for column in shown]
    for row in range(-1, len(columns[0].cells)):
        parts = []
        for column, size in zip(shown, widths, strict=True):
            text = column.title if row < 0 else column.cells[row]
            padding = " " * (size - _cells(text))
            padded = padding + text if column.right else text + padding
            parts.append(column.paint(padded) if row >= 0 else in_colour(padded, palette.GREY))
        print("  ".join(parts).rstrip())
    if len(shown) < len(columns):
        note(f"not shown: {', '.join(column.title for column in columns if column not in shown)} (--json has all)")


def fitting(columns: Sequence[Column], width: int | None) -> list[Column]:
    """Columns that fit into so many cells, None for any number."""
    shown = list(columns)
    while width is not None and sum(_width(column) + 2 for column in shown) - 2 > width:
        optional = [column for column in shown if column.optional]
        if not optional:
            break
        shown.remove(optional[-1])
    return shown


def _width(column: Column) -> int:
    return max(_cells(text) for text in (column.title, *column.cells))


def _cells(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


@contextlib.contextmanager
def progress() -> Iterator[Callable[[str, int], None]]:
    """Give a function that shows what is being done and how far it is: on stderr, and only on a terminal."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _, __: None
        return
    from rich.console import Console

    shown_at = 0.0
    with Console(stderr=True).status("") as status:

        def show(what: str, count: int) -> None:
            nonlocal shown_at
            if time.monotonic() - shown_at >= _PROGRESS_S:
                shown_at = time.monotonic()
                from rich.text import Text

                what = one_line(what, _PROGRESS_LENGTH)
                status.update(Text(f"{what}: {count:,}" if count else what))

        yield show


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is lost.

    Raises
    ------
    UserErrorException
        There is no terminal to ask on.
    typer.Exit
        The answer is not yes.
    """
    if yes:
        return
    question = printable(question)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserErrorException(f"{question} There is no terminal to ask on", hint="give --yes to do it")
    if not typer.confirm(question, err=True):
        note("nothing was changed")
        raise typer.Exit(1)
