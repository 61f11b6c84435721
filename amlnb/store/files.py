"""The files of a run by their names: ``outputs/...``, ``logs/...``, logs of the runtime, uploaded and logged files."""

from __future__ import annotations

import os

from amlnb.core import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Iterator, List, Optional, Tuple

# Where the parts of the namespace live; an earlier place wins where two hold the same name.
_PLACES = (
    (layout.ARTIFACTS, ""),
    (layout.WORK + "/outputs", "outputs/"),
    (layout.WORK + "/logs", "logs/"),
    ("user_logs", "user_logs/"),
    ("azureml-logs", "azureml-logs/"),
)
_TOLD_AT_MOST = 10


def list_files(run_directory: str) -> Dict[str, str]:
    """``{name: path}`` of all files of a run, by name.

    The log is there under both of its names. Links that lead out of the run directory are not files of the run, and
    links to folders are not followed.
    """
    found: Dict[str, str] = {}
    root = os.path.realpath(run_directory)
    for place, prefix in _PLACES:
        for relative, path in _walk(os.path.join(run_directory, place), root):
            found.setdefault(prefix + relative, path)
    if layout.USER_LOG in found:
        found[layout.DRIVER_LOG_ALIAS] = found[layout.USER_LOG]
    return dict(sorted(found.items()))


def find_file(run_directory: str, name: str) -> Optional[str]:
    """Path of one of the files that `list_files` names, without a look at the others; None if there is none."""
    if name == layout.DRIVER_LOG_ALIAS:
        name = layout.USER_LOG
    parts = name.split("/")
    if "\0" in name or any(part in ("", ".", "..") for part in parts) or parts[-1].startswith(".new-"):
        return None
    root = os.path.realpath(run_directory)
    for place, prefix in _PLACES:
        if not name.startswith(prefix):
            continue
        path = os.path.join(run_directory, place)
        below = [path]
        for part in name[len(prefix) :].split("/"):
            path = os.path.join(path, part)
            below.append(path)
        is_through_link = any(os.path.islink(each) for each in below[:-1])
        if not is_through_link and os.path.isfile(path) and not (os.path.islink(path) and not _is_inside(path, root)):
            return path
    return None


def left_out(run_directory: str) -> List[str]:
    """What of the outputs and logs that a run wrote is not among its files because it is a link, as warnings."""
    root = os.path.realpath(run_directory)
    found = []
    for place in ("outputs", "logs"):
        top = os.path.join(run_directory, layout.WORK, place)
        links = [top] if os.path.islink(top) else []
        for folder, folders, names in os.walk(top) if not links else ():
            below = [os.path.join(folder, name) for name in sorted([*folders, *names])]
            links += [path for path in below if os.path.islink(path)]
        for path in links:
            if os.path.isdir(path) or (os.path.isfile(path) and not _is_inside(path, root)):
                name = os.path.relpath(path, os.path.join(run_directory, layout.WORK))
                found.append(f"{name} is a link to {os.readlink(path)!r}, so it is not among the run's files")
    shown = found[:_TOLD_AT_MOST]
    return shown + ([f"and {len(found) - len(shown)} more links"] if len(found) > len(shown) else [])


def _is_inside(path: str, root: str) -> bool:
    return os.path.realpath(path).startswith(root + os.sep)


def _walk(top: str, root: str) -> Iterator[Tuple[str, str]]:
    if os.path.islink(top):
        return
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            if name.startswith(".new-"):
                continue
            if os.path.islink(path) and not _is_inside(path, root):
                continue
            if os.path.isfile(path):
                yield os.path.relpath(path, top).replace(os.sep, "/"), path
