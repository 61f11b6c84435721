"""A new run directory: it appears whole, with its submission record, or not at all."""

from __future__ import annotations

import errno
import os

from amlnb.core import layout
from amlnb.errors import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict


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
    for folder in (layout.EDITS, layout.ATTEMPTS, layout.JOURNALS):
        os.mkdir(os.path.join(temporary, folder))
    write_json(os.path.join(temporary, layout.RUN_JSON), dict(record, format=layout.FORMAT))
    try:
        os.rename(temporary, path)
    except OSError as error:
        if os.path.isdir(path):
            raise UserErrorException(
                "there is a run {!r} in this workspace already".format(record["id"]), hint="give it another run_id"
            ) from error
        raise
    return path


def write_json(path: str, value: Any) -> None:
    """Write a new JSON file that nobody reads yet."""
    import json

    with open(path, "x", encoding="ascii") as file:
        file.write(json.dumps(value))


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
    write_json(temporary, value)
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES):
            raise
        # No hard links here: a rename is whole as well, and only two writers in the same instant could collide.
        if os.path.exists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from error
        os.rename(temporary, path)
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)
