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
    return bool(_request_part(shell, "content").get("allow_stdin"))


def cell_id(shell: Any) -> str | None:
    """Id of the cell that runs now, where the front end tells it."""
    told = _request_part(shell, "metadata").get("cellId")
    return str(told) if told else None


def _request_part(shell: Any, name: str) -> dict[str, Any]:
    """A part of the message that asked for what runs now; empty where there is none."""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    part = parent.get(name) if isinstance(parent, dict) else None
    return part if isinstance(part, dict) else {}


def notebook_path(shell: Any) -> str | None:
    """Path of the notebook, where the host tells it."""
    told = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return str(told) if told and str(told).endswith(".ipynb") else None
