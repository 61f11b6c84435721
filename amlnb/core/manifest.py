"""A snapshot's manifest: which files, links and empty directories a run starts with.

A manifest is one canonical JSON object, so that the same source always gives the same bytes, and their SHA-256 names
the snapshot. Paths are relative with ``/``; bytes that are not UTF-8 stand as lone surrogates (``os.fsdecode``), which
JSON keeps as ASCII escapes.
"""

from __future__ import annotations

import hashlib
import json

from amlnb.errors import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, NoReturn

FORMAT = 1
_HEX = frozenset("0123456789abcdef")


class Manifest:
    """What a manifest says.

    Attributes
    ----------
    files
        ``{path: (sha256, bytes, mode)}``; mode is the nine permission bits.
    links
        ``{path: target}``. A relative target stays inside the snapshot; an absolute one is outside of it.
    directories
        Directories that hold nothing of the snapshot.
    """

    __slots__ = ("directories", "files", "links")

    def __init__(
        self, files: dict[str, tuple[str, int, int]], links: dict[str, str], directories: Iterable[str]
    ) -> None:
        self.files = files
        self.links = links
        self.directories: list[str] = sorted(directories)

    def encode(self) -> bytes:
        """Return the manifest's canonical bytes."""
        document = {
            "format": FORMAT,
            "files": {path: {"sha": f[0], "size": f[1], "mode": f[2]} for path, f in self.files.items()},
            "links": self.links,
            "directories": self.directories,
        }
        return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def object_path(sha: str) -> str:
    """Path of an object below ``objects/``.

    Raises
    ------
    FormatError
        If ``sha`` is not 64 lower-case hex digits.
    """
    if not _is_sha(sha):
        raise FormatError(f"{sha!r} is not the name of an object (64 hex digits)")
    return sha[:2] + "/" + sha[2:]


def snapshot_id(encoded: bytes) -> str:
    """Return the id of the snapshot whose manifest these bytes are."""
    return hashlib.sha256(encoded).hexdigest()


def decode(encoded: bytes, expected_id: str) -> Manifest:
    """Read a manifest, trusting nothing in it.

    Parameters
    ----------
    encoded
        The bytes of the manifest.
    expected_id
        The snapshot's id; the bytes must have this SHA-256.

    Raises
    ------
    FormatError
        If the bytes are damaged or of a newer format, or a path leaves the directory it is meant for.
    """
    if snapshot_id(encoded) != expected_id:
        _refuse(expected_id, "it is damaged: its bytes have another hash")
    try:
        document = json.loads(encoded.decode("ascii"))
    except ValueError as error:
        _refuse(expected_id, f"it is not JSON: {error}", error)
    if not isinstance(document, dict) or not isinstance(document.get("format"), int):
        _refuse(expected_id, "it has no format number")
    if document["format"] > FORMAT:
        newer = f"snapshot {expected_id} has format {document['format']}, newer than {FORMAT}, the newest known here"
        raise FormatError(newer, hint="install the amlnb that made it, or a newer one")
    files, links, directories = document.get("files"), document.get("links"), document.get("directories")
    if not isinstance(files, dict) or not isinstance(links, dict) or not isinstance(directories, list):
        _refuse(expected_id, "files, links or directories are missing")
    if not all(isinstance(text, str) for texts in (links.values(), directories) for text in texts):
        _refuse(expected_id, "a link's target or a directory is not text")
    manifest = Manifest({path: _file(expected_id, path, f) for path, f in files.items()}, links, directories)
    _check_paths(expected_id, manifest)
    return manifest


def _is_sha(value: str) -> bool:
    return len(value) == 64 and _HEX.issuperset(value)


def _refuse(name: str, why: str, cause: Exception | None = None) -> NoReturn:
    raise FormatError(
        f"the manifest of snapshot {name} is refused: {why}",
        hint=f"remove the file {object_path(name)} below the workspace's objects/, and submit the source again",
    ) from cause


def _file(name: str, path: str, entry: Any) -> tuple[str, int, int]:
    if isinstance(entry, dict):
        sha, size, mode = entry.get("sha"), entry.get("size"), entry.get("mode")
        if isinstance(sha, str) and isinstance(size, int) and isinstance(mode, int):  # noqa: SIM102 - types, then values
            if _is_sha(sha) and size >= 0 and 0 <= mode <= 0o777:
                return (sha, size, mode)
    _refuse(name, f"{path!r} has no valid sha, size and mode")


def _check_paths(name: str, manifest: Manifest) -> None:
    """Refuse every path that could be written outside of the directory the snapshot is put into."""
    taken = set(manifest.files)
    for other in (manifest.links, manifest.directories):
        for path in other:
            if path in taken:
                _refuse(name, f"{path!r} stands in it twice")
            taken.add(path)
    parents: set[str] = set()
    for path in taken:
        if path.startswith("/") or "\0" in path or not all(part not in ("", ".", "..") for part in path.split("/")):
            _refuse(name, f"the path {path!r} could leave its directory")
        parent = path.rpartition("/")[0]
        while parent and parent not in parents:
            parents.add(parent)
            parent = parent.rpartition("/")[0]
    below = parents & taken
    if below:
        _refuse(name, f"{min(below)!r} is both a directory and something else")
    for path, target in manifest.links.items():
        if not target or "\0" in target or leaves_snapshot(path, target):
            _refuse(name, f"the link {path!r} has the target {target!r}, which leaves the snapshot")


def leaves_snapshot(path: str, target: str) -> bool:
    """Tell whether a relative target climbs out of the tree, read as text from the link's own directory."""
    if target.startswith("/"):
        return False
    depth = path.count("/")
    for part in target.split("/"):
        if part == "..":
            depth -= 1
            if depth < 0:
                return True
        elif part not in ("", "."):
            depth += 1
    return False
