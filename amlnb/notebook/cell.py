"""A cell's text as Python: parsed, or refused with the line that a run cannot execute."""

from __future__ import annotations

import ast
import re

from amlnb.api.cell_lines import FIRST_LINE
from amlnb.errors import UserErrorException
from amlnb.notebook.source_lines import split_lines

# What IPython adds to Python: `%magic`, `%%magic`, `!command`, `x = %magic`, `x = !command`, `name?`, `?name`.
_MAGIC = re.compile(r"^\s*(?:%%?\w|!)|^[\w\s.,\[\]]+=\s*(?:%\w|!)")
_HELP = re.compile(r"^\s*\?{1,2}\w|^\s*%?[\w.]+\?{1,2}\s*$")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ASYNC = (ast.Await, ast.AsyncFor, ast.AsyncWith)
_NAMED_AT_MOST = 4
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class CellException(UserErrorException):
    """A cell cannot become a run as it stands."""


def parse(source: str) -> ast.Module:
    """Parse a cell's text.

    Parameters
    ----------
    source
        The cell without its ``%%submit`` line.

    Raises
    ------
    CellException
        If the cell is empty, is not Python, or uses IPython's own syntax or a top-level ``await``; the message gives
        the line as the notebook counts it: the magic is line 1.
    """
    if "\0" in source:
        raise CellException("The cell holds a NUL character, which Python does not read.", "delete it and submit again")
    for number, line in enumerate(split_lines(source), start=FIRST_LINE):
        if _SURROGATE.search(line):
            raise CellException(
                f"Line {number} of the cell holds half of a character, which no file can: {_short(ascii(line))}",
                r"delete it, or write it as an escape (\ud800)",
            )
    try:
        tree = ast.parse(source)
        if not tree.body:
            raise CellException("The cell has no code to run.", "write the code below the %%submit line")
        _refuse_await(tree, source)
        _refuse_global(tree)
        # `return` outside a function and the like: these parse, and do not compile.
        compile(source, "<cell>", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise _not_python(source, error) from error
    except (RecursionError, MemoryError) as error:
        raise too_deep() from error
    return tree


def too_deep() -> CellException:
    """What to raise where Python's own limits are reached."""
    return CellException("The cell is nested too deeply for Python to read.", "simplify its expressions")


def _not_python(source: str, error: SyntaxError) -> CellException:
    lines = list(enumerate(split_lines(source), start=FIRST_LINE))
    # A line of a text may look like a magic: one of them has to be where Python stumbled.
    at = {(error.lineno or 0) + FIRST_LINE - 1 - back for back in (0, 1)}
    magics = [(number, line) for number, line in lines if _MAGIC.match(line)]
    if any(number in at for number, _ in magics):
        subject, these = _lines_of_cell(magics)
        verb, it = ("is", "it") if len(magics) == 1 else ("are", "them")
        return CellException(
            f"{subject} {verb} IPython's, not Python's, and a run is plain Python: {these}",
            f"move {it} to a cell above, or use subprocess.run(...) for a command",
        )
    questions = [(number, line) for number, line in lines if _HELP.match(line)]
    if any(number in at for number, _ in questions):
        subject, these = _lines_of_cell(questions)
        verb, it = ("asks", "that line") if len(questions) == 1 else ("ask", "those lines")
        return CellException(f"{subject} {verb} IPython for help, which a run cannot answer: {these}", f"delete {it}")
    where = f"Line {error.lineno + FIRST_LINE - 1} of the cell" if error.lineno else "The cell"
    text = f": {_short(error.text)}" if error.text else ""
    return CellException(f"{where} is not valid Python ({error.msg}){text}", "correct it and submit again")


def _lines_of_cell(lines: list[tuple[int, str]]) -> tuple[str, str]:
    """``Lines 2, 5 of the cell``, and their text."""
    shown = lines[:_NAMED_AT_MOST]
    numbers = ", ".join(str(number) for number, _ in shown)
    more = f" and {len(lines) - len(shown)} more" if len(lines) > len(shown) else ""
    text = "; ".join(_short(line) for _, line in shown)
    return f"Line{'s' if len(lines) > 1 else ''} {numbers}{more} of the cell", text


def _refuse_await(tree: ast.Module, source: str) -> None:
    stack: list[ast.AST] = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, _ASYNC) or (isinstance(node, ast.comprehension) and node.is_async):
            number = node.iter.lineno if isinstance(node, ast.comprehension) else node.lineno
            raise CellException(
                f"Line {number + FIRST_LINE - 1} of the cell awaits at top level, which only a notebook can do: "
                f"{_short(split_lines(source)[number - 1])}",
                "put it in an 'async def main()' and call asyncio.run(main())",
            )
        if not isinstance(node, _SCOPES):
            stack.extend(ast.iter_child_nodes(node))


def _refuse_global(tree: ast.Module) -> None:
    for node in tree.body:
        if isinstance(node, ast.Global):
            raise CellException(
                f"Line {node.lineno + FIRST_LINE - 1} of the cell declares what is global already: {ast.unparse(node)}",
                "delete it: outside of functions every name is global",
            )


def _short(line: str) -> str:
    line = line.strip()
    return line if len(line) <= 80 else line[:77] + "..."
