"""The modules of the notebook's own folder that a script imports, directly or through each other."""

from __future__ import annotations

import ast
import os
import struct
import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def edited_since_import(modules: Iterable[str], folder: str) -> list[str]:
    """Modules whose file is another one than this process imported.

    The compiled copy that an import leaves beside a module tells of which file it is made; reloading makes it anew.

    Parameters
    ----------
    modules
        Paths relative to the folder.
    """
    return [path for path in modules if path.endswith(".py") and _was_edited(path, folder)]


def _was_edited(relative: str, folder: str) -> bool:
    name = relative.removesuffix(".py").removesuffix(os.sep + "__init__").replace(os.sep, ".")
    spec = getattr(sys.modules.get(name), "__spec__", None)
    path = os.path.join(folder, relative)
    if spec is None or not spec.cached or os.path.realpath(spec.origin or "") != os.path.realpath(path):
        return False
    try:
        with open(spec.cached, "rb") as file:
            flags, modified, size = struct.unpack("<4xIII", file.read(16))
        now = os.stat(path)
    except (OSError, struct.error):  # no copy was left
        return False
    # As PEP 552 lays it out; with flags it tells of the file in another way.
    return flags == 0 and (modified, size) != (int(now.st_mtime) & 0xFFFFFFFF, now.st_size & 0xFFFFFFFF)


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
    if os.path.isdir(package) and _is_package(package):
        files: list[str] = []
        for base, folders, names in os.walk(package):
            folders[:] = sorted(name for name in folders if name not in _NEVER)
            files += [os.path.join(base, name) for name in sorted(names)]
        return files
    module = f"{package}.py"
    return [module] if os.path.isfile(module) else []


def _is_package(folder: str) -> bool:
    """Tell whether an import finds this folder: without ``__init__.py``, only if no other module has its name."""
    if os.path.isfile(os.path.join(folder, "__init__.py")):
        return True
    above, name = os.path.split(folder)
    found = PathFinder.find_spec(name, [above, *sys.path])
    if found is None or found.origin is not None:
        return False
    return any(name.endswith(".py") for _, _, names in os.walk(folder) for name in names)
