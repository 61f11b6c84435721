"""Files that a run uploads or logs under a name of their own."""

from __future__ import annotations

import os

from amlnb.core import layout
from amlnb.errors import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

_CHUNK_BYTES = 1024 * 1024


def artifact_name(name: str) -> str:
    """Check and normalise an artifact's name: a relative path that stays inside the run.

    Raises
    ------
    UserErrorException
        Absolute, empty, or leading out of the run.
    """
    parts = [part for part in str(name).replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in name or str(name).startswith("/"):
        raise UserErrorException(
            f"{name!r} is not a name for a file of a run: it must be a relative path inside it",
            hint="for example 'outputs/model.pkl'",
        )
    return "/".join(parts)


def name_from_metric(metric: str) -> str:
    """Turn a metric's name into an artifact's name: any text is allowed there."""
    text = "".join(c if c.isprintable() and c not in '<>:"|?*\\' else "_" for c in metric).replace("..", "__")
    return artifact_name(text.strip("/") or "_")


def add_file(run_directory: str, name: str, source: str) -> None:
    """Keep a copy of a file. Raises FileExistsError for a name that is taken."""

    def copy(target: Any) -> None:
        with open(source, "rb") as file:
            _copy(file, target)

    _add(run_directory, name, copy)


def add_stream(run_directory: str, name: str, stream: Any) -> None:
    """Keep what a binary (or text) stream holds from its position on."""
    _add(run_directory, name, lambda target: _copy(stream, target))


def add_bytes(run_directory: str, name: str, data: bytes) -> None:
    """Keep these bytes."""
    _add(run_directory, name, lambda target: target.write(data))


def _copy(source: Any, target: Any) -> None:
    while True:
        data = source.read(_CHUNK_BYTES)
        if not data:
            return
        target.write(data.encode("utf-8") if isinstance(data, str) else data)


def _add(run_directory: str, name: str, write: Callable[[Any], Any]) -> None:
    """Write into a temporary file and rename it: an artifact is whole or absent."""
    path = os.path.join(run_directory, layout.ARTIFACTS, *name.split("/"))
    if os.path.lexists(path):
        raise FileExistsError(17, "exists", path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = os.path.join(os.path.dirname(path), ".new-" + os.urandom(6).hex())
    try:
        with open(temporary, "xb") as file:
            write(file)
        os.rename(temporary, path)
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)
