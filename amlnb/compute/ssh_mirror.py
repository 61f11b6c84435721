"""The mirror of a run whose home is elsewhere: the same bytes at the same offsets, in the run directory here."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from typing import Any

from amlnb.core import edits, layout
from amlnb.core.coercion import items
from amlnb.errors import BackendUnavailable

# Top-level names a home may fill. Whatever else comes over the wire is refused.
_FOLDERS = frozenset(
    [
        layout.ATTEMPTS,
        layout.JOURNALS,
        layout.SYSTEM,
        layout.FAILURES,
        "user_logs",
        layout.WORK,
        layout.ARTIFACTS,
        layout.REGISTRATIONS,
        layout.CHILDREN,
    ]
)
# What a file system says to a name that it cannot have beside those that it has: a folder where a file was, too long.
_NAME_REFUSED = frozenset([errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL])
_TOLD_AT_MOST = 10


class Mirror:
    """Writes into a run directory what comes from the run's home.

    Parameters
    ----------
    directory
        The run directory here. Several mirrors of one home may write into it: they write the same.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._edits_there: set[str] = set()
        self._made: set[str] = set()
        self._differences = 0
        # What cannot be here whatever is tried, and why.
        self._left_out: dict[str, str] = {}

    @property
    def is_complete(self) -> bool:
        """True once the seal is here, which comes last."""
        return os.path.exists(os.path.join(self._directory, layout.FINAL_JSON))

    def have(self) -> dict[str, int]:
        """``{path: bytes}`` of what is here already."""
        found = {}
        for folder in _FOLDERS:
            for top, _, names in os.walk(os.path.join(self._directory, folder)):
                for name in names:
                    full = os.path.join(top, name)
                    found[os.path.relpath(full, self._directory)] = os.lstat(full).st_size
        return found

    def edit_names(self) -> list[str]:
        """Names of the edits that are here."""
        return [name for name in os.listdir(self._edits_folder) if edits.number_of(name) is not None]

    def begin(self) -> None:
        """Forget what the home has: the connection is a new one."""
        self._edits_there.clear()

    def new_edits(self) -> dict[str, Any]:
        """Edits made here that the home does not have yet, as far as this connection knows."""
        found = {}
        for name in self.edit_names():
            if name in self._edits_there:
                continue
            with open(os.path.join(self._edits_folder, name), encoding="utf-8") as file:
                try:
                    found[name] = json.load(file)
                except ValueError:
                    found[name] = {}  # damaged: it counts as none here, and so it does there
        return found

    def edits_arrived(self, names: list[str]) -> None:
        """Remember that the home has these edits."""
        self._edits_there.update(names)

    def take(self, header: dict[str, Any], data: bytes) -> None:
        """Write what one frame brings: an edit, or a byte range of a file.

        Raises
        ------
        BackendUnavailable
            It cannot be written here now, or it names a place outside of the run directory.
        """
        try:
            if "edit" in header:
                self._take_edit(str(header["edit"]), header["value"])
            else:
                self._take_range(str(header["path"]), int(header["at"]), data, anew=bool(header.get("reset")))
        except OSError as error:
            if error.errno in _NAME_REFUSED and "path" in header:
                self._left_out[str(header["path"])] = error.strerror or str(error)
                return  # it stands in the way of this one file, and not of the other runs
            raise BackendUnavailable(
                f"what the run wrote cannot be kept in {self._directory!r}: {error}", hint="is the disk full?"
            ) from error

    def hashes(self, limit_bytes: int, done: set[str]) -> dict[str, str]:
        """SHA-256 by path of files here that are not in ``done``, of about ``limit_bytes`` together."""
        found = {}
        for path in sorted(self.have()):
            if path in done:
                continue
            with open(os.path.join(self._directory, path), "rb") as file:
                found[path] = hashlib.file_digest(file, "sha256").hexdigest()
                limit_bytes -= file.tell()
            if limit_bytes <= 0:
                break
        return found

    def verified_again(self) -> int:
        """Count a comparison that found a difference; return how many there were."""
        self._differences += 1
        return self._differences

    def finish(self, final: str) -> None:
        """Write the seal: from now on the mirror is as good as the home, and says what could not be brought."""
        told = json.loads(final) if self._left_out else None
        if isinstance(told, dict):
            texts = [f"{path} was not brought here: {why}" for path, why in sorted(self._left_out.items())]
            more = [f"and {len(texts) - _TOLD_AT_MOST} more files"] if len(texts) > _TOLD_AT_MOST else []
            final = json.dumps({**told, "warnings": [*items(told.get("warnings")), *texts[:_TOLD_AT_MOST], *more]})
        _publish(os.path.join(self._directory, layout.FINAL_JSON), final)

    @property
    def _edits_folder(self) -> str:
        return os.path.join(self._directory, layout.EDITS)

    def _take_edit(self, name: str, value: Any) -> None:
        if edits.number_of(name) is None or "/" in name:
            raise BackendUnavailable(f"the home sent an edit named {name!r}")
        self._edits_there.add(name)
        _publish(os.path.join(self._edits_folder, name), json.dumps(value))

    def _take_range(self, path: str, at: int, data: bytes, *, anew: bool) -> None:
        parts = path.split("/")
        if parts[0] not in _FOLDERS or len(parts) < 2 or any(part in ("", ".", "..") for part in parts) or at < 0:
            raise BackendUnavailable(f"the home sent a file named {path!r}")
        full = os.path.join(self._directory, path)
        folder = os.path.dirname(full)
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)
            self._made.add(folder)
        descriptor = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            if anew:
                os.ftruncate(descriptor, 0)
            view = memoryview(data)
            while view:
                written = os.pwrite(descriptor, view, at)
                view, at = view[written:], at + written
        finally:
            os.close(descriptor)


def _publish(path: str, text: str) -> None:
    """Create a file that appears whole; whoever was first has written the same."""
    temporary = f"{path}.{os.urandom(6).hex()}"
    with open(temporary, "x", encoding="ascii") as file:
        file.write(text)
    try:
        if not os.path.exists(path):
            os.rename(temporary, path)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
