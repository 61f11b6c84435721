"""Adding a later change to a run: one small file, immutable, uniquely named."""

from __future__ import annotations

import os

from amlnb.core import edits, layout
from amlnb.tracking import create

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict


def add_edit(directory: str, edit: Dict[str, Any]) -> str:
    """Append an edit to a run (or to an experiment) and return the path of its file.

    Parameters
    ----------
    directory
        The run's or the experiment's directory.
    edit
        The operation, as in docs/format.md.

    Raises
    ------
    OSError
        The file system refused; nothing was changed.
    """
    folder = os.path.join(directory, layout.EDITS)
    create.make_folder(folder)
    highest = max((edits.number_of(name) or 0 for name in os.listdir(folder)), default=0)
    name = edits.file_name(highest + 1, os.urandom(4).hex())
    temporary = os.path.join(folder, ".new-" + name)
    path = os.path.join(folder, name)
    try:
        create.write_json(temporary, edit)
        os.rename(temporary, path)
    except OSError:
        create.remove(temporary)
        raise
    return path
