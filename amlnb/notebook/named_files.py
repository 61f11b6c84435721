"""What a script names: files, environment variables, modules elsewhere. A run for which they differ is another run."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Collection, Iterable

_LONGEST_NAME = 4096
_ENTRIES_LIMIT = 1000


def state_of_what_is_named(script: str, folder: str, others: Iterable[object] = (), kept: Collection[str] = ()) -> str:
    """Tell the state of what a script's literals and imports lead to, as text.

    Sizes and times of change of files and folders, values of environment variables, and the files of modules that are
    neither Python's own nor installed (those of PYTHONPATH, or installed for editing).

    Parameters
    ----------
    script
        The script's text; of one that is no Python nothing is known.
    folder
        Relative paths are read from here.
    others
        Arguments of the script: they may be names too.
    kept
        Paths that are kept with the run: their content counts anyway.

    Returns
    -------
    str
        Empty where nothing that is named is there. Of a folder with more than a thousand files not all are looked at.
    """
    try:
        nodes = list(ast.walk(ast.parse(script)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        nodes = []
    names = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    names |= {part for other in others for part in (str(other), str(other).partition("=")[2])}
    found = [f"{name}={os.environ[name]}" for name in sorted(names & os.environ.keys())]
    for name in sorted(name for name in names - set(kept) if _may_be_path(name)):
        found += _state(name, os.path.join(folder, os.path.expanduser(name)))
    for module in sorted(_imported(nodes)):
        found += _state_of_module(module, folder)
    return "\n".join(found)


def _may_be_path(text: str) -> bool:
    return 0 < len(text) < _LONGEST_NAME and "\0" not in text and "\n" not in text and text.strip("./ ") != ""


def _imported(nodes: Iterable[ast.AST]) -> set[str]:
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names


def _state_of_module(module: str, folder: str) -> list[str]:
    if os.path.exists(os.path.join(folder, module)) or os.path.exists(os.path.join(folder, f"{module}.py")):
        return []  # it travels with the run
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return []
    origin = spec.origin if spec is not None else None
    if origin is None or not os.path.isfile(origin) or origin.startswith(tuple(sysconfig.get_paths().values())):
        return []
    return _state(module, os.path.dirname(origin) if os.path.basename(origin) == "__init__.py" else origin)


def _state(name: str, path: str) -> list[str]:
    """Name, sizes and time of change; empty where there is nothing."""
    try:
        if not os.path.isdir(path):
            status = os.stat(path)
            return [f"{name} {status.st_size} {status.st_mtime_ns}"]
        count, size, newest = 0, 0, 0
        for entry in _entries(path):
            status = entry.stat(follow_symlinks=False)
            count, size, newest = count + 1, size + status.st_size, max(newest, status.st_mtime_ns)
            if count >= _ENTRIES_LIMIT:
                break
    except (OSError, ValueError):
        return []
    return [f"{name} {count} {size} {newest}"]


def _entries(path: str) -> Iterable[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _entries(entry.path)
            else:
                yield entry
