"""Models: which names they may have, and what a version's record and its edits say of it."""

from __future__ import annotations

from amlnb.core import coercion
from amlnb.core import edits as edits_
from amlnb.errors import WebserviceException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Tuple

_LONGEST_NAME = 255
_LONGEST_VERSION = 18


def check_name(name: Any) -> str:
    """Return a model's name if it is one.

    Raises
    ------
    WebserviceException
        It is none.
    """
    is_text = isinstance(name, str) and name.isascii() and 1 <= len(name) <= _LONGEST_NAME
    if is_text and name[0].isalnum() and all(c.isalnum() or c in "-._" for c in name):
        return str(name)
    raise WebserviceException(
        f"{name!r:.300} cannot be the name of a model",
        hint="1 to 255 letters, digits, '-', '.' and '_', a letter or digit first",
    )


def is_plain_name(path: object) -> bool:
    """Tell whether a path is the name of something in a folder itself, as ``path`` of a model's record must be."""
    return isinstance(path, str) and path not in ("", ".", "..") and "/" not in path and "\0" not in path


def check_version(version: Any) -> int:
    """Return a version as a number; texts of digits are taken too.

    Raises
    ------
    WebserviceException
        It is no whole number from 1.
    """
    if isinstance(version, int) and not isinstance(version, bool) and version > 0:
        return version
    is_number = isinstance(version, str) and version.isascii() and version.isdigit()
    if is_number and len(version) <= _LONGEST_VERSION and int(version) > 0:
        return int(version)
    raise WebserviceException(f"{version!r:.100} is no version of a model", hint="versions are 1, 2, 3, ...")


def split_id(model_id: Any) -> Tuple[str, int]:
    """Name and version in a model's id, ``name:version``.

    Raises
    ------
    WebserviceException
        It is none.
    """
    name, colon, version = str(model_id).rpartition(":")
    if not colon:
        raise WebserviceException(f"{model_id!r:.300} is no id of a model", hint="it is '<name>:<version>'")
    return check_name(name), check_version(version)


class ModelFacts:
    """What the files of one version of a model say.

    Attributes
    ----------
    path
        Of what was registered, below the version's ``files/``: a file, or a folder.
    run_id, experiment
        Of the run it came from; None where it came from none.
    datasets
        ``(name, id)`` pairs, as they were given.
    registration
        Of a registration that was brought here from another machine: its name there.
    """

    __slots__ = (
        "created",
        "datasets",
        "description",
        "directory",
        "experiment",
        "framework",
        "framework_version",
        "name",
        "path",
        "properties",
        "registration",
        "resource_configuration",
        "run_id",
        "sample_input",
        "sample_output",
        "tags",
        "version",
    )

    def __init__(
        self, directory: str, version: int, record: Dict[str, Any], edits: Iterable[Dict[str, Any]] = ()
    ) -> None:
        edited = edits_.fold(record, edits)
        self.directory = directory
        self.version = version
        self.name = coercion.text(record.get("name")) or ""
        self.path = coercion.text(record.get("path")) or ""
        self.created = coercion.unix_time(record.get("created")) or 0.0
        self.tags = edited.tags
        self.properties = edited.properties
        self.run_id = coercion.text(record.get("run_id"))
        self.experiment = coercion.text(record.get("experiment"))
        self.framework = coercion.text(record.get("framework"))
        self.framework_version = coercion.text(record.get("framework_version"))
        self.registration = coercion.text(record.get("registration"))
        record = edited.described
        self.description = coercion.text(record.get("description"))
        self.datasets: List[Any] = coercion.items(record.get("datasets"))
        self.sample_input = coercion.text(record.get("sample_input"))
        self.sample_output = coercion.text(record.get("sample_output"))
        self.resource_configuration: Dict[str, Any] = coercion.mapping(record.get("resource_configuration"))
