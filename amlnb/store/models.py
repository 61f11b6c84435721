"""The models of a workspace, read from their files. Standard library only, Python 3.7+: jobs read them too."""

from __future__ import annotations

import os

from amlnb.core import layout
from amlnb.core.models import ModelFacts
from amlnb.store.edits import ordered_edits
from amlnb.store.plain_files import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional


def model_names(models: str) -> List[str]:
    """Names of all models that have a version, in alphabetical order.

    Parameters
    ----------
    models
        ``<workspace data>/models``.
    """
    found = set()
    for folder in _names(models):
        for version in _numbers(os.path.join(models, folder)):
            record = read_json(os.path.join(models, folder, str(version), layout.MODEL_JSON))
            if record is not None and isinstance(record.get("name"), str):
                found.add(record["name"])
                break
    return sorted(found)


def model_versions(models: str, name: str) -> List[int]:
    """Numbers of a model's versions, in their order."""
    folder = os.path.join(models, layout.model_directory_name(name))
    return [version for version in _numbers(folder) if read_model(models, name, version) is not None]


def read_model(models: str, name: str, version: int) -> Optional[ModelFacts]:
    """What is known of a version of a model; None if there is none (or its record is damaged)."""
    directory = os.path.join(models, layout.model_directory_name(name), str(version))
    record = read_json(os.path.join(directory, layout.MODEL_JSON))
    if record is None or record.get("name") != name:
        return None
    return ModelFacts(directory, version, record, ordered_edits(directory))


def latest_model(models: str, name: str) -> Optional[ModelFacts]:
    """The version of a model with the highest number; None if it has none."""
    for version in reversed(_numbers(os.path.join(models, layout.model_directory_name(name)))):
        found = read_model(models, name, version)
        if found is not None:
            return found
    return None


def _numbers(folder: str) -> List[int]:
    return sorted(int(name) for name in _names(folder) if name.isdigit())


def _names(folder: str) -> List[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
