"""What of a run's home has not been sent yet: byte ranges of its files, and edits.

The mirror at the other end gets the same bytes at the same offsets. Journals are sent in whole records, and a writer's
event lines before the metric records that refer to them, so that a mirror can be read at any time like a home.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat

from amlnb.core import edits, layout
from amlnb.core.records import SIZE as RECORD_BYTES
from amlnb.tracking.create import publish_json
from amlnb.tracking.seal import file_sizes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

_CHUNK = 1 << 18
# So that a long computation is not taken for a dead connection.
_SIGN_OF_LIFE_CHUNKS = 4096
_LIVE_FOLDERS = (layout.ATTEMPTS, layout.FAILURES, "user_logs", layout.WORK + "/logs", layout.ARTIFACTS)


class Budget:
    """How many bytes one answer may still carry."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


class RunFeed:
    """What one connection has sent of one run.

    Parameters
    ----------
    directory
        The run's home.
    have
        ``{path: bytes}`` of what the mirror holds already.
    have_edits
        Names of the edits it holds.
    send
        Sends one frame: a header with ``path`` and ``at``, and bytes.
    """

    def __init__(
        self,
        directory: str,
        have: Dict[str, int],
        have_edits: List[str],
        send: Callable[[Dict[str, Any], bytes], None],
    ) -> None:
        self._directory = directory
        self._send = send
        self._have = dict(have)
        self._edits: Set[str] = set(have_edits)
        # (inode, bytes sent) by path
        self._sent: Dict[str, Tuple[int, int]] = {}

    def look(self, budget: Budget) -> bool:
        """Send what is new; True once the run is sealed and all of it has been sent."""
        # Asked first: what a seal seals was written before it.
        sealed = os.path.exists(os.path.join(self._directory, layout.FINAL_JSON))
        self._send_edits()
        done = True
        for folder in (layout.JOURNALS, layout.SYSTEM):
            done &= self._send_journals(folder, budget, sealed)
        for path in self._files(sealed):
            done &= self._send_file(path, budget)
        return done and sealed

    def differing(self, hashes: Dict[str, str]) -> List[str]:
        """Paths among those given whose content here has another SHA-256; they will be sent anew."""
        found = []
        for path, sha in hashes.items():
            if self._sha(path) != sha:
                found.append(path)
                self._have.pop(path, None)
                self._sent[path] = (-1, 0)
        return found

    def missing_here(self, paths: List[str]) -> List[str]:
        """Paths among those given that are no files here."""
        return [path for path in paths if not os.path.isfile(os.path.join(self._directory, path))]

    def take_edits(self, given: Dict[str, Any]) -> None:
        """Keep edits that were made at the other end."""
        folder = os.path.join(self._directory, layout.EDITS)
        for name, edit in given.items():
            if edits.number_of(name) is None or "/" in name or not isinstance(edit, dict):
                continue
            try:
                publish_json(os.path.join(folder, name), edit)
            except FileExistsError:
                pass  # it came before, on a connection that was cut
            self._edits.add(name)

    # -- what is there -----------------------------------------------------------------------------------------------

    def _files(self, sealed: bool) -> Iterator[str]:
        """Paths to send besides journals; outputs only when the run has ended, for they are rewritten until then."""
        journals = (layout.JOURNALS + "/", layout.SYSTEM + "/")
        if sealed:
            for path, _ in file_sizes(self._directory):
                if not path.startswith(journals):
                    yield path
            return
        for folder in _LIVE_FOLDERS:
            for top, _, names in os.walk(os.path.join(self._directory, folder)):
                for name in sorted(names):
                    if not _is_unfinished(folder, name):
                        yield os.path.relpath(os.path.join(top, name), self._directory)

    def _sha(self, path: str) -> Optional[str]:
        digest = hashlib.sha256()
        try:
            with open(os.path.join(self._directory, path), "rb") as file:
                for number, chunk in enumerate(iter(lambda: file.read(_CHUNK), b""), 1):
                    digest.update(chunk)
                    if number % _SIGN_OF_LIFE_CHUNKS == 0:
                        self._send({"busy": True}, b"")
        except OSError:
            return None
        return digest.hexdigest()

    # -- sending -----------------------------------------------------------------------------------------------------

    def _send_edits(self) -> None:
        folder = os.path.join(self._directory, layout.EDITS)
        for name in sorted(os.listdir(folder)):
            if name in self._edits or edits.number_of(name) is None:
                continue
            try:
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    edit = json.load(file)
            except ValueError:
                edit = {}  # damaged: it counts as none here, and so it does there
            self._send({"edit": name, "value": edit}, b"")
            self._edits.add(name)

    def _send_journals(self, folder: str, budget: Budget, sealed: bool) -> bool:
        try:
            names = sorted(os.listdir(os.path.join(self._directory, folder)))
        except FileNotFoundError:
            return True
        done = True
        for base in sorted({name.rpartition(".")[0] for name in names}):
            records, events = f"{folder}/{base}.metrics", f"{folder}/{base}.events"
            # The size of the records is taken before that of the lines: all lines they need are then among those.
            end = self._size(records) if base + ".metrics" in names else None
            if base + ".events" in names and not self._send_file(events, budget, lines=not sealed):
                done = False
            elif end is not None:
                end = end if sealed else end // RECORD_BYTES * RECORD_BYTES
                done &= self._send_file(records, budget, end=end)
        return done

    def _size(self, path: str) -> Optional[int]:
        try:
            return os.stat(os.path.join(self._directory, path)).st_size
        except OSError:
            return None

    def _send_file(self, path: str, budget: Budget, end: Optional[int] = None, lines: bool = False) -> bool:
        """Send a file from where the mirror is; True if the mirror then has all of it.

        ``end`` is where to stop; with ``lines``, only whole lines are sent.
        """
        try:
            descriptor = os.open(os.path.join(self._directory, path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return True  # removed since it was listed
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return True
            end = status.st_size if end is None else min(end, status.st_size)
            at = self._begin(path, status, end)
            while at < end and budget.left > 0:
                data = os.pread(descriptor, min(_CHUNK, end - at), at)
                if lines:
                    data = _whole_lines(descriptor, data, at, end)
                    if not data:
                        break
                if not data:
                    return True  # cut short meanwhile; the next look sees its new size
                self._send({"path": path, "at": at}, data)
                at += len(data)
                budget.left -= len(data)
            self._sent[path] = (status.st_ino, at)
            return at >= end or (lines and budget.left > 0)
        finally:
            os.close(descriptor)

    def _begin(self, path: str, status: os.stat_result, end: int) -> int:
        """Offset to go on from; the mirror is told to begin anew where its bytes are not this file's."""
        inode, at = self._sent.get(path, (status.st_ino, self._have.get(path, -1)))
        if at > end or inode != status.st_ino:
            self._send({"path": path, "at": 0, "reset": True}, b"")
            return 0
        if at < 0:
            self._send({"path": path, "at": 0}, b"")  # so that an empty file is there too
            return 0
        return at


def _is_unfinished(folder: str, name: str) -> bool:
    """Tell whether a file is about to be renamed to what it is meant to be."""
    if folder in (layout.ATTEMPTS, layout.FAILURES):
        return not name.endswith(".json")
    return folder == layout.ARTIFACTS and name.startswith(".new-")


def _whole_lines(descriptor: int, data: bytes, at: int, end: int) -> bytes:
    """Cut after the last line end; a line longer than a chunk is read to its end."""
    cut = data.rfind(b"\n") + 1
    while not cut and at + len(data) < end:
        more = os.pread(descriptor, min(_CHUNK, end - at - len(data)), at + len(data))
        if not more:
            return b""
        data += more
        cut = data.rfind(b"\n") + 1
    return data[:cut]
