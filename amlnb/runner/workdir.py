"""A run's working directory: made from its snapshot, and left with what the run made.

Files are copied, never linked to the objects: a script may change what it was given. What it did not change is removed
when it has ended, because the snapshot still holds it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from amlnb.core.manifest import decode, object_path
from amlnb.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Set, Tuple

OUTPUTS = "outputs"
LOGS = "logs"

_FICLONE = 0x40049409
_CHUNK = 1 << 20
_NEVER_LINKED = frozenset([OUTPUTS, LOGS, "__pycache__"])
# Errors that tell "not with these file systems", as opposed to "not at all".
_TRY_ANOTHER_WAY = frozenset(
    [errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM, errno.EBADF, errno.ETXTBSY]
)


class Staged:
    """What was put into a working directory, so that it can be told from what the run made.

    Attributes
    ----------
    files
        ``{path: mark}`` of copied files; a file with another mark was changed.
    links
        ``{path: target}`` of the snapshot's links.
    linked
        ``{path: (target, mark)}`` of links to entries of the user's own folder; the mark is None where it is not
        watched.
    directories
        Directories that were made, parents first.
    """

    __slots__ = ("directories", "files", "linked", "links")

    def __init__(self) -> None:
        self.files: Dict[str, Tuple[int, ...]] = {}
        self.links: Dict[str, str] = {}
        self.linked: Dict[str, Tuple[str, Optional[Tuple[int, ...]]]] = {}
        self.directories: List[str] = []


def materialise(
    objects_dir: str, snapshot_id: Optional[str], work_dir: str, link_directory: Optional[str] = None
) -> Staged:
    """Put a snapshot into a working directory, and make its ``outputs`` and ``logs``.

    What stands in a snapshot's path already, left by an earlier attempt, is replaced.

    Parameters
    ----------
    objects_dir
        The folder of objects.
    snapshot_id
        SHA-256 of the manifest; None for a run without a snapshot.
    work_dir
        The directory; made if missing.
    link_directory
        A folder whose other entries appear as absolute links: all that the snapshot does not have, except ``outputs``,
        ``logs`` and hidden ones. A directory that is in both is a real one here, with links to its other entries.

    Raises
    ------
    FormatError
        The manifest or an object is missing or damaged, or a path leaves the directory. Nothing outside of
        ``work_dir`` is ever written.
    OSError
        The file system refused.
    """
    staged = Staged()
    made: Set[str] = set()
    os.makedirs(work_dir, exist_ok=True)
    if snapshot_id is not None:
        manifest = decode(_read_object(objects_dir, snapshot_id), snapshot_id)
        for path in sorted(manifest.files):
            sha, size, mode = manifest.files[path]
            _make_directories(work_dir, os.path.dirname(path), staged, made)
            source = os.path.join(objects_dir, object_path(sha))
            staged.files[path] = _copy(source, _encoded(work_dir, path), size, mode, path)
        for path in manifest.directories:
            _make_directories(work_dir, path, staged, made)
        # Last, so that no file is ever written through one of them.
        for path, target in manifest.links.items():
            _make_directories(work_dir, os.path.dirname(path), staged, made)
            _link(_encoded(work_dir, path), target)
            staged.links[path] = target
    for name in (OUTPUTS, LOGS):
        if not os.path.isdir(os.path.join(work_dir, name)):
            os.mkdir(os.path.join(work_dir, name))
    if link_directory is not None:
        _link_entries(work_dir, os.path.abspath(link_directory), "", staged, made)
    return staged


def prune(work_dir: str, staged: Staged) -> List[str]:
    """Remove what was staged and the run did not change; leave ``outputs``, ``logs`` and what the run made.

    Returns
    -------
    list of str
        A warning for each linked file that changed while the run could see it. What is inside of a linked directory is
        not watched.
    """
    warnings: List[str] = []
    modules: Dict[bytes, Set[bytes]] = {}
    for path, (target, before) in staged.linked.items():
        if before is not None and _mark_of_file(target) != before:
            warnings.append(
                f"{path!r} changed during the run: it was a link to {target!r}, not a copy of it; "
                "hint: write to ./outputs what the run makes"
            )
        _unlink_if(_encoded(work_dir, path), target)
    for path, target in staged.links.items():
        if not _is_kept(path):
            _unlink_if(_encoded(work_dir, path), target)
    for path, mark in staged.files.items():
        full = _encoded(work_dir, path)
        if not _is_kept(path) and _mark_at(full) == mark:
            os.unlink(full)
            if path.endswith(".py"):
                modules.setdefault(os.path.dirname(full), set()).add(os.path.basename(full)[:-3])
    for folder, names in modules.items():
        _remove_bytecode(folder, names)
    for path in reversed(staged.directories):
        if not _is_kept(path):
            _remove_if_empty(_encoded(work_dir, path))
    return warnings


def left_over(work_dir: str) -> List[str]:
    """Files that the run made outside ``outputs`` and ``logs``, relative to its working directory, by name.

    They stay in the run directory, and are not among the run's files. Bytecode, hidden files and the models that were
    brought there (``azureml-models``) are not worth telling.
    """
    found: List[str] = []
    for folder, directories, names in os.walk(work_dir):
        below = os.path.relpath(folder, work_dir)
        hidden = [name for name in directories if name.startswith((".", "__pycache__"))]
        kept = ["outputs", "logs", "azureml-models"] if below == "." else []
        directories[:] = sorted(set(directories) - set(hidden) - set(kept))
        found += [os.path.normpath(os.path.join(below, name)) for name in sorted(names) if not name.startswith(".")]
    return found


def _encoded(work_dir: str, path: str) -> bytes:
    """Bytes of a path of the manifest: the same on a host whose locale is another one."""
    return os.path.join(os.fsencode(work_dir), path.encode("utf-8", "surrogateescape"))


def _is_kept(path: str) -> bool:
    return path.partition("/")[0] in (OUTPUTS, LOGS)


def _mark_at(path: bytes) -> Optional[Tuple[int, ...]]:
    """Mark of what stands at a path; None if nothing does."""
    try:
        return _mark(os.lstat(path))
    except OSError:
        return None


def _mark_of_file(path: str) -> Optional[Tuple[int, ...]]:
    """Mark of the regular file a path leads to; None for anything else."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return _mark(status) if stat.S_ISREG(status.st_mode) else None


