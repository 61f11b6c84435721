"""What a host remembers of a source directory's last snapshot, so that unchanged files are not read again.

One file a source directory, in the host-local cache: a first line that is enough when nothing changed at all, and a
second one with the files. It may be deleted at any time; a damaged one counts as absent.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amlnb.engine.snapshot_tree import FileStatus

_FORMAT = 1
# Coarsest time stamp of the file systems in use (FAT). A file that was changed this shortly before it was read may
# have been changed again since without its status telling.
_TIME_STEP_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class LastSnapshot:
    """The last snapshot of a source directory.

    Attributes
    ----------
    snapshot
        Its id.
    fingerprint
        Fingerprint of the tree it was taken from; None if some file was too new for its status to be trusted.
    files
        Number of its files.
    bytes
        Sum of their sizes.
    """

    snapshot: str
    fingerprint: str | None
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file's content as it was read last.

    Attributes
    ----------
    status
        The file's status then.
    sha
        SHA-256 of its content.
    settled
        False if the file was so new that the same status does not prove the same content.
    """

    status: FileStatus
    sha: str
    settled: bool


def is_settled(status: FileStatus, read_at_ns: int) -> bool:
    """Tell whether a later change of the file must show in its status.

    The rule git has for its index ("racy git"): a file as new as the moment it was read is read again.
    """
    return max(status[1], status[3]) < read_at_ns - _TIME_STEP_NS


class SnapshotCache:
    """The memory of one source directory's last snapshot.

    Parameters
    ----------
    cache_dir
        The host-local cache folder.
    source
        The source directory, without symbolic links in its path.
    objects_root
        Where the contents are kept; another store knows nothing of them.
    partial
        True for snapshots of chosen paths, which are remembered apart from those of the whole directory.
    """

    def __init__(self, cache_dir: str, source: str, objects_root: str, *, partial: bool) -> None:
        key = hashlib.sha256(os.fsencode(f"{source}\0{os.path.realpath(objects_root)}\0{partial}")).hexdigest()[:24]
        self._path = f"{cache_dir}/snapshots/{key}.json"

    def last(self) -> LastSnapshot | None:
        """Return the last snapshot; None if none is known."""
        try:
            with open(self._path, "rb") as file:
                head = json.loads(file.readline())
            if head["format"] != _FORMAT:
                return None
            return LastSnapshot(head["snapshot"], head["fingerprint"], head["files"], head["bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def files(self) -> dict[str, KnownFile]:
        """Return the files of the last snapshot by path; empty if none is known."""
        try:
            with open(self._path, "rb") as file:
                file.readline()
                entries: dict[str, list[Any]] = json.loads(file.readline())
            return {
                path: KnownFile((size, mtime, inode, ctime, mode), sha, settled)
                for path, (size, mtime, inode, ctime, mode, sha, settled) in entries.items()
            }
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def save(self, last: LastSnapshot, files: Mapping[str, KnownFile]) -> None:
        """Remember a snapshot in place of the last one.

        Raises
        ------
        OSError
            If the cache cannot be written; what was there stays.
        """
        head = {
            "format": _FORMAT,
            "snapshot": last.snapshot,
            "fingerprint": last.fingerprint,
            "files": last.files,
            "bytes": last.bytes,
        }
        entries = {path: [*known.status, known.sha, known.settled] for path, known in files.items()}
        lines = json.dumps(head) + "\n" + json.dumps(entries, separators=(",", ":")) + "\n"
        unfinished = f"{self._path}.{os.getpid()}-{os.urandom(4).hex()}"
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        try:
            with open(unfinished, "x", encoding="ascii") as file:
                file.write(lines)
            os.rename(unfinished, self._path)
        except BaseException:
            if os.path.exists(unfinished):
                os.unlink(unfinished)
            raise
