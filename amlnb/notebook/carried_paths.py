"""The files and folders that ``--with`` takes along."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence

from amlnb.errors import UserErrorException


def carried_paths(paths: Sequence[str], folder: str) -> tuple[str, ...]:
    """Check paths, and return them relative to the notebook's folder.

    Raises
    ------
    UserErrorException
        One is not there, or lies outside of the folder.
    """
    return tuple(dict.fromkeys(_relative(path, folder) for path in paths))


def _relative(path: str, folder: str) -> str:
    full = os.path.normpath(os.path.join(folder, os.path.expanduser(path)))
    relative = os.path.relpath(full, folder)
    if relative == "." or relative.startswith(".."):
        raise UserErrorException(
            f"%%submit: --with {path!r} is not inside the notebook's folder {folder!r}.",
            "copy or link it there, or let the cell read it by its absolute path if the target can",
        )
    if not os.path.exists(full):
        parent = os.path.dirname(full)
        there = os.listdir(parent) if os.path.isdir(parent) else []
        near = difflib.get_close_matches(os.path.basename(full), there, 1)
        raise UserErrorException(
            f"%%submit: --with {path!r}: there is no such file or folder in {folder!r}.",
            f"did you mean {near[0]!r}?" if near else "paths are relative to the notebook's folder",
        )
    return relative
