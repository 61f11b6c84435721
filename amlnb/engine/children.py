"""Processes that this one started and does not wait for."""

from __future__ import annotations

import os
from collections.abc import Iterable


def ended(pids: Iterable[int]) -> list[int]:
    """Take the exit status of those that have ended, so that none stays a zombie, and return them."""
    found = []
    for pid in list(pids):  # threads may start more meanwhile
        try:
            gone, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            gone = pid
        if gone:
            found.append(pid)
    return found
