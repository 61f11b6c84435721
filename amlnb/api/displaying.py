"""Showing a value where a person looks: below the cell in IPython, else printed."""

from __future__ import annotations

import sys
from typing import Any


def show(value: object) -> None:
    """Display a value that has forms for a notebook; as text where there is no IPython."""
    if _shell() is None:
        print(value)
    else:
        from IPython.display import display

        display(value)  # type: ignore[no-untyped-call]  # IPython's carries no types


def _shell() -> Any:
    # A process that has not imported IPython is none, and need not begin now.
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()
