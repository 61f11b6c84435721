"""The models of a workspace, read from their files. Standard library only, Python 3.7+: jobs read them too."""

from __future__ import annotations

import difflib
import os

from amlnb.core import layout
from amlnb.core.models import ModelFacts, is_plain_name
from amlnb.errors import FormatError, WebserviceException
from amlnb.store.edits import ordered_edits
from amlnb.store.plain_files import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

_NAMED_AT_MOST = 20


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


def not_found(models: str, what: str, name: Optional[str], where: str = "") -> WebserviceException:
    """The error for a model that is not there, which names those that are.

    Parameters
    ----------
    models
        ``<workspace data>/models``.
    what
        What was asked for, in words.
    name
        The name that was asked for, if one was.
    where
        Further words of the message.
    """
    known = model_names(models)
    near = difflib.get_close_matches(name or "", known, 1, 0.5)
    versions = model_versions(models, name) if name is not None and name in known else []
    if versions:
        hint = f"the model {name!r} has the versions {', '.join(map(str, versions[-_NAMED_AT_MOST:]))}"
    elif near:
        hint = f"did you mean {near[0]!r}?"
    else:
        more = f" and {len(known) - _NAMED_AT_MOST} more" if len(known) > _NAMED_AT_MOST else ""
        hint = f"the workspace has: {', '.join(known[:_NAMED_AT_MOST]) or 'none'}{more}"
    return WebserviceException(f"ModelNotFound: there is no {what}{where}", hint=hint)


def in_words(name: Optional[str], version: object) -> str:
    """A model that is asked for, as errors name it."""
    what = f"model {name!r}" if name is not None else "model of that description"
    return what if version is None else f"{what} of version {version!r:.100}"


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
