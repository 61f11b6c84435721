"""Files that a run uploads or logs under a name of their own."""

from __future__ import annotations

import errno
import os

from amlnb.core import layout
from amlnb.errors import UserErrorException
from amlnb.tracking import create, faults
from amlnb.tracking.forks import importing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

    Warn = Callable[[str], None]

_CHUNK_BYTES = 1024 * 1024
_LONGEST_PART = 200
_LARGEST_TRIED_AGAIN = 1024 * 1024
# What a file system says to a name that it will never take.
_NAME_REFUSED = frozenset(
    [errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EINVAL, errno.EILSEQ, errno.ELOOP]
)


class NameTakenError(UserErrorException):
    """The run has a file of that name already."""


def artifact_name(name: Any) -> str:
    """Check and normalise an artifact's name: a relative path that stays inside the run.

    Raises
    ------
    UserErrorException
        Absolute, empty, leading out of the run, or no name that a file can have.
    """
    text = str(name).replace("\\", "/")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in text or text.startswith("/"):
        raise UserErrorException(
            f"{name!r} is not a name for a file of a run: it must be a relative path inside it",
            hint="for example 'outputs/model.pkl'",
        )
    try:
        os.fsencode(text)
    except UnicodeError as error:
        raise UserErrorException(
            f"{name!r} is not a name for a file of a run: {error}", hint="leave out what is no valid text"
        ) from error
    return "/".join(parts)


def name_from_metric(metric: str) -> str:
    """Turn a metric's name into an artifact's name: any text is allowed there."""
    text = "".join(c if c.isprintable() and c not in '<>:"|?*\\' else "_" for c in metric).replace("..", "__")
    parts = [part for part in text.split("/") if part not in ("", ".")] or ["_"]
    return artifact_name("/".join(_shortened(part) for part in parts))


