"""A new run directory: it appears whole, with its submission record, or not at all."""

from __future__ import annotations

import errno
import os
import time

from amlnb.core import layout
from amlnb.errors import UserErrorException
from amlnb.tracking.forks import importing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional


def create_run(runs_directory: str, record: Dict[str, Any]) -> str:
    """Create the directory of a run and return its path.

    Parameters
    ----------
    runs_directory
        ``<workspace data>/runs``; made if missing.
    record
        Content of ``run.json``, with at least ``id`` and ``experiment``.

    Raises
    ------
    UserErrorException
        A run of that id exists.
    OSError
        The file system refused.
    """
    path = os.path.join(runs_directory, layout.run_directory_name(record["experiment"], record["id"]))
    temporary = os.path.join(runs_directory, ".new-" + os.urandom(8).hex())
    os.makedirs(temporary)
    try:
        for folder in (layout.EDITS, layout.ATTEMPTS, layout.JOURNALS):
            os.mkdir(os.path.join(temporary, folder))
        write_json(os.path.join(temporary, layout.RUN_JSON), dict(record, format=layout.FORMAT))
        os.rename(temporary, path)
    except OSError as error:
        _remove_unfinished(temporary)
        if os.path.isdir(path):
            raise UserErrorException(
                "there is a run {!r} in this workspace already".format(record["id"]), hint="give it another run_id"
            ) from error
        raise
    return path


def record_of_process(experiment: str, run_id: str, display_name: Optional[str]) -> Dict[str, Any]:
    """Submission record of a run that lives in this process; whoever makes it adds what else is known."""
    with importing:
        from amlnb import host
    return {
        "id": run_id,
        "experiment": experiment,
        "type": None,
        "created": time.time(),
        "display_name": display_name,
        "parent": None,
        "target": "sdk",
        "home": {"kind": "local"},
        "owner": host.this_process(),
        "definition": None,
        "snapshot": None,
        "tags": {},
        "warnings": [],
    }


def _remove_unfinished(temporary: str) -> None:
    remove(os.path.join(temporary, layout.RUN_JSON))
    for folder in (layout.EDITS, layout.ATTEMPTS, layout.JOURNALS, ""):
        try:
            os.rmdir(os.path.join(temporary, folder))
        except OSError:
            continue


def make_folder(path: str) -> None:
    """Make a folder if it is missing, but not the one above: a run directory that was deleted stays so."""
    try:
        os.mkdir(path)
    except FileExistsError:
        return


def remove(path: str) -> None:
    """Remove an unfinished file, if it is there and can be."""
    try:
        os.unlink(path)
    except OSError:
        return


def write_json(path: str, value: Any) -> None:
    """Write a new JSON file that nobody reads yet."""
    with importing:
        import json

    # As bytes: a text file would load its codec, which a fork must wait for as well.
    with open(path, "xb") as file:
        file.write(json.dumps(value).encode("ascii"))


def publish_json(path: str, value: Any) -> None:
    """Create a JSON file that appears whole, or not at all.

    Raises
    ------
    FileExistsError
        It exists: whoever wrote it first decides.
    OSError
        The file system refused.
    """
    temporary = f"{path}.{os.urandom(6).hex()}"
    try:
        write_json(temporary, value)
        place(temporary, path)
    finally:
        remove(temporary)


def place(temporary: str, path: str) -> None:
    """Give a finished file its name.

    Raises
    ------
    FileExistsError
        There is a file of that name.
    OSError
        The file system refused.
    """
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES):
            raise
        # No hard links here: a rename is whole as well, and only two writers in the same instant could collide.
        if os.path.exists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from error
        os.rename(temporary, path)
