"""Snapshots: the source directory of a run, kept by content.

The id of a snapshot is the SHA-256 of its manifest (`amlnb.core.manifest`), so the same source always has the same id.
Symbolic links inside the source stay links; one to a file outside of it is followed; one to a directory outside of it
stays a link with an absolute path, and that is told. Sockets, pipes and devices are left out, and that is told.
What cannot be read is refused by name.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amlnb.core.manifest import Manifest
from amlnb.engine.ignore import IgnoreRules, read_ignore_rules
from amlnb.engine.snapshot_cache import KnownFile, LastSnapshot, SnapshotCache, is_settled
from amlnb.engine.snapshot_tree import SourceTree, file_status, walk_source
from amlnb.errors import SnapshotException

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from amlnb.store.objects import ObjectStore

MIB = 1024 * 1024
DEFAULT_MAX_BYTES = 300 * MIB
DEFAULT_MAX_CHANGED_FILES = 2000
# A walk goes on this far beyond what is refused anyway, to tell what is large.
_WALKED_BEYOND = 50_000
_NAMED_AT_MOST = 10


@dataclass(frozen=True, slots=True)
class SnapshotLimits:
    """How large a snapshot may be.

    Attributes
    ----------
    max_bytes
        Sum of the sizes of its files.
    max_changed_files
        Number of files that are new or changed since this directory's last snapshot; None for any number.
    """

    max_bytes: int = DEFAULT_MAX_BYTES
    max_changed_files: int | None = DEFAULT_MAX_CHANGED_FILES

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], max_bytes: int | None = None) -> SnapshotLimits:
        """Read ``AMLNB_SNAPSHOT_MAX_BYTES`` and v1's ``AML_SNAPSHOT_NO_FILE_LIMIT``.

        Parameters
        ----------
        environ
            The environment variables.
        max_bytes
            A limit the caller was given; the environment variable goes before it.

        Raises
        ------
        SnapshotException
            If ``AMLNB_SNAPSHOT_MAX_BYTES`` is not a number of bytes.
        """
        limit = DEFAULT_MAX_BYTES if max_bytes is None else max_bytes
        text = environ.get("AMLNB_SNAPSHOT_MAX_BYTES", "").strip()
        if text:
            if not text.isdecimal():
                raise SnapshotException(
                    f"AMLNB_SNAPSHOT_MAX_BYTES is {text!r}, not a number of bytes",
                    hint="set it to a whole number, such as 1000000000",
                )
            limit = int(text)
        lifted = environ.get("AML_SNAPSHOT_NO_FILE_LIMIT", "").strip().lower() not in ("", "0", "false")
        return cls(limit, None if lifted else DEFAULT_MAX_CHANGED_FILES)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that was taken.

    Attributes
    ----------
    id
        SHA-256 of its manifest.
    files
        Number of its files.
    bytes
        Sum of their sizes.
    reused
        Number of files that were not read, because nothing changed since the last snapshot.
    warnings
        What was left out, or will not work on another machine.
    """

    id: str
    files: int
    bytes: int
    reused: int
    warnings: tuple[str, ...] = ()


def take_snapshot(
    source_directory: str | os.PathLike[str],
    objects: ObjectStore,
    cache_dir: str,
    *,
    limits: SnapshotLimits | None = None,
    only: Sequence[str] | None = None,
    extra: Mapping[str, bytes | str] | None = None,
    now_ns: Callable[[], int] = time.time_ns,
) -> Snapshot:
    """Keep a source directory as it is now.

    Parameters
    ----------
    source_directory
        The directory. Our own data directory, ``.git``, ``.venv``, caches and what its ignore file names are left out.
    objects
        Where contents and manifest are kept.
    cache_dir
        The host-local cache folder, which remembers what was read.
    limits
        How large it may be; v1's limits by default.
    only
        Paths below the source directory, files or directories, to take instead of all of it.
    extra
        Files to add, by path (``/`` between names): a content, or the path of a file that has it. They go before files
        of the same path.
    now_ns
        The clock, in nanoseconds since the epoch.

    Returns
    -------
    Snapshot
        Its manifest and all contents are in ``objects``.

    Raises
    ------
    SnapshotException
        If the directory is missing, too large, or holds something that cannot be read or keeps changing.
    AmlnbError
        If the objects cannot be written.
    """
    source = os.path.realpath(source_directory)
    if not os.path.isdir(source):
        raise SnapshotException(
            f"the source directory {os.fspath(source_directory)!r} is not a directory",
            hint="give the folder that holds the script",
        )
    limits = limits or SnapshotLimits()
    cache = SnapshotCache(cache_dir, source, objects.root, partial=only is not None)
    last = cache.last()
    if last is not None and not objects.refresh(last.snapshot):
        last = None  # it was deleted, and its contents with it
    allowed = limits.max_changed_files
    most_files = _WALKED_BEYOND + (last.files if last else 0) + (allowed or 0)
    tree = walk_source(
        source,
        _rules(source, only),
        only=None if only is None else [_below(source, path) for path in only],
        excluded=_own_data(source, objects),
        give_up=lambda files, size: files > most_files and (size > limits.max_bytes or allowed is not None),
    )
    _check_readable(tree)
    _check_bytes(tree, limits)
    fingerprint = tree.fingerprint() if not extra else None
    if last is not None and fingerprint is not None and last.fingerprint == fingerprint:
        return Snapshot(last.snapshot, last.files, last.bytes, last.files, tuple(tree.warnings))
    known = cache.files() if last is not None else {}
    changed = [path for path, status in tree.files.items() if path not in known or known[path].status != status]
    _check_changed(tree, changed, limits)
    return _keep(tree, objects, known=known, cache=cache, extra=extra or {}, fingerprint=fingerprint, now_ns=now_ns)


