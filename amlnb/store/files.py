"""The files of a run by their names: ``outputs/...``, ``logs/...``, logs of the runtime, uploaded and logged files."""

from __future__ import annotations

import os

from amlnb.core import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, Tuple

# Where the parts of the namespace live; an earlier place wins where two hold the same name.
_PLACES = (
    (layout.ARTIFACTS, ""),
    (layout.WORK + "/outputs", "outputs/"),
    (layout.WORK + "/logs", "logs/"),
    ("user_logs", "user_logs/"),
    ("azureml-logs", "azureml-logs/"),
)


def list_files(run_directory: str) -> Dict[str, str]:
    """``{name: path}`` of all files of a run, by name.

    The log is there under both of its names. Links that lead out of the run directory are not files of the run.
    """
    found: Dict[str, str] = {}
    root = os.path.realpath(run_directory)
    for place, prefix in _PLACES:
        for relative, path in _walk(os.path.join(run_directory, place), root):
            found.setdefault(prefix + relative, path)
    if layout.USER_LOG in found:
        found[layout.DRIVER_LOG_ALIAS] = found[layout.USER_LOG]
    return dict(sorted(found.items()))


def _walk(top: str, root: str) -> Iterator[Tuple[str, str]]:
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if name.startswith(".new-"):
                continue
            if os.path.islink(path) and not os.path.realpath(path).startswith(root + os.sep):
                continue
            if os.path.isfile(path):
                yield os.path.relpath(path, top).replace(os.sep, "/"), path
