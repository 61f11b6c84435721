"""Which workspaces there are: that of a folder, those of this user."""

from __future__ import annotations

import os

from amlnb.api import workspace_details
from amlnb.errors import UserErrorException
from amlnb.store import known_workspaces, workspace_dir


def data_of_folder(folder: str) -> str | None:
    """Data directory of the workspace to which a notebook in a folder submits; None as long as there is none."""
    try:
        config = workspace_dir.find_config(folder)
    except UserErrorException:  # told by whoever submits
        return None
    found = workspace_dir.find_data(folder) if config is None else workspace_details.place(*config)
    return found if found is not None and os.path.isdir(found) else None


def everywhere(root: str) -> list[str]:
    """Data directories of the workspaces that this user has: of a folder, of the user's data directory, and used."""
    here = data_of_folder(root)
    return [*([here] if here else []), *workspace_details.every(), *known_workspaces.known().values()]