def _rules(source: str, only: Sequence[str] | None) -> IgnoreRules:
    # What was asked for by name is not left out because of a file that is about the whole directory.
    return read_ignore_rules(source) if only is None else IgnoreRules("")


def _below(source: str, path: str) -> str:
    """Path relative to the source directory."""
    full = os.path.normpath(os.path.join(source, path))
    if full == source:
        return "."
    if not full.startswith(source.rstrip("/") + "/"):
        raise SnapshotException(
            f"{path!r} is outside of the source directory {source!r}",
            hint="copy it there, or submit from a directory that holds both",
        )
    return os.path.relpath(full, source)


def _own_data(source: str, objects: ObjectStore) -> list[str]:
    """Where AMLNB_HOME puts the workspace's data inside of the source, they are left out there too."""
    root = os.path.realpath(objects.root)
    inside = source.rstrip("/") + "/"
    data = os.path.dirname(root)
    return [os.path.relpath(path, source) for path in (data, root) if path.startswith(inside)]


def _keep(
    tree: SourceTree,
    objects: ObjectStore,
    *,
    known: Mapping[str, KnownFile],
    cache: SnapshotCache,
    extra: Mapping[str, bytes | str],
    fingerprint: str | None,
    now_ns: Callable[[], int],
) -> Snapshot:
    files: dict[str, KnownFile] = {}
    reused = 0
    for path, status in tree.files.items():
        last = known.get(path)
        if last is not None and last.status == status and last.settled:
            files[path] = last
            reused += 1
            continue
        read_at = now_ns()
        try:
            stored = objects.put_file(f"{tree.source}/{path}")
        except FileNotFoundError:
            continue  # gone since the walk, as an editor's temporary files are
        except OSError as error:
            tree.unreadable.append((path, error.strerror or str(error)))
            continue
        now = file_status(stored.status)
        if now != status:
            fingerprint = None
        files[path] = KnownFile(now, stored.sha, is_settled(now, read_at))
    _check_readable(tree)
    contents = {path: (file.sha, file.status[0], file.status[4]) for path, file in files.items()}
    for path, added in extra.items():
        contents[path] = _added(added, objects)
    links = {path: target for path, target in tree.links.items() if path not in extra}
    snapshot = objects.put_bytes(Manifest(contents, links, tree.empty).encode())
    size = sum(content[1] for content in contents.values())
    if not all(file.settled for file in files.values()) or len(files) != len(tree.files):
        fingerprint = None
    warnings = list(tree.warnings)
    try:
        cache.save(LastSnapshot(snapshot, fingerprint, len(contents), size), files)
    except OSError as error:
        warnings.append(f"the next snapshot will read all files again: the cache cannot be written ({error})")
    return Snapshot(snapshot, len(contents), size, reused, tuple(warnings))


def _added(added: bytes | str, objects: ObjectStore) -> tuple[str, int, int]:
    """SHA-256, size and mode of a file that is not in the source directory."""
    if isinstance(added, bytes):
        return objects.put_bytes(added), len(added), 0o644
    stored = objects.put_file(added)
    return stored.sha, stored.status.st_size, 0o644


def _check_readable(tree: SourceTree) -> None:
    if tree.unreadable:
        named = [f"{path!r} ({reason})" for path, reason in tree.unreadable[:_NAMED_AT_MOST]]
        more = len(tree.unreadable) - len(named)
        raise SnapshotException(
            f"cannot take a snapshot of {tree.source!r}: {', '.join(named)}{f' and {more} more' if more else ''}",
            hint="make it readable, or leave it out through .amlignore",
        )


def _check_bytes(tree: SourceTree, limits: SnapshotLimits) -> None:
    if tree.bytes > limits.max_bytes:
        ordered = sorted(tree.files.items(), key=lambda item: -item[1][0])[:3]
        largest = [item for item in ordered if item[1][0] >= tree.bytes // 100] or ordered
        raise SnapshotException(
            _refusal(tree, f"Your total snapshot size exceeds the limit of {limits.max_bytes / MIB:.1f} MB."),
            hint=f"the largest files are {', '.join(f'{path!r} ({s[0] / MIB:.1f} MB)' for path, s in largest)}: leave "
            "data out through .amlignore, or raise the limit with AMLNB_SNAPSHOT_MAX_BYTES",
        )


def _check_changed(tree: SourceTree, changed: list[str], limits: SnapshotLimits) -> None:
    allowed = limits.max_changed_files
    if allowed is not None and len(changed) > allowed:
        counts: dict[str, int] = {}
        for path in changed:
            top = path.partition("/")[0]
            counts[top] = counts.get(top, 0) + 1
        most = sorted(counts.items(), key=lambda item: -item[1])[:3]
        more = "" if tree.complete else "more than "
        raise SnapshotException(
            _refusal(tree, f"It has {more}{len(changed)} files that are new or changed; the limit is {allowed}."),
            hint=f"most are in {', '.join(f'{top!r} ({count})' for top, count in most)}: leave them out through "
            ".amlignore, or set AML_SNAPSHOT_NO_FILE_LIMIT=1",
        )


def _refusal(tree: SourceTree, reason: str) -> str:
    """V1's text, which people know and search for."""
    lines = [
        f"While attempting to take snapshot of {tree.source}",
        reason,
        "Please see http://aka.ms/aml-largefiles on how to work with large files.",
    ]
    rule = "=" * max(map(len, lines))
    return "\n".join(["", rule, "", *lines, "", rule])