def _shortened(part: str) -> str:
    size = len(part.encode("utf-8"))
    if size <= _LONGEST_PART:
        return part
    with importing:
        return part[: len(part) * (_LONGEST_PART - 13) // size] + "-" + layout.short_hash(part)


def name_from_path(path: str) -> str:
    """Turn the path of a file into an artifact's name: that path, below the run."""
    return artifact_name(os.path.normpath(path).lstrip("/").replace("../", ""))


def check_file(path: str, name: str) -> None:
    """Refuse what is no readable file.

    Raises
    ------
    UserErrorException
        With the reason.
    """
    if not os.path.isfile(path):
        raise UserErrorException(
            f"there is no file {path!r} to keep as {name!r}",
            hint=f"paths are relative to the working directory {os.getcwd()!r}",
        )
    try:
        open(path, "rb").close()
    except OSError as error:
        raise _unreadable(path, name, error) from error


def add_file(run_directory: str, name: str, path: str, warn: Optional[Warn] = None) -> None:
    """Keep a copy of a file.

    A fault of the file system that holds the run is told. The copy of a small file is made when it is over, if the file
    is then still there; that of a large one is given up, for each try would cost as much as the first.

    Raises
    ------
    UserErrorException
        The name is taken or cannot be, or the file cannot be read.
    """

    def write() -> None:
        _add(run_directory, name, _copying(path))

    if not os.path.isfile(path) or os.path.getsize(path) <= _LARGEST_TRIED_AGAIN:
        faults.attempt(run_directory, f"file {name!r}", write)
        return
    try:
        write()
    except OSError as error:
        text = f"the file {name!r} of {path!r} could not be kept: {error.strerror or error}"
        faults.tell(f"amlnb: {text}\n")
        if warn is not None:
            warn(text)


def add_folder(run_directory: str, name: str, folder: str, warn: Warn, without: str = "") -> None:
    """Keep all files below a folder as ``name/<relative path>``, but those whose names are taken, and one.

    Each file is tried once. What cannot be kept is told to ``warn``, and so are links to folders, which are not
    followed; links that lead nowhere and what is no file are passed over.
    """
    for top, folders, files in os.walk(folder):
        for linked in sorted(each for each in folders if os.path.islink(os.path.join(top, each))):
            relative = os.path.relpath(os.path.join(top, linked), folder)
            warn(f"not kept with the run: {name}/{relative} is a link to a folder; hint: copy the folder there")
        for file in sorted(files):
            path = os.path.join(top, file)
            relative = os.path.relpath(path, folder).replace(os.sep, "/")
            if relative == without or not os.path.isfile(path):
                continue
            try:
                _add(run_directory, artifact_name(f"{name}/{relative}"), _copying(path))
            except NameTakenError:
                continue
            except UserErrorException as error:
                warn(f"not kept with the run: {error.message}")
            except OSError as error:
                warn(f"not kept with the run: {name}/{relative} of {path!r}: {error.strerror or error}")


def add_stream(run_directory: str, name: str, stream: Any, warn: Warn) -> None:
    """Keep what a binary (or text) stream holds from its position on.

    What a fault of the file system keeps out is given up, since a stream cannot be read again: ``warn`` says so.

    Raises
    ------
    UserErrorException
        The name is taken or cannot be, or the stream cannot be read.
    """
    try:
        _add(run_directory, name, lambda target: _copy(stream, name, target))
    except OSError as error:
        faults.tell_once(run_directory, error)
        warn(f"the file {name!r} could not be kept: {error.strerror or error}")


def log_file(run_directory: str, name: str, path: str) -> str:
    """Keep a copy of a file under this name, or under one with a number where it is taken; return the name."""
    return _numbered(name, lambda free: add_file(run_directory, free, path))


def log_bytes(run_directory: str, name: str, data: bytes) -> str:
    """Keep these bytes under this name, or under one with a number where it is taken; return the name."""

    def add(free: str) -> None:
        write = _adding(run_directory, free, data)
        faults.attempt(run_directory, f"file {free!r}", write, len(data))

    return _numbered(name, add)


def _adding(run_directory: str, name: str, data: bytes) -> Callable[[], None]:
    return lambda: _add(run_directory, name, lambda target: target.write(data))


def _numbered(name: str, add: Callable[[str], None]) -> str:
    base, ending = os.path.splitext(name)
    number = 0
    while True:
        free = f"{base}-{number}{ending}" if number else name
        try:
            add(free)
        except NameTakenError:
            number += 1
        else:
            return free


def _copying(path: str) -> Callable[[Any], None]:
    return lambda target: _copy_file(path, target)


def _copy_file(path: str, target: Any) -> None:
    check_file(path, path)  # again: it may be gone when the copy is tried again
    with open(path, "rb") as source:
        _copy(source, path, target)


def _copy(source: Any, name: str, target: Any) -> None:
    while True:
        try:
            data = source.read(_CHUNK_BYTES)
        except OSError as error:
            raise _unreadable(name, name, error) from error
        if not data:
            return
        target.write(data.encode("utf-8") if isinstance(data, str) else data)


def _unreadable(path: str, name: str, error: OSError) -> UserErrorException:
    return UserErrorException(
        f"{path!r} cannot be read, to be kept as {name!r}: {error.strerror or error}",
        hint="make it readable for this user",
    )


def _add(run_directory: str, name: str, write: Callable[[Any], Any]) -> None:
    """Write into a temporary file and link it: an artifact is whole or absent, and never overwritten."""
    top = os.path.join(run_directory, layout.ARTIFACTS)
    path = os.path.join(top, *name.split("/"))
    if os.path.lexists(path):
        raise _taken(name)
    if not os.path.isdir(top):
        create.make_folder(top)
    temporary = os.path.join(os.path.dirname(path), ".new-" + os.urandom(6).hex())
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(temporary, "xb") as file:
            write(file)
        create.place(temporary, path)
    except FileExistsError as error:
        raise _taken(name) from error
    except OSError as error:
        if error.errno in _NAME_REFUSED:
            raise UserErrorException(
                f"{name!r} is not a name that a file of this run can have: {error.strerror}", hint="choose another name"
            ) from error
        raise
    finally:
        create.remove(temporary)


def _taken(name: str) -> NameTakenError:
    return NameTakenError(
        f"Resource Conflict: the run has a file {name!r} already",
        hint="files of a run are never overwritten; choose another name",
    )
