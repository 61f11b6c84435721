"""``final.json``: state, seal and manifest of a run; whoever writes it first decides."""

from __future__ import annotations

import os
import time

from amlnb.core import layout
from amlnb.tracking import create

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, Tuple

# What a mirror must hold before the home may go. The rest of work/ is the run's scratch space.
_MANIFEST_FOLDERS = (
    layout.ATTEMPTS,
    layout.JOURNALS,
    layout.SYSTEM,
    layout.FAILURES,
    "user_logs",
    "azureml-logs",
    layout.WORK + "/outputs",
    layout.WORK + "/logs",
    layout.ARTIFACTS,
    layout.REGISTRATIONS,
    layout.CHILDREN,
)


def seal(run_directory: str, final: Dict[str, Any]) -> bool:
    """Write ``final.json`` with the sizes of the run's files; False if the run is sealed already.

    Parameters
    ----------
    run_directory
        The run.
    final
        What is told of its end: ``state``, and whatever is not as in a run that never began and ends now.

    Raises
    ------
    OSError
        The file system refused; the run is not sealed.
    """
    path = os.path.join(run_directory, layout.FINAL_JSON)
    if os.path.exists(path):
        return False
    untold: Dict[str, Any] = {"attempt": 1, "started": None, "ended": time.time(), "exit_code": None, "signal": None}
    untold.update(reason=None, error=None, warnings=[])
    final = dict(untold, **dict(final, format=layout.FORMAT, sizes=dict(file_sizes(run_directory))))
    try:
        create.publish_json(path, final)
    except FileExistsError:
        return False
    return True


def file_sizes(run_directory: str) -> Iterator[Tuple[str, int]]:
    """Relative path and size in bytes of every file that belongs to the run's record."""
    for folder in _MANIFEST_FOLDERS:
        top = os.path.join(run_directory, folder)
        if not os.path.isdir(top) or os.path.islink(top):
            continue
        for path, _, names in os.walk(top):
            for name in names:
                full = os.path.join(path, name)
                try:
                    info = os.stat(full)
                except OSError:
                    continue  # a dangling link, or removed meanwhile
                yield os.path.relpath(full, run_directory).replace(os.sep, "/"), info.st_size
