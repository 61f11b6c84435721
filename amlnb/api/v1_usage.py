"""What a project uses of Azure ML's SDK v1: names found in its scripts and notebooks, without running any of it."""

from __future__ import annotations

import ast
import json
import os
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from amlnb.api import v1_names
from amlnb.api.v1_names import Status
from amlnb.api.v1_reader import Reader
from amlnb.errors import UserErrorException

_LEFT_OUT = frozenset(
    {".git", ".venv", "venv", "__pycache__", ".ipynb_checkpoints", "node_modules", ".amlnb", "site-packages"}
)
_OF_FILES = ("file", "writefile")
_OF_OTHER_LANGUAGES = {
    "!", "HTML", "R", "SVG", "bash", "cmd", "cython", "html", "javascript", "js", "latex", "markdown", "perl",
    "powershell", "ruby", "script", "sh", "sql", "svg", "sx", "system",
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """A name of v1 that a project uses.

    Attributes
    ----------
    name
        Such as ``azureml.core.Workspace`` (imported), ``Workspace.from_config`` or ``Workspace.create(sku=)``.
    places
        ``(file, line)`` of each use; the line of a notebook counts within its cell, which ``file`` names.
    """

    name: str
    status: Status
    places: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes
    ----------
    files
        Number of files that were read.
    unread
        ``(file, why)`` of those that cannot be.
    """

    found: tuple[Found, ...]
    files: int
    unread: tuple[tuple[str, str], ...]


def examine(path: str) -> Report:
    """Read a script, a notebook or a folder of them.

    Raises
    ------
    UserErrorException
        There is no such path, or it holds neither.
    """
    if not os.path.exists(path):
        raise UserErrorException(f"there is no file or folder {path!r}", hint=f"paths are relative to {os.getcwd()!r}")
    paths = sorted(_files(path))
    if not paths:
        raise UserErrorException(f"{path!r} holds no .py and no .ipynb file", hint="give the project's folder")
    uses: dict[str, tuple[Status, list[tuple[str, int]]]] = {}
    unread = []
    for each in paths:
        try:
            sources = list(_sources(each))
        except (OSError, ValueError, SyntaxError) as error:
            unread.append((each, str(error)))
            continue
        reader = Reader()
        for place, source in sources:
            try:
                tree = ast.parse(source)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                unread.append((place, f"is no Python: {error}"))
                continue
            reader.read(tree)
            for name, line, status in reader.take():
                uses.setdefault(name, (status, []))[1].append((place, line))
    order = [v1_names.NOT_SERVED, v1_names.UNKNOWN, v1_names.PARTLY, v1_names.SERVED]
    found = [Found(name, status, tuple(dict.fromkeys(places))) for name, (status, places) in uses.items()]
    found.sort(key=lambda each: (order.index(each.status.word), each.name))
    return Report(tuple(found), len(paths), tuple(unread))


def _files(path: str) -> Iterator[str]:
    if os.path.isfile(path):
        yield path
        return
    for top, folders, names in os.walk(path):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        yield from (os.path.join(top, name) for name in names if name.endswith((".py", ".ipynb")))


def _sources(path: str) -> Iterator[tuple[str, str]]:
    """``(place, Python text)``: of a script itself, of a notebook each code cell, its magics made Python."""
    if not path.endswith(".ipynb"):
        with tokenize.open(path) as file:
            yield path, file.read()
        return
    with open(path, encoding="utf-8-sig") as file:
        notebook = json.load(file)
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise ValueError("is no notebook of format 4")  # noqa: TRY004 - as a file that is no JSON
    for number, cell in enumerate(cells, 1):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", "")
            text = _python("".join(map(str, source)) if isinstance(source, list) else str(source))
            if text is not None:
                yield f"{path}, cell {number}", text


def _python(source: str) -> str | None:
    """Python of a cell, line by line; None where a magic makes it another language, or another kind of file."""
    from IPython.core.inputtransformer2 import TransformerManager

    first, _, rest = source.lstrip().partition("\n")
    blank = source[: len(source) - len(source.lstrip())]
    if first.startswith("%%"):
        magic, _, words = first[2:].partition(" ")
        if magic in _OF_OTHER_LANGUAGES or (magic in _OF_FILES and not words.strip().endswith(".py")):
            return None
        blank, source = blank + "\n", rest
    text = source.lstrip("\n")
    lines = blank.count("\n") + len(source) - len(text)
    return "\n" * lines + TransformerManager().transform_cell(text)  # type: ignore[no-untyped-call]
