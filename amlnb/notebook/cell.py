"""A cell's text as Python: parsed, or refused with the line that a run cannot execute."""

from __future__ import annotations

import ast
import re

from amlnb.errors import UserErrorException

# What IPython adds to Python: `%magic`, `%%magic`, `!command`, `x = %magic`, `x = !command`, `name?`, `?name`.
_MAGIC = re.compile(r"^\s*(?:%%?\w|!)|^[\w\s.,\[\]]+=\s*(?:%\w|!)")
_HELP = re.compile(r"^\s*\?{1,2}\w|^\s*%?[\w.]+\?{1,2}\s*$")
_ASYNC = (ast.Await, ast.AsyncFor, ast.AsyncWith)
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
        the line as the reader counts it, from 1 below the magic.
    """
    if "\0" in source:
        raise CellException("The cell holds a NUL character, which Python does not read.", "delete it and submit again")
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise _not_python(source, error) from error
    except (RecursionError, MemoryError) as error:
        raise CellException("The cell is nested too deeply for Python to read.", "simplify its expressions") from error
    if not tree.body:
        raise CellException("The cell has no code to run.", "write the code below the %%submit line")
    _refuse_await(tree, source)
    try:
        compile(source, "<cell>", "exec", dont_inherit=True)
    except SyntaxError as error:  # `return` outside a function and the like: these parse, and do not compile
        raise _not_python(source, error) from error
    return tree


def _not_python(source: str, error: SyntaxError) -> CellException:
    for number, line in enumerate(source.splitlines(), start=1):
        if _MAGIC.match(line):
            return CellException(
                f"Line {number} of the cell is IPython's, not Python's, and a run is plain Python: {_short(line)}",
                "move it to a cell of its own above, or use subprocess.run(...) for a command",
            )
        if _HELP.match(line):
            return CellException(
                f"Line {number} of the cell asks IPython for help, which a run cannot answer: {_short(line)}",
                "delete that line",
            )
    where = f"Line {error.lineno} of the cell" if error.lineno else "The cell"
    text = f": {_short(error.text)}" if error.text else ""
    return CellException(f"{where} is not valid Python ({error.msg}){text}", "correct it and submit again")


def _refuse_await(tree: ast.Module, source: str) -> None:
    stack: list[ast.AST] = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, _ASYNC) or (isinstance(node, ast.comprehension) and node.is_async):
            number = node.iter.lineno if isinstance(node, ast.comprehension) else node.lineno
            raise CellException(
                f"Line {number} of the cell awaits at top level, which only a notebook can do: "
                f"{_short(source.splitlines()[number - 1])}",
                "put it in an 'async def main()' and call asyncio.run(main())",
            )
        if not isinstance(node, _SCOPES):
            stack.extend(ast.iter_child_nodes(node))


def _short(line: str) -> str:
    line = line.strip()
    return line if len(line) <= 80 else line[:77] + "..."
