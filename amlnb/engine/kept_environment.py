"""What the environment of a run was, exactly: the lock that lies in its directory."""

from __future__ import annotations

import os

from amlnb.core import coercion, layout
from amlnb.environments.lock import Lock
from amlnb.errors import FormatError
from amlnb.store.plain_files import read_json


def kept_lock(directory: str) -> Lock | None:
    """The lock of a run's environment; None if none was built for it, or its file is damaged or of a newer version.

    Parameters
    ----------
    directory
        The run directory.
    """
    kept = read_json(os.path.join(directory, layout.ENVIRONMENT_JSON))
    try:
        return None if kept is None else Lock.from_dict(coercion.mapping(kept.get("lock")))
    except FormatError:
        return None
