"""What a run leaves for a workspace that it could not reach: models to register, and children of its own.

Both wait in its directory, and are put in their places once its files are here, before its seal is: who sees that it
has ended finds them. Everything may be done again: what is in its place stays. Standard library only, Python 3.7+.
"""

from __future__ import annotations

import os
import time

from amlnb.core import layout
from amlnb.core.replay import runner_lost
from amlnb.tracking import models
from amlnb.tracking.seal import seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict


def arrive(directory: str, data: str) -> None:
    """Put what a run left in the places of its workspace.

    Parameters
    ----------
    directory
        The run, with all of its files.
    data
        The workspace's data directory.

    Raises
    ------
    OSError
        The file system refused; the rest is done at the next call.
    """
    models.apply_put_off(directory, os.path.join(data, layout.MODELS))
    waiting = os.path.join(directory, layout.CHILDREN)
    for name in sorted(os.listdir(waiting)) if os.path.isdir(waiting) else []:
        if os.path.exists(os.path.join(waiting, name, layout.RUN_JSON)):
            _place(os.path.join(waiting, name), os.path.join(data, layout.RUNS, name))


def _place(waiting: str, place: str) -> None:
    import shutil

    if os.path.exists(place):
        return
    temporary = os.path.join(os.path.dirname(place), ".new-" + os.urandom(8).hex())
    try:
        shutil.copytree(waiting, temporary)
        for folder in (layout.EDITS, layout.ATTEMPTS, layout.JOURNALS):  # empty ones do not travel
            if not os.path.isdir(os.path.join(temporary, folder)):
                os.mkdir(os.path.join(temporary, folder))
        # Of one that did not end: the process that it lived in ended with the run above it.
        lost = runner_lost(cancel_requested=False, owned=True)
        rest: Dict[str, Any] = {"attempt": 1, "started": None, "exit_code": None, "signal": None, "warnings": []}
        seal(temporary, dict(rest, ended=time.time(), **lost))
        os.rename(temporary, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
