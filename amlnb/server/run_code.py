"""The source that a run was submitted with, and how it differs from what is there now or from another run's."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING, Any

from amlnb.api.cell_code import without_values
from amlnb.api.comparison import code_view
from amlnb.core import coercion
from amlnb.core.manifest import Manifest, decode
from amlnb.errors import AmlnbError, UserErrorException, text_of
from amlnb.render.code_diff import file_difference
from amlnb.server.faults import NotThere
from amlnb.server.routes import Answer
from amlnb.store.objects import ObjectStore
from amlnb.store.run_record import read_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amlnb.server.content_contract import Code, CodeDiff, CodeFile, CodeText, FileDiff
    from amlnb.server.served import Served
    from amlnb.specs.comparison_view import CodeView

PRESENT = "present"
_TEXT_BYTES = 1 << 20
_COMPARED_BYTES = 64 << 20
_FILES = 5000
_DIFFS = 200


class _Source:
    """The source of a run; `unknown` tells why there is none to see."""

    def __init__(self, served: Served, key: str, run_id: str) -> None:
        self.record: Mapping[str, Any] = read_record(served.run_directory(key, run_id))
        self.definition = coercion.mapping(self.record.get("definition"))
        self.objects = ObjectStore(served.workspace(key).objects)
        self.manifest = Manifest({}, {}, ())
        self.unknown = ""
        snapshot = coercion.text(self.record.get("snapshot"))
        if snapshot is None:
            self.unknown = "the run kept none of it"
            return
        try:
            self.manifest = decode(self.objects.read(snapshot), snapshot)
        except (AmlnbError, OSError) as error:
            self.unknown = f"it cannot be read: {text_of(error)}"

    def content(self, path: str) -> bytes:
        """Bytes of a file, of a long one the first megabyte.

        Raises
        ------
        NotThere
            It is not among them.
        """
        if path not in self.manifest.files:
            raise NotThere(f"the source of the run has no file {path[:300]!r}", hint="'code' tells those it has")
        with self.objects.open(self.manifest.files[path][0]) as file:
            return file.read(_TEXT_BYTES)


def code(served: Served, values: dict[str, Any]) -> Answer:
    """The files of the source."""
    source = _Source(served, values["workspace"], values["run"])
    files: list[CodeFile] = [{"path": path, "bytes": found[1]} for path, found in sorted(source.manifest.files.items())]
    told: Code = {
        "files": files[:_FILES],
        "entry": coercion.text(source.definition.get("script")),
        "unknown": source.unknown,
    }
    return Answer(told)


def code_text(served: Served, values: dict[str, Any]) -> Answer:
    """The text of a file of the source."""
    path = values["path"]
    source = _Source(served, values["workspace"], values["run"])
    data = source.content(path)
    if b"\0" in data:
        raise UserErrorException(f"{path[:300]!r} is no text", hint="'code' tells the files; 'amlnb run bundle' has it")
    told: CodeText = {
        "path": path,
        "text": data.decode("utf-8", errors="replace"),
        "truncated": source.manifest.files[path][1] > len(data),
    }
    return Answer(told)


def code_diff(served: Served, values: dict[str, Any]) -> Answer:
    """How the source differs from the files as they are now, or from that of another run."""
    key, path, against = values["workspace"], values["path"], values["against"]
    source = _Source(served, key, values["run"])
    if path is not None and not source.unknown and path not in source.manifest.files and against == PRESENT:
        raise NotThere(f"the source of the run has no file {path[:300]!r}", hint="'code' tells those it has")
    if against == PRESENT:
        return Answer(_against_present(source, path))
    other = _Source(served, key, against)
    folder = served.workspace(key).objects
    view = code_view([(values["run"], folder), (against, folder)], [source.record, other.record])
    return Answer(_told_diff(view, path))


def _told_diff(view: CodeView, path: str | None) -> CodeDiff:
    """How the source of two runs differs, of all files or of one."""
    files: list[FileDiff] = [
        {"path": file.path, "diff": list(file.diff), "note": file.note}
        for file in view.files
        if path in (None, file.path)
    ]
    return {"files": files[:_DIFFS], "same": view.same, "unknown": view.unknown}


def _against_present(source: _Source, only: str | None) -> CodeDiff:
    folder = coercion.text(source.definition.get("source_directory")) or ""
    if source.unknown:
        return {"files": [], "same": 0, "unknown": source.unknown}
    if not os.path.isdir(folder):
        return {"files": [], "same": 0, "unknown": f"the folder it came from is not here: {folder!r}"}
    files: list[FileDiff] = []
    same, room = 0, _COMPARED_BYTES
    for path, (sha, size, _) in sorted(source.manifest.files.items()):
        if only not in (None, path):
            continue
        room -= size
        if room < 0:
            return {"files": files, "same": same, "unknown": "it is too much to compare all of it: ask for one file"}
        now = _present(folder, path, size + _TEXT_BYTES)
        if now is not None and len(now) == size and hashlib.sha256(now).hexdigest() == sha:
            same += 1
        elif len(files) < _DIFFS:
            files.append(_difference(path, source, now))
    return {"files": files, "same": same, "unknown": ""}


def _difference(path: str, source: _Source, now: bytes | None) -> FileDiff:
    if source.manifest.files[path][1] > _TEXT_BYTES:
        return {"path": path, "diff": [], "note": "it differs, and is too long to be compared by lines"}
    found = file_difference(path, (0, 1), (without_values(source.content(path)), now))
    return {"path": path, "diff": list(found.diff), "note": "it is not there any more" if now is None else found.note}


def _present(folder: str, path: str, most: int) -> bytes | None:
    """What a file of the source folder holds now; None if it is none there any more, or leads out of the folder."""
    full = os.path.realpath(os.path.join(folder, path))
    if not full.startswith(os.path.realpath(folder).rstrip(os.sep) + os.sep):
        return None
    try:
        with open(os.open(full, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            info = os.fstat(file.fileno())
            return file.read(most) if stat.S_ISREG(info.st_mode) else None
    except OSError:
        return None
