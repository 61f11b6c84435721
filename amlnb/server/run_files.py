"""The files of a run: their names, and each as a download that is never code in the page's origin."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from amlnb.server.faults import OutOfRange
from amlnb.server.preview import raster_type
from amlnb.server.routes import ATTACHMENT, Answer, FilePart
from amlnb.server.run_file import opened
from amlnb.store.files import left_out, list_files

if TYPE_CHECKING:
    from amlnb.server.content_contract import FileInfo, Files
    from amlnb.server.served import Served

_FILES = 20_000
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def files(served: Served, values: dict[str, Any]) -> Answer:
    """The names, sizes and times of a run's files."""
    directory = served.run_directory(values["workspace"], values["run"])
    found = list_files(directory)
    told: list[FileInfo] = []
    for name, path in list(found.items())[:_FILES]:
        try:
            info = os.stat(path)
        except OSError:  # gone meanwhile
            continue
        told.append({"name": name, "bytes": info.st_size, "modified": info.st_mtime})
    warnings = left_out(directory)
    if len(found) > _FILES:
        warnings.append(f"{len(found):,} files; the first {_FILES:,} are listed")
    listed: Files = {"files": told, "warnings": warnings}
    return Answer(listed)


def download(served: Served, values: dict[str, Any]) -> Answer:
    """A file as it is, or the part of it that a `Range` asks for.

    It is an attachment of no type, whatever it holds; only a picture, by its first bytes, is shown where it is asked
    for inline.
    """
    directory = served.run_directory(values["workspace"], values["run"])
    file = opened(directory, values["name"])
    try:
        kind = raster_type(file.read(0, 64)) if values["inline"] else None
        first, length, status = _range(values.get("range"), file.size)
    except BaseException:
        os.close(file.descriptor)
        raise
    name = quote(os.path.basename(values["name"]), safe="")
    headers = {
        "Content-Disposition": f"{'inline' if kind else 'attachment'}; filename*=UTF-8''{name}",
        "Accept-Ranges": "bytes",
    }
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{first + length - 1}/{file.size}"
    part = FilePart(file.descriptor, first, length)
    return Answer(status=status, file=part, content_type=kind or ATTACHMENT, headers=headers)


def _range(asked: str | None, size: int) -> tuple[int, int, int]:
    """First byte, number of bytes and status of an answer; a range that is not understood is none (RFC 9110, 14.2)."""
    found = _RANGE.fullmatch(asked.strip()) if asked else None
    if found is None or not (found[1] or found[2]):
        return 0, size, 200
    if found[1]:
        first, last = int(found[1]), min(int(found[2] or size), size - 1)
    else:
        first, last = max(0, size - int(found[2])), size - 1
    if found[1] and found[2] and int(found[2]) < int(found[1]):
        return 0, size, 200
    if first >= size:
        raise OutOfRange(f"the file has {size:,} bytes, and byte {first:,} was asked for")
    return first, last - first + 1, 206
