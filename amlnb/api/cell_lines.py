"""Lines of a cell's script as lines of the cell: what a traceback in the notebook should name."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from amlnb.core import coercion
from amlnb.render.run_failure import THE_CELL
from amlnb.specs.run_view import LogLine

if TYPE_CHECKING:
    from amlnb.specs.run_view import RunView

# Kept with the run: 1-based line of its script on which the cell begins.
LINE_PROPERTY = "notebook.cell_line"
# The person sees the magic on line 1 of the cell; what it passes on begins below.
FIRST_LINE = 2
SCRIPT_NAMES = ("cell.py", "submitted_cell.py")  # the second where the notebook's folder has the first
_FRAME = re.compile(rf'File "[^"]*?({"|".join(re.escape(name) for name in SCRIPT_NAMES)})", line (\d+)')


def cell_line(record: dict[str, Any]) -> int | None:
    """Line of the script on which the cell begins, by a run's record; None if the run is of no cell."""
    text = str(coercion.mapping(record.get("properties")).get(LINE_PROPERTY, ""))
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None


def in_cell_lines(view: RunView, begins: int | None) -> RunView:
    """Name lines of the cell where the log's tail and the error name lines of its script.

    Parameters
    ----------
    view
        A run.
    begins
        As `cell_line` gives it; with None the view is returned as it is. What stands above the cell in the script
        (definitions of other cells) keeps the script's lines.
    """
    if begins is None:
        return view

    def of_cell(found: re.Match[str]) -> str:
        line = int(found[2]) - begins
        return found[0] if line < 0 else f'File "{THE_CELL}", line {line + FIRST_LINE}'

    return replace(
        view,
        log_tail=tuple(_line(line, _FRAME.sub(of_cell, line.text)) for line in view.log_tail),
        error=error_in_cell_lines(view.error, begins),
    )


def _line(line: LogLine, text: str) -> LogLine:
    return line if text == line.text else LogLine(text)  # its colours no longer stand where they did


def error_in_cell_lines(error: dict[str, Any] | None, begins: int | None) -> dict[str, Any] | None:
    """Tell in a run's error where in the cell it was, and name lines of the cell in its frames."""
    if begins is None:
        return error
    details = coercion.mapping((error or {}).get("details"))
    frames, last = [], None
    for frame in coercion.items(details.get("frames")):
        told = coercion.mapping(frame)
        line = told.get("line")
        if os.path.basename(str(told.get("file"))) in SCRIPT_NAMES and isinstance(line, int) and line >= begins:
            last = line - begins + FIRST_LINE
            told = {**told, "file": THE_CELL, "line": last}
        frames.append(told)
    if not error or last is None:
        return error
    message = f"{error.get('message')} (line {last} of the cell)"
    return {**error, "message": message, "details": {**details, "frames": frames}}
