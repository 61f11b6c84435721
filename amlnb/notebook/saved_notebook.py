"""A saved notebook as text: where its outputs stand, and another text in the place of some. Pure.

Everything else in the file stays as it is, to the byte: what a notebook server or a person wrote is theirs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amlnb.errors import UserErrorException

_FORMAT = 4
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()
# Besides text/*: what nbformat keeps as a list of lines.
_LINES = ("image/svg+xml",)


@dataclass(frozen=True)
class SavedOutput:
    """An output of a cell.

    Attributes
    ----------
    cell
        Number of the cell, from 0.
    begin, end
        Where it stands in the notebook's text.
    content
        The output as nbformat has it.
    """

    cell: int
    begin: int
    end: int
    content: dict[str, Any]

    def text(self, mime: str) -> str:
        """Representation of that type as one text; empty if it has none."""
        data = self.content.get("data")
        found = data.get(mime) if isinstance(data, dict) else None
        if isinstance(found, list):
            return "".join(str(line) for line in found)
        return found if isinstance(found, str) else ""


def find_outputs(text: str, name: str) -> list[SavedOutput]:
    """Find all outputs of a notebook.

    Parameters
    ----------
    text
        The notebook.
    name
        Its name, for messages.

    Raises
    ------
    UserErrorException
        It is no notebook, or one of a format older than 4.
    """
    try:
        notebook = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise _no_notebook(name, f"it is not JSON ({error})") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat"), int):
        raise _no_notebook(name, "it has no 'nbformat'")
    if notebook["nbformat"] < _FORMAT or not isinstance(notebook.get("cells"), list):
        raise UserErrorException(
            f"{name!r} is a notebook of format {notebook['nbformat']}, and only format {_FORMAT} is read",
            hint="open it in JupyterLab and save it, or use 'jupyter nbconvert --to notebook'",
        )
    found: list[SavedOutput] = []
    for key, at in _members(text, text.index("{")):
        if key != "cells":
            continue
        found.clear()  # of a key given twice the last one counts
        for number, cell in enumerate(_elements(text, at)):
            found += _outputs(text, cell, number)
    return found


def _outputs(text: str, at: int, number: int) -> list[SavedOutput]:
    found: list[SavedOutput] = []
    for key, value in _members(text, at) if text[at] == "{" else ():
        if key == "outputs" and text[value] == "[":
            found = []
            for begin in _elements(text, value):
                content, end = _DECODER.raw_decode(text, begin)
                if isinstance(content, dict):
                    found.append(SavedOutput(number, begin, end, content))
    return found


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Yield the keys of the object that begins at ``at``, and where each one's value begins. The text is valid JSON."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        yield key, at
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)


def _elements(text: str, at: int) -> Iterator[int]:
    """Yield where the elements of the list that begins at ``at`` begin."""
    at = _skip(text, at + 1)
    while text[at] != "]":
        yield at
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def with_data(output: SavedOutput, data: dict[str, Any], metadata: dict[str, Any]) -> dict[str, Any]:
    """Put a bundle into an output, in the form that the output has: texts as lists of lines, or whole.

    Of its metadata only those of representations are replaced: what else is told of the output is somebody else's.
    """
    held, told = output.content.get("data"), output.content.get("metadata")
    old = held if isinstance(held, dict) else {}
    kept = told if isinstance(told, dict) else {}
    lines = not isinstance(old.get("text/plain"), str)
    bundle = {
        mime: value.splitlines(keepends=True)
        if lines and isinstance(value, str) and (mime.startswith("text/") or mime in _LINES)
        else value
        for mime, value in data.items()
    }
    others = {name: value for name, value in kept.items() if name not in old and name not in data}
    return {**output.content, "data": bundle, "metadata": {**others, **metadata}}


def replaced(text: str, changes: list[tuple[SavedOutput, dict[str, Any]]]) -> str:
    """Put other outputs in the place of some, indented as the notebook is; the rest of the text stays as it is."""
    indent = re.search(r"\n([ \t]+)\"", text)
    unit = indent[1] if indent else None
    escaped = text.isascii() and "\\u" in text
    parts, end = [], 0
    for output, content in sorted(changes, key=lambda change: change[0].begin):
        line = text[text.rfind("\n", 0, output.begin) + 1 : output.begin]
        margin = line[: len(line) - len(line.lstrip())]
        new = json.dumps(content, indent=unit, ensure_ascii=escaped, sort_keys=True)
        newline = "\r\n" if "\r\n" in text else "\n"
        parts += [text[end : output.begin], new.replace("\n", newline + margin)]
        end = output.end
    return "".join(parts) + text[end:]


def _no_notebook(name: str, why: str) -> UserErrorException:
    return UserErrorException(f"{name!r} is no notebook: {why}", hint="give the path of an .ipynb file")
