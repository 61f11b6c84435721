"""What would fail in the run, told before it is submitted: modules and files that will not be there."""

from __future__ import annotations

import ast
import difflib
import functools
import importlib.util
import os
import shlex
import subprocess
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

from amlnb.api.cell_lines import FIRST_LINE
from amlnb.core.distributions import DISTRIBUTIONS, known_distribution
from amlnb.notebook.cell import CellException
from amlnb.notebook.file_reads import files_read
from amlnb.runner import missing_module

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from amlnb.notebook.capture import Capture
    from amlnb.notebook.environment import CellEnvironment

_NEVER_SEEN = ("outputs", "logs")
_ALWAYS = ("captured_values", "amlnb", "azureml")


def check_modules(capture: Capture, folder: str, environment: CellEnvironment | None = None) -> None:
    """Refuse a script that imports, as it begins, what its Python does not have.

    Parameters
    ----------
    capture
        A captured cell. Imports inside functions, conditions and ``try`` are the script's own affair.
    folder
        The notebook's folder, whose modules travel along.
    environment
        A built environment; None is this interpreter.

    Raises
    ------
    CellException
        Naming the module, and how it is installed.
    """
    tree = ast.parse(capture.script)
    if any(isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path" for node in ast.walk(tree)):
        return  # where it looks for modules is known when it runs
    for module, line in _imports(tree.body):
        top = module.partition(".")[0]
        where = _place(line, capture)
        if environment is not None:
            _check_in(environment, top, folder, where)
            continue
        if _is_there(top, folder):
            continue
        elsewhere = _spec(top)
        if elsewhere is not None:
            raise CellException(
                f"{where} imports {top}, which this notebook finds only because its sys.path was changed: {elsewhere}",
                "move it beside the notebook, install it, or change sys.path inside the cell",
            )
        raise CellException(
            f"{where} imports {top}, which {sys.executable} does not have.{_near(top)}",
            f"%pip install {shlex.quote(known_distribution(module) or top)}",
        )


def _check_in(environment: CellEnvironment, module: str, folder: str, where: str) -> None:
    """Refuse a module that a built environment does not have; its Python may be another one than this."""
    of_python = module in sys.builtin_module_names or module in sys.stdlib_module_names
    if (
        of_python
        or module in _ALWAYS
        or PathFinder.find_spec(module, [folder, *(environment.folders or ())]) is not None
    ):
        return
    advice = missing_module.advice(
        "ModuleNotFoundError",
        f"No module named '{module}'",
        {"definition": {"environment": environment.spec.to_dict()}, "properties": {"notebook.cell_line": ""}},
    )
    raise CellException(f"{where} imports {module}, which the environment {environment.name} does not have.", advice)


def missing_files(capture: Capture, folder: str, *, linked: bool, carried: Collection[str]) -> list[str]:
    """Tell of files that the script reads by a literal path, and that will not be there.

    Parameters
    ----------
    capture
        A captured cell.
    folder
        The notebook's folder.
    linked
        The run sees the folder's entries: its target is this machine.
    carried
        Files and folders that travel along, relative to the folder.

    Returns
    -------
    list of str
        One sentence a file; none for what the script may make, download or look for itself.
    """
    told = []
    for read in files_read(capture.script):
        path = os.path.normpath(os.path.expanduser(read.path))
        if not any(path == kept or path.startswith(kept + os.sep) for kept in map(os.path.normpath, carried)):
            reason = _missing(path, folder, linked=linked)
            if reason is not None:
                told.append(f"{_place(read.line, capture)} reads {read.path!r}, {reason}")
    return told


def _missing(path: str, folder: str, *, linked: bool) -> str | None:
    here = os.path.exists(os.path.join(folder, path))
    if os.path.isabs(path):
        if linked:
            return None if here else "which does not exist."
        return f"a path of this machine; the target has it only if it lies there too, under {path!r}." if here else None
    if path.startswith(os.pardir):
        return "outside of the notebook's folder, where the run does not look: use an absolute path, or copy it here."
    first = path.partition(os.sep)[0]
    if not linked:
        with_it = f"add --with {path}" if here else "it is not here either"
        return f"which the target will not have: {with_it}."
    if not here:
        return _not_here(path, folder)
    if first.startswith(".") or first in _NEVER_SEEN:
        return f"which the run does not see, as it is in {first}: add --with {path}."
    return None


def _not_here(path: str, folder: str) -> str:
    parent = os.path.join(folder, os.path.dirname(path))
    names = os.listdir(parent) if os.path.isdir(parent) else []
    near = difflib.get_close_matches(os.path.basename(path), names, 1)
    return "which is not in the notebook's folder." + (f" Did you mean {near[0]!r}?" if near else "")


def _place(line: int, capture: Capture) -> str:
    """Where a line of the script comes from, as a person knows it."""
    of_cell = line - capture.cell_line + FIRST_LINE
    if line >= capture.cell_line:
        return f"Line {of_cell} of the cell"
    above = capture.script.split("\n")[:line]
    for text in reversed(above):
        for word in ("def ", "class ", "async def "):
            if text.startswith(word):
                return text.removeprefix(word).partition("(")[0].partition(":")[0]
    return "What the cell uses"


def _near(module: str) -> str:
    installed = {*DISTRIBUTIONS, *(name.partition(".")[0] for name in sys.modules)} - sys.stdlib_module_names - {module}
    for names in (installed, sys.stdlib_module_names):
        near = difflib.get_close_matches(module, [name for name in names if not name.startswith("_")], 1, 0.75)
        if near:
            return f" Did you mean {near[0]}?"
    return ""


def _imports(statements: list[ast.stmt]) -> Iterator[tuple[str, int]]:
    """Modules that are imported whatever happens, in the script's order."""
    for node in statements:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node.lineno
        elif isinstance(node, ast.With):
            if not any("suppress" in ast.unparse(item.context_expr) for item in node.items):
                yield from _imports(node.body)
        elif isinstance(node, ast.Try) and not node.handlers:
            yield from _imports(node.body)


def _is_there(module: str, folder: str) -> bool:
    if module in sys.builtin_module_names or module in sys.stdlib_module_names or module == "captured_values":
        return True
    if PathFinder.find_spec(module, [folder]) is not None:
        return True
    found = _spec(module)
    if found is None:
        return False
    beside = os.path.dirname(found)
    own = _own_path(folder)
    # Editable installs and namespace packages are found by other means than the path.
    return found == "" or any(beside == entry or beside.startswith(entry + os.sep) for entry in own)


def _spec(module: str) -> str | None:
    """Where a module would be found now; an empty text where that is no file."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return "" if module in sys.modules else None
    if spec is None:
        return None
    return os.path.realpath(spec.origin) if spec.has_location and spec.origin else ""


@functools.cache
def _own_path(folder: str) -> tuple[str, ...]:
    """Where a new interpreter looks for modules."""
    program = "import sys; print(*sys.path[1:], sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    return tuple(os.path.realpath(line) for line in done.stdout.splitlines() if line) or tuple(sys.path)
