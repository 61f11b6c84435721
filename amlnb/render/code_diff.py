"""How the source of runs differs, file by file: found out, and written as HTML and text."""

from __future__ import annotations

import difflib
import json
from html import escape
from typing import TYPE_CHECKING, Any

from amlnb.render import palette
from amlnb.render.comparison_picture import RUN_LIMIT
from amlnb.render.formatting import format_size, one_line, printable
from amlnb.render.table import Cell, Column, box_html, fitted_html, fitted_text, table_html, table_text
from amlnb.specs.comparison_view import FileDifference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amlnb.specs.comparison_view import CodeView, ComparisonView

FILE_LIMIT = 30
LINE_LIMIT = 250
_LINE_LENGTH = 120
# Comparing lines takes time that grows with the square of their number.
_COMPARED_LINES = 4000
_COMPARED_BYTES = 1_000_000
_ADDED, _REMOVED = "rgba(33,163,102,0.16)", "rgba(226,80,74,0.16)"
_MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"


def file_difference(
    path: str, versions: tuple[int | None, ...], contents: tuple[bytes | None, bytes | None] | None
) -> FileDifference:
    """Compare a file of two runs.

    Parameters
    ----------
    path, versions
        As in `FileDifference`.
    contents
        The file of the first run and of the second, None where it has none; None as a whole to compare no lines.
    """
    if contents is None:
        return FileDifference(path, versions)
    before, after = (None if data is None else _lines(path, data) for data in contents)
    sizes = ["absent" if data is None else format_size(len(data)) for data in contents]
    if any(data is not None and lines is None for data, lines in zip(contents, (before, after), strict=True)):
        return FileDifference(path, versions, note=f"no text, or too long: {' → '.join(sizes)}")
    note = "" if None not in contents else "only in the second" if contents[0] is None else "only in the first"
    found = list(difflib.unified_diff(before or [], after or [], lineterm="", n=3))[2:]
    return FileDifference(path, versions, tuple(found), note)


def code_html(view: ComparisonView) -> str:
    """Write how the source differs: of two runs line by line, of more which files. Of limited size and height."""
    return fitted_html(lambda room: _html(view, room), LINE_LIMIT)


def code_text(view: ComparisonView) -> str:
    """Write the same as lines of text."""
    return fitted_text(lambda room: _text(view, room), LINE_LIMIT, code_html(view))


def _html(view: ComparisonView, room: int) -> str:
    code = view.code
    if len(view.runs) == 2:
        parts = [_file_html(file, lines) for file, lines in _limited(code.files, room)]
    else:
        parts = [table_html(_versions(view, room))] if code.files else []
    return box_html(_title(code, len(view.runs)), _notes(code, len(view.runs), room), *parts)


def _text(view: ComparisonView, room: int) -> str:
    code = view.code
    parts = [_title(code, len(view.runs)), *_notes(code, len(view.runs), room)]
    if len(view.runs) == 2:
        for file, lines in _limited(code.files, room):
            parts.append(f"--- {_name(file)}")
            parts += [_shown(line) for line in lines]
    elif code.files:
        parts.append(table_text(_versions(view, room)))
    return "\n".join(parts)


def _title(code: CodeView, runs: int) -> str:
    if code.unknown:
        return f"code: not compared, because {one_line(code.unknown, 200)}"
    if not code.files:
        return f"code: the same in {'both' if runs == 2 else 'all'}"
    one = len(code.files) == 1
    same = f", {code.same:,} the same" if code.same else ""
    return f"code: {len(code.files):,} file{'' if one else 's'} differ{'s' if one else ''}{same}"


def _limited(files: Sequence[FileDifference], room: int) -> list[tuple[FileDifference, tuple[str, ...]]]:
    """Files, no more than so many lines, and those of their lines that are shown."""
    found = []
    for file in files[: min(FILE_LIMIT, room)]:
        found.append((file, file.diff[:room]))
        room -= len(found[-1][1])
    return found


def _notes(code: CodeView, runs: int, room: int) -> list[str]:
    notes = []
    hidden_files = len(code.files) - min(FILE_LIMIT, room)
    if hidden_files > 0:
        notes.append(f"not shown: {hidden_files:,} more file{'' if hidden_files == 1 else 's'}")
    if runs == 2:
        hidden = sum(len(file.diff) - len(lines) for file, lines in _limited(code.files, room))
        if hidden:
            notes.append(f"not shown: {hidden:,} more lines")
    elif code.files:
        notes.append("the same letter is the same content")
    return notes


def _name(file: FileDifference) -> str:
    return one_line(file.path, 120) + (f" ({one_line(file.note, 120)})" if file.note else "")


def _file_html(file: FileDifference, lines: Sequence[str]) -> str:
    head = f'<div style="margin:6px 0 2px 0">{escape(_name(file))}</div>'
    if not lines:
        return head
    body = "\n".join(_line_html(line) for line in lines)
    style = (
        f"{_MONO};font-size:12px;line-height:17px;margin:0;padding:0;border:0;background:transparent;white-space:pre"
    )
    return f'{head}<pre style="{style}">{body}</pre>'


def _line_html(line: str) -> str:
    text = escape(_shown(line), quote=False)
    if line.startswith("@@"):
        return f'<span style="color:{palette.FAINT}">{text}</span>'
    ground = {"+": _ADDED, "-": _REMOVED}.get(line[:1])
    return f'<span style="background-color:{ground}">{text}</span>' if ground else text


def _shown(line: str) -> str:
    """Keep indentation; cut what is too long for a page."""
    line = printable(line.expandtabs(4)).replace("\n", " ")
    return line if len(line) <= _LINE_LENGTH else line[: _LINE_LENGTH - 1] + "…"


def _versions(view: ComparisonView, room: int) -> list[Column]:
    files = view.code.files[: min(FILE_LIMIT, room)]
    columns = [Column(Cell("file"), tuple(Cell(_name(file)) for file in files), left=True)]
    for number, run in enumerate(view.runs[:RUN_LIMIT]):
        cells = tuple(Cell(_letter(file.versions[number])) for file in files)
        columns.append(Column(Cell(one_line(run.label, 24)), cells))
    return columns


def _letter(version: int | None) -> str:
    return "–" if version is None else chr(ord("a") + version % 26)


def _lines(path: str, data: bytes) -> list[str] | None:
    """Lines of a text file that is short enough to be compared, those of a notebook's cells; else None."""
    if len(data) > _COMPARED_BYTES or b"\0" in data:
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if path.endswith(".ipynb"):
        text = _cells(text)
    lines = text.splitlines()
    return lines if len(lines) <= _COMPARED_LINES else None


def _cells(text: str) -> str:
    """A notebook as the text of its cells: its outputs are no source."""
    try:
        cells: Any = json.loads(text)["cells"]
        sources = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (ValueError, TypeError, KeyError, RecursionError):
        return text
    return "\n\n".join(f"# %% [{kind}]\n{source}" for kind, source in sources)
