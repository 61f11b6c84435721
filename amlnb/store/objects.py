"""Content-addressed objects: each content is kept once, under its SHA-256, whoever puts it and however often."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Self

from amlnb.core.manifest import object_path
from amlnb.errors import AmlnbError, FormatError, SnapshotException

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 20
_READ_TRIES = 3
# Unfinished objects; what a killed writer left here is never read, and `gc` removes it.
UNFINISHED = ".tmp"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file's content as it was put.

    Attributes
    ----------
    sha
        SHA-256 of the content, 64 hex digits.
    status
        The file's status, the same before and after it was read.
    """

    sha: str
    status: os.stat_result


class ObjectStore:
    """The ``objects/`` directory of a workspace.

    Objects are written beside their place and renamed into it, so any number of processes and hosts may put the same
    content at once, and a reader finds an object whole or not at all. They are never changed, and read-only. An object
    that is put again gets the present time as its mtime, so that `gc` can leave alone what is about to be used.

    Parameters
    ----------
    root
        The directory; it is made when the first object is put.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.fspath(root)

    def path(self, sha: str) -> str:
        """Path of an object, whether it is there or not.

        Raises
        ------
        FormatError
            If ``sha`` is not 64 lower-case hex digits.
        """
        return f"{self.root}/{object_path(sha)}"

    def exists(self, sha: str) -> bool:
        """Tell whether an object is there."""
        return os.path.exists(self.path(sha))

    def open(self, sha: str) -> BinaryIO:
        """Open an object for reading.

        Raises
        ------
        FormatError
            If it is not there.
        """
        try:
            return open(self.path(sha), "rb")
        except FileNotFoundError as error:
            raise FormatError(
                f"object {sha} is missing in {self.root!r}",
                hint="it was deleted by hand, or the run was copied without its workspace's objects",
            ) from error

    def read(self, sha: str) -> bytes:
        """Return an object's content, checked against its name.

        Raises
        ------
        FormatError
            If it is not there, or its content has another hash.
        """
        with self.open(sha) as file:
            data = file.read()
        if hashlib.sha256(data).hexdigest() != sha:
            raise FormatError(
                f"object {self.path(sha)!r} is damaged: its content has another hash",
                hint="remove that file, and submit the source again",
            )
        return data

    def put_bytes(self, data: bytes) -> str:
        """Keep ``data``; return its SHA-256.

        Raises
        ------
        AmlnbError
            If it cannot be written (full disk, read-only workspace); nothing is left behind.
        """
        sha = hashlib.sha256(data).hexdigest()
        self._keep(sha, data, 0o444)
        return sha

    def put_file(self, path: str) -> StoredFile:
        """Keep a file's content, read once; a symbolic link is followed.

        The object is readable by those who could read the file.

        Raises
        ------
        OSError
            If the file cannot be read.
        SnapshotException
            If it is not a regular file, or changed each time while it was read.
        AmlnbError
            If the object cannot be written.
        """
        for _ in range(_READ_TRIES):
            # A pipe that took the file's place must not make us wait.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                stored = self._put_descriptor(path, descriptor)
            finally:
                os.close(descriptor)
            if stored is not None:
                return stored
        raise SnapshotException(
            f"{path!r} changed each of the {_READ_TRIES} times it was read",
            hint="wait until it is written, or leave it out through .amlignore",
        )

    def refresh(self, sha: str, size: int | None = None) -> bool:
        """Tell whether an object is there, and mark it as just used.

        Parameters
        ----------
        sha
            Its name.
        size
            Its bytes, where they are known: one of another size was cut in a crash of the machine, and counts as
            missing.
        """
        path = self.path(sha)
        try:
            there = os.stat(path).st_size
        except OSError:
            return False
        if size is not None and there != size:
            return False
        try:
            os.utime(path)
        except FileNotFoundError:
            return False  # gc took it in this instant
        except OSError:
            pass  # another user's object, or a read-only workspace: it is there, which is what matters
        return True

    def _put_descriptor(self, path: str, descriptor: int) -> StoredFile | None:
        """Keep what an open file holds; None if it changed meanwhile."""
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise SnapshotException(f"{path!r} is not a regular file")
        mode = before.st_mode & 0o444 | 0o400
        if before.st_size <= _CHUNK:
            with open(descriptor, "rb", buffering=0, closefd=False) as file:
                data = file.readall()
            sha = hashlib.sha256(data).hexdigest()
            if not _unchanged(before, descriptor, len(data)):
                return None
            self._keep(sha, data, mode)
            return StoredFile(sha, before)
        return self._copy(descriptor, before, mode)

    def _copy(self, descriptor: int, before: os.stat_result, mode: int) -> StoredFile | None:
        """Keep a large file, hashed while it is copied."""
        digest = hashlib.sha256()
        size = 0
        with _Unfinished(self.root) as unfinished:
            while size <= before.st_size and (data := os.read(descriptor, _CHUNK)):
                digest.update(data)
                size += len(data)
                unfinished.write(data)
            sha = digest.hexdigest()
            if not _unchanged(before, descriptor, size):
                return None
            if not self.refresh(sha, size):
                unfinished.become(self.path(sha), mode)
        return StoredFile(sha, before)

    def _keep(self, sha: str, data: bytes, mode: int) -> None:
        if not self.refresh(sha, len(data)):
            with _Unfinished(self.root) as unfinished:
                unfinished.write(data)
                unfinished.become(self.path(sha), mode)


class _Unfinished:
    """A file that becomes an object, or is gone when the block ends."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._folder = f"{root}/{UNFINISHED}"
        self._path = f"{self._folder}/{os.getpid()}-{os.urandom(8).hex()}"

    def __enter__(self) -> Self:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with _write_errors_told(self._root):
            try:
                self._descriptor = os.open(self._path, flags, 0o600)
            except FileNotFoundError:
                os.makedirs(self._folder, exist_ok=True)
                self._descriptor = os.open(self._path, flags, 0o600)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
        if self._path:
            os.unlink(self._path)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        with _write_errors_told(self._root):
            while view:
                view = view[os.write(self._descriptor, view) :]

    def become(self, path: str, mode: int) -> None:
        with _write_errors_told(self._root):
            os.fchmod(self._descriptor, mode)
            try:
                os.rename(self._path, path)
            except FileNotFoundError:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.rename(self._path, path)
        self._path = ""


@contextmanager
def _write_errors_told(root: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = None
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "free some space; `amlnb gc --dry-run` tells what this workspace no longer needs"
        elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            hint = "the workspace must be writable to submit a run; AMLNB_HOME names another place for its data"
        raise AmlnbError(f"cannot write an object below {root!r}: {error.strerror}", hint=hint) from error


def _unchanged(before: os.stat_result, descriptor: int, size: int) -> bool:
    after = os.fstat(descriptor)
    return size == before.st_size and all(
        getattr(before, field) == getattr(after, field) for field in ("st_size", "st_mtime_ns", "st_ctime_ns")
    )
