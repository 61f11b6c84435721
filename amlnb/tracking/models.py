"""Registering models: a version appears whole, under the next free number, or not at all.

Standard library only, Python 3.7+: jobs register too. On a machine that does not hold the workspace a registration
waits in its run's directory, as the version that it will be, and is applied where the run arrives.
"""

from __future__ import annotations

import errno
import os

from amlnb.core import layout
from amlnb.tracking import create

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Mapping, Set

    Keep = Callable[[str, str], Any]

# What is left of the record of a version that was deleted.
DELETED = "deleted.json"
_IN_USE = (errno.ENOTEMPTY, errno.EEXIST)


def register(models: str, record: Dict[str, Any], files: Mapping[str, str], keep: Keep | None = None) -> int:
    """Make the next version of a model and return its number.

    Parameters
    ----------
    models
        ``<workspace data>/models``; made if missing.
    record
        Content of ``model.json``, with at least ``name``, ``path`` and ``created``.
    files
        ``{path below files/: path of the file to copy}``.
    keep
        Brings a file to its place, ``(source, target)``; by default by a copy.

    Raises
    ------
    OSError
        The file system refused; nothing was registered.
    """
    folder = os.path.join(models, layout.model_directory_name(record["name"]))
    os.makedirs(folder, exist_ok=True)
    made: List[int] = []

    def publish(temporary: str) -> None:
        while not made:
            version = 1 + max((int(name) for name in os.listdir(folder) if name.isdigit()), default=0)
            try:
                os.rename(temporary, os.path.join(folder, str(version)))
            except OSError as error:
                if error.errno not in _IN_USE:
                    raise
                continue  # another process was faster: its folder has something in it
            made.append(version)

    _make(folder, record, files, keep, publish)
    return made[0]


def put_off(run_directory: str, record: Dict[str, Any], files: Mapping[str, str]) -> None:
    """Leave a registration in the run's directory, for who brings the run to its workspace.

    Raises
    ------
    OSError
        The file system refused; there is no registration.
    """
    folder = os.path.join(run_directory, layout.REGISTRATIONS)
    os.makedirs(folder, exist_ok=True)
    name = os.urandom(16).hex()
    _make(folder, record, files, None, lambda temporary: os.rename(temporary, os.path.join(folder, name)))


def delete(directory: str) -> None:
    """Delete a version of a model; its number is not given again.

    Raises
    ------
    OSError
        The file system refused; where ``model.json`` is gone, only some of the files are left.
    """
    import shutil

    # The version is gone with this rename; what stays behind holds its number.
    os.replace(os.path.join(directory, layout.MODEL_JSON), os.path.join(directory, DELETED))
    for name in (layout.MODEL_FILES, layout.EDITS):
        if os.path.lexists(os.path.join(directory, name)):
            shutil.rmtree(os.path.join(directory, name))


def _make(
    folder: str,
    record: Dict[str, Any],
    files: Mapping[str, str],
    keep: Keep | None,
    publish: Callable[[str], None],
) -> None:
    """Put a version together beside the others, and have it published."""
    import shutil

    temporary = os.path.join(folder, ".new-" + os.urandom(8).hex())
    try:
        top = os.path.join(temporary, layout.MODEL_FILES)
        os.makedirs(top)
        for relative, source in files.items():
            target = os.path.join(top, relative)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            (keep or shutil.copyfile)(source, target)
        create.write_json(os.path.join(temporary, layout.MODEL_JSON), dict(record, format=layout.FORMAT))
        publish(temporary)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # moved away where all went well


def place(temporary: str, folder: str) -> None:
    """Give a finished folder its name; if there is one of that name already, somebody was faster, and that stays.

    Raises
    ------
    OSError
        The file system refused.
    """
    try:
        os.rename(temporary, folder)
    except OSError as error:
        if error.errno not in _IN_USE:
            raise


def registrations(models: str, name: str) -> Set[str]:
    """What the versions of a model were registered as, of those that came from elsewhere; deleted ones count."""
    folder = os.path.join(models, layout.model_directory_name(name))
    records = (
        _read(os.path.join(folder, version, file))
        for version in _names(folder)
        if version.isdigit()
        for file in (layout.MODEL_JSON, DELETED)
    )
    return {record["registration"] for record in records if record and isinstance(record.get("registration"), str)}


def _names(folder: str) -> List[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read(path: str) -> Any:
    import json

    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
