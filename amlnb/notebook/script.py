"""The text of a cell's script: imports, parameters, definitions, values, the cell."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from amlnb.api.cell_code import CELL_MARK, LOADER, PARAMETERS_MARK, RESULTS_MARK, VALUES_MARK
from amlnb.notebook.symbols import DefinitionSymbol, ImportSymbol, StoredValue, ValueSymbol, format_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FUTURE = "from __future__ import annotations"


def write(
    title: str,
    imports: Sequence[ImportSymbol],
    parameters: Mapping[str, object],
    body: Sequence[DefinitionSymbol | ValueSymbol],
    cell: str,
    results: Sequence[str] = (),
) -> tuple[str, int]:
    """Assemble a script.

    Parameters
    ----------
    title
        First line of the docstring.
    imports, parameters, body
        What stands above the cell, `body` in an order that executes.
    cell
        The cell's text; kept as it is, but for ``__future__`` imports, which a script must begin with.
    results
        Names whose values are kept when the cell has ended.

    Returns
    -------
    tuple of (str, int)
        The text, and the 1-based line on which the cell begins. The same input gives the same text.
    """
    future, cell = _split_future(cell)
    if any(isinstance(item, DefinitionSymbol) and item.lazy_annotations for item in body) and _FUTURE not in future:
        future.append(_FUTURE)
    stored = any(isinstance(item, ValueSymbol) and isinstance(item.content, StoredValue) for item in body)
    sections = [
        f'"""{_docstring_text(title)}"""',
        "\n".join(sorted(future)),
        _import_lines(imports),
        f"import {LOADER}" if stored or results else "",
        _parameter_lines(parameters),
        *_body_sections(body),
    ]
    head = _joined([*(section for section in sections if section), CELL_MARK]) + "\n"
    return head + cell.rstrip("\n") + "\n" + _results_section(results), head.count("\n") + 1


def _results_section(results: Sequence[str]) -> str:
    if not results:
        return ""
    return f"\n{RESULTS_MARK}\n{LOADER}.keep({', '.join(f'{name}={name}' for name in results)})\n"


def _split_future(cell: str) -> tuple[list[str], str]:
    """Take the ``__future__`` imports out of a cell, leaving its line numbers as they are."""
    future, lines = [], cell.split("\n")
    for index, line in enumerate(lines):
        if line.startswith("from __future__ import "):
            future.append(line.rstrip())
            lines[index] = f"# {line}"
    return future, "\n".join(lines)


def _import_lines(imports: Sequence[ImportSymbol]) -> str:
    lines = {line for symbol in imports for line in symbol.statement.splitlines()}
    return "\n".join(sorted(lines, key=lambda line: (line.startswith("from "), line)))


def _parameter_lines(parameters: Mapping[str, object]) -> str:
    if not parameters:
        return ""
    return f"{PARAMETERS_MARK}\n" + "\n".join(f"{name} = {value!r}" for name, value in parameters.items())


def _body_sections(body: Sequence[DefinitionSymbol | ValueSymbol]) -> list[str]:
    sections: list[str] = []
    values: list[str] = []
    for item in body:
        if isinstance(item, ValueSymbol):
            values.append(_value_line(item))
            continue
        sections += ["\n".join(values)] if values else []
        values = []
        sections.append(item.source.strip("\n"))
    if values:
        sections.append(f"{VALUES_MARK}\n" + "\n".join(values))
    return sections


def _joined(sections: list[str]) -> str:
    """Join sections; a function or class stands two blank lines from its neighbours."""
    text = sections[0]
    for above, below in pairwise(sections):
        text += ("\n\n\n" if _is_block(above) or _is_block(below) else "\n\n") + below
    return text


def _is_block(section: str) -> bool:
    return section.startswith(("def ", "class ", "@", "async def ")) and "\n" in section


def _value_line(item: ValueSymbol) -> str:
    if isinstance(item.content, str):
        return f"{item.name} = {item.content}"
    size = f"with {item.content.part_of}" if item.content.part_of else format_bytes(item.content.size_bytes)
    return f'{item.name} = {LOADER}.load("{item.name}")  # {_comment_text(item.summary)}, {size}'


def _comment_text(text: str) -> str:
    return " ".join(text.split())


def _docstring_text(text: str) -> str:
    return _comment_text(text).replace("\\", "/").replace('"', "'")
