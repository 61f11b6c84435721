"""The models of a workspace, read from their files. Standard library only, Python 3.7+: jobs read them too."""

from __future__ import annotations

import os

from amlnb.core import layout
from amlnb.core.models import ModelFacts, is_plain_name
from amlnb.errors import FormatError
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
            name = None if record is None else record.get("name")
            if isinstance(name, str) and layout.model_directory_name(name) == folder:
                found.add(name)
                break
    return sorted(found)


def model_versions(models: str, name: str) -> List[int]:
    """Numbers of a model's versions, in their order."""
    folder = os.path.join(models, layout.model_directory_name(name))
    return [
        version for version in _numbers(folder) if os.path.exists(os.path.join(folder, str(version), layout.MODEL_JSON))
    ]


def read_model(models: str, name: str, version: int) -> Optional[ModelFacts]:
    """What is known of a version of a model; None if there is none.

    Raises
    ------
    FormatError
        Its record is damaged, or of a newer format.
    """
    directory = os.path.join(models, layout.model_directory_name(name), str(version))
    path = os.path.join(directory, layout.MODEL_JSON)
    record = read_json(path)
    if record is None and not os.path.exists(path):
        return None
    number = None if record is None else record.get("format")
    if isinstance(number, int) and number > layout.FORMAT:
        raise FormatError(
            f"{path!r} has format {number}, and this amlnb reads up to {layout.FORMAT}",
            hint="upgrade amlnb: pip install -U amlnb",
        )
    if record is None or record.get("name") != name or not _is_there(directory, record.get("path")):
        raise FormatError(
            f"{path!r} is damaged, or what it names is not there",
            hint="restore the version from a copy; what is left of the files of the model is beside it",
        )
    return ModelFacts(directory, version, record, ordered_edits(directory))


def _is_there(directory: str, path: object) -> bool:
    """Tell whether what was registered is in the version's folder, and is no link out of it."""
    full = os.path.join(directory, layout.MODEL_FILES, str(path))
    return is_plain_name(path) and os.path.exists(full) and not os.path.islink(full)


def latest_model(models: str, name: str) -> Optional[ModelFacts]:
    """The version of a model with the highest number; None if it has none."""
    versions = model_versions(models, name)
    return read_model(models, name, versions[-1]) if versions else None


def _numbers(folder: str) -> List[int]:
    return sorted(int(name) for name in _names(folder) if name.isdigit())


def _names(folder: str) -> List[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
