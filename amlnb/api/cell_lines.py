"""Lines of a cell's script as lines of the cell: what a traceback in the notebook should name."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from amlnb.core import coercion, layout
from amlnb.render.run_failure import THE_CELL
from amlnb.specs.run_view import LogLine

if TYPE_CHECKING:
    from amlnb.specs.run_view import RunView

# Kept with the run: 1-based line of its script on which the cell begins.
LINE_PROPERTY = "notebook.cell_line"
# The person sees the magic on line 1 of the cell; what it passes on begins below.
FIRST_LINE = 2


@dataclass(frozen=True)
class CellScript:
    """The script of a run that is a cell.

    Attributes
    ----------
    begins
        1-based line on which the cell begins.
    file
        Pattern of the names that tracebacks give the script, wherever the run's home is. Any other file is none of the
        cell's, whatever its name: ``cell.py`` is a module of many packages.
    """

    begins: int
    file: re.Pattern[str]

    def line(self, file: str, line: int) -> int | None:
        """Line of the cell that is a line of a file; None if it is of no cell."""
        ours = line >= self.begins and self.file.fullmatch(file)
        return line - self.begins + FIRST_LINE if ours else None


# As `warnings` begins a line.
_WARNING = re.compile(r"^(\S[^:\n]*\.py):(\d{1,9}):(?= \w*Warning:)")
_FRAME = re.compile(r'File "([^"]*)", line (\d{1,9})\b')


def cell_script(record: dict[str, Any]) -> CellScript | None:
    """Find a cell's script by its run's record; None if the run is of no cell."""
    text = str(coercion.mapping(record.get("properties")).get(LINE_PROPERTY, ""))
    script = str(coercion.mapping(record.get("definition")).get("script") or "")
    if not (re.fullmatch("[0-9]{1,9}", text) and script):
        return None
    directory = layout.run_directory_name(str(record.get("experiment")), str(record.get("id")))
    # Python below 3.9 tells a script's name as it was given.
    folder = f"(?:.*/{re.escape(directory)}/{layout.WORK}/)?"
    return CellScript(int(text), re.compile(folder + re.escape(script), re.DOTALL))


def in_cell_lines(view: RunView, script: CellScript | None) -> RunView:
    """Name lines of the cell where the log's tail and the error name lines of its script.

    Parameters
    ----------
    view
        A run.
    script
        As `cell_script` gives it; with None the view is returned as it is. What stands above the cell in the script
        (definitions of other cells) keeps the script's lines.
    """
    if script is None:
        return view

    def of_cell(found: re.Match[str]) -> str:
        line = script.line(found[1], int(found[2]))
        return found[0] if line is None else f'File "{THE_CELL}", line {line}'

    def warned(found: re.Match[str]) -> str:
        line = script.line(found[1], int(found[2]))
        return found[0] if line is None else f"{THE_CELL}, line {line}:"

    def told(text: str) -> str:
        return _WARNING.sub(warned, _FRAME.sub(of_cell, text))

    return replace(
        view,
        log_tail=tuple(_line(line, told(line.text)) for line in view.log_tail),
        error=error_in_cell_lines(view.error, script),
    )


def _line(line: LogLine, text: str) -> LogLine:
    return line if text == line.text else LogLine(text)  # its colours no longer stand where they did


def error_in_cell_lines(error: dict[str, Any] | None, script: CellScript | None) -> dict[str, Any] | None:
    """Tell in a run's error where in the cell it was, and name lines of the cell in its frames."""
    if script is None:
        return error
    details = coercion.mapping((error or {}).get("details"))
    frames, last = [], None
    for frame in coercion.items(details.get("frames")):
        told = coercion.mapping(frame)
        number = told.get("line")
        line = script.line(str(told.get("file")), number) if isinstance(number, int) else None
        if line is not None:
            last = line
            told = {**told, "file": THE_CELL, "line": line}
        frames.append(told)
    if not error or last is None:
        return error
    # What is below the first line may be a hint, which ends the message.
    first, newline, more = str(error.get("message")).partition("\n")
    message = f"{first.rstrip()} (line {last} of the cell){newline}{more}"
    return {**error, "message": message, "details": {**details, "frames": frames}}
