"""The modules of the notebook's own folder that a script imports, directly or through each other."""

from __future__ import annotations

import ast
import os

_NEVER = frozenset({"__pycache__", ".ipynb_checkpoints", ".git", ".amlnb", ".venv"})


def local_modules(script: str, folder: str) -> dict[str, str]:
    """Find the files of a folder that a script's imports would read.

    Parameters
    ----------
    script
        The script's text.
    folder
        The notebook's folder, which is first on its kernel's path.

    Returns
    -------
    dict
        ``{path relative to the folder: absolute path}``; of a package, every file.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    waiting = _imported_roots(script)
    while waiting:
        root = waiting.pop()
        if root in seen:
            continue
        seen.add(root)
        for path in _files_of(root, folder):
            found[os.path.relpath(path, folder)] = path
            if path.endswith(".py"):
                with open(path, encoding="utf-8", errors="replace") as file:
                    waiting |= _imported_roots(file.read())
    return dict(sorted(found.items()))


def _imported_roots(text: str) -> set[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set()
    roots: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            roots.add(node.module.partition(".")[0])
    return roots


def _files_of(root: str, folder: str) -> list[str]:
    package = os.path.join(folder, root)
    if os.path.isdir(package) and _holds_python(package):
        files: list[str] = []
        for base, folders, names in os.walk(package):
            folders[:] = sorted(name for name in folders if name not in _NEVER)
            files += [os.path.join(base, name) for name in sorted(names)]
        return files
    module = f"{package}.py"
    return [module] if os.path.isfile(module) else []


def _holds_python(folder: str) -> bool:
    with os.scandir(folder) as entries:
        return any(entry.name.endswith(".py") for entry in entries)
