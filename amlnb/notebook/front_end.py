"""Who is watching: a front end that shows updates, or nobody (papermill, nbconvert, a terminal)."""

from __future__ import annotations

import os
import sys
from typing import Any


def has_front_end(shell: Any) -> bool:
    """Tell whether the request that runs now came from a front end with a person before it.

    A front end says in its request that it can be asked for input; a headless executor says that it cannot. The hosts
    that do not say so are known by their marks.
    """
    if not hasattr(shell, "kernel"):
        return False  # a terminal: there is no cell to update
    if "__vsc_ipynb_file__" in shell.user_ns or "google.colab" in sys.modules:
        return True
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    content = parent.get("content") if isinstance(parent, dict) else None
    return bool(isinstance(content, dict) and content.get("allow_stdin"))


def cell_id(shell: Any) -> str | None:
    """Id of the cell that runs now, where the front end tells it."""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    metadata = parent.get("metadata") if isinstance(parent, dict) else None
    told = metadata.get("cellId") if isinstance(metadata, dict) else None
    return str(told) if told else None


def notebook_path(shell: Any) -> str | None:
    """Path of the notebook, where the host tells it."""
    told = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return str(told) if told and str(told).endswith(".ipynb") else None
