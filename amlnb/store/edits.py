"""Reading the edits of a run or an experiment."""

from __future__ import annotations

import os
import stat

from amlnb.core import edits, layout
from amlnb.store.plain_files import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List


class EditReader:
    """The edits in a directory, kept up to date by :meth:`refresh`; each file is read once."""

    def __init__(self, directory: str) -> None:
        self._folder = os.path.join(directory, layout.EDITS)
        self._edits: Dict[str, Dict[str, Any]] = {}

    def refresh(self) -> bool:
        """Read the edits that are new; True if there were any.

        Damaged ones, and what is no file, count as empty; one that may not be read is looked at again.
        """
        try:
            names = os.listdir(self._folder)
        except (FileNotFoundError, NotADirectoryError):
            return False
        new = [name for name in names if name not in self._edits and edits.number_of(name) is not None]
        for name in new:
            path = os.path.join(self._folder, name)
            try:
                is_file = stat.S_ISREG(os.lstat(path).st_mode)
                self._edits[name] = (read_json(path) if is_file else None) or {}
            except PermissionError:
                continue
        return any(name in self._edits for name in new)

    def ordered(self) -> List[Dict[str, Any]]:
        """All edits in their order."""
        return [self._edits[name] for name in sorted(self._edits, key=edits.sort_key)]


def ordered_edits(directory: str) -> List[Dict[str, Any]]:
    """All edits of a directory in their order, as they are now."""
    reader = EditReader(directory)
    reader.refresh()
    return reader.ordered()


def edited(directory: str, record: Dict[str, Any]) -> edits.Edited:
    """What the edits of a directory make of its record now."""
    return edits.fold(record, ordered_edits(directory))