def _mark(status: os.stat_result) -> Tuple[int, ...]:
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_mode)


def _read_object(objects_dir: str, sha: str) -> bytes:
    try:
        with open(os.path.join(objects_dir, object_path(sha)), "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise FormatError(
            f"snapshot {sha} is missing in {objects_dir!r}",
            hint="it was deleted, or the run was copied without its workspace's objects",
        ) from error


def _make_directories(work_dir: str, path: str, staged: Staged, made: Set[str]) -> None:
    """Make a directory of the snapshot and its parents; nothing else may stand in their place."""
    if not path or path in made:
        return
    _make_directories(work_dir, os.path.dirname(path), staged, made)
    full = _encoded(work_dir, path)
    try:
        os.mkdir(full)
    except FileExistsError:
        if not stat.S_ISDIR(os.lstat(full).st_mode):
            os.unlink(full)
            os.mkdir(full)
    made.add(path)
    staged.directories.append(path)


def _copy(source: str, target: bytes, size: int, mode: int, path: str) -> Tuple[int, ...]:
    """Copy an object to a new file and return the file's mark."""
    try:
        reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise FormatError(f"the content of {path!r} is missing: {source!r}") from error
    try:
        if os.fstat(reading).st_size != size:
            raise FormatError(f"the content of {path!r} is damaged: {source!r} is not {size} bytes long")
        writing = _create(target)
        try:
            _copy_bytes(reading, writing, size)
            os.fchmod(writing, mode)
            return _mark(os.fstat(writing))
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _create(target: bytes) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(target, flags, 0o600)
    except FileExistsError:
        _clear(target)
        return os.open(target, flags, 0o600)


def _clear(target: bytes) -> None:
    """Remove what an earlier attempt left in a path of the snapshot."""
    if stat.S_ISDIR(os.lstat(target).st_mode):
        os.rename(target, target + b".before-" + os.urandom(4).hex().encode("ascii"))
    else:
        os.unlink(target)


def _copy_bytes(reading: int, writing: int, size: int) -> None:
    """Copy a file's content in the cheapest way these file systems offer."""
    if size > _CHUNK:
        try:
            fcntl.ioctl(writing, _FICLONE, reading)
            return
        except OSError as error:
            if error.errno not in _TRY_ANOTHER_WAY:
                raise
        if hasattr(os, "copy_file_range") and _copy_in_kernel(reading, writing, size):
            return
    while True:
        data = os.read(reading, _CHUNK)
        if not data:
            return
        view = memoryview(data)
        while view:
            view = view[os.write(writing, view) :]


def _copy_in_kernel(reading: int, writing: int, size: int) -> bool:
    """Copy by copy_file_range; False if the file systems do not offer it, nothing being copied then."""
    done = 0
    while done < size:
        try:
            copied = os.copy_file_range(reading, writing, size - done)
        except OSError as error:
            if done or error.errno not in _TRY_ANOTHER_WAY:
                raise
            return False
        if not copied:
            raise FormatError(f"an object became shorter while it was copied ({done} of {size} bytes)")
        done += copied
    return True


def _link(target: bytes, text: str) -> None:
    encoded = text.encode("utf-8", "surrogateescape")
    try:
        os.symlink(encoded, target)
    except FileExistsError:
        _clear(target)
        os.symlink(encoded, target)


def _link_entries(work_dir: str, folder: str, below: str, staged: Staged, made: Set[str]) -> None:
    """Link the entries of the user's folder that the snapshot does not have."""
    try:
        names = sorted(os.listdir(os.path.join(folder, below)))
    except OSError:
        return  # it was removed since the submission: the run finds its files missing, by their names
    for name in names:
        path = os.path.join(below, name)
        if name.startswith(".") or (name in _NEVER_LINKED and not below) or name == "__pycache__":
            continue
        source, target = os.path.join(folder, path), _encoded(work_dir, path)
        if path in made and not os.path.islink(source):
            _link_entries(work_dir, folder, path, staged, made)
        elif not os.path.lexists(target) or os.path.islink(target):
            if path in staged.links:
                continue
            _link(target, source)
            # A notebook is saved while its cells run; that is no doing of theirs.
            staged.linked[path] = (source, None if name.endswith(".ipynb") else _mark_of_file(source))


def _unlink_if(full: bytes, target: str) -> None:
    """Remove a link that still is the one that was made."""
    try:
        if os.readlink(full) == target.encode("utf-8", "surrogateescape"):
            os.unlink(full)
    except OSError:
        pass  # the run replaced or removed it


def _remove_bytecode(folder: bytes, modules: Set[bytes]) -> None:
    """Remove what Python compiled from modules that were removed."""
    cache = os.path.join(folder, b"__pycache__")
    try:
        names = os.listdir(cache)
    except OSError:
        return
    for name in names:
        if name.endswith(b".pyc") and name.partition(b".")[0] in modules:
            os.unlink(os.path.join(cache, name))
    _remove_if_empty(cache)


def _remove_if_empty(folder: bytes) -> None:
    try:
        os.rmdir(folder)
    except OSError:
        pass  # the run made something in it, or removed it
