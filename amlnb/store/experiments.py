"""What an experiment's edits say."""

from __future__ import annotations

import os

from amlnb.core import edits, layout
from amlnb.store.journals import read_json


def is_archived(directory: str) -> bool:
    """Tell whether the last archive or reactivate edit of an experiment's directory is an archive."""
    folder = os.path.join(directory, layout.EDITS)
    try:
        names = [name for name in os.listdir(folder) if edits.number_of(name) is not None]
    except FileNotFoundError:
        return False
    found = [read_json(os.path.join(folder, name)) or {} for name in sorted(names, key=edits.sort_key)]
    return edits.fold({}, found).archived
