"""The files that a script names: a run that reads other data is another run."""

from __future__ import annotations

import ast
import os
from collections.abc import Collection

_LONGEST_PATH = 4096
_ENTRIES_LIMIT = 10_000


def state_of_named_files(script: str, folder: str, kept: Collection[str]) -> str:
    """Sizes and times of change of what a script's literal paths lead to, as text.

    Parameters
    ----------
    script
        The script's text.
    folder
        Relative paths are read from here.
    kept
        Paths that are kept with the run: their content counts anyway.

    Returns
    -------
    str
        Empty where the script names nothing that is there. Of a folder with very many files not all are looked at.
    """
    literals = {
        node.value
        for node in ast.walk(ast.parse(script))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _may_be_path(node.value)
    }
    found = []
    for literal in sorted(literals - set(kept)):
        path = os.path.join(folder, os.path.expanduser(literal))
        state = _state(path) if os.path.lexists(path) else None
        if state is not None:
            found.append(f"{literal} {state}")
    return "\n".join(found)


def _may_be_path(text: str) -> bool:
    return 0 < len(text) < _LONGEST_PATH and "\0" not in text and "\n" not in text and text.strip("./ ") != ""


def _state(path: str) -> str | None:
    try:
        if not os.path.isdir(path):
            status = os.stat(path)
            return f"{status.st_size} {status.st_mtime_ns}"
        count, size, newest = 0, 0, 0
        for top, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in names:
                status = os.lstat(os.path.join(top, name))
                count, size, newest = count + 1, size + status.st_size, max(newest, status.st_mtime_ns)
            if count > _ENTRIES_LIMIT:
                break
    except (OSError, ValueError):
        return None
    return f"{count} {size} {newest}"
