"""Garbage collection: what no run of a workspace needs, and what is stale in the host-local cache.

Objects carry no list of their users, and a submission that is going on has no run yet. So an object is garbage only if
no run's snapshot or diff names it, *and* it was not put or used again for an hour, *and* no manifest that young names
it (a submission of unchanged source marks only its manifest). The hour is counted on the file system's own clock.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from amlnb import host
from amlnb.core.manifest import Manifest, decode
from amlnb.engine import cache_garbage
from amlnb.engine.delete import MOVED_ASIDE, remove_tree
from amlnb.errors import AmlnbError, FormatError
from amlnb.store.objects import UNFINISHED, ObjectStore
from amlnb.store.run_record import read_record
from amlnb.store.workspace_dir import WorkspaceDirectory
from amlnb.tracking.models import DELETED

YOUNG_S = 3600.0
OBJECTS = "objects that no run needs"
UNFINISHED_FILES = "unfinished files of killed processes"
DELETED_RUNS = "remains of deleted runs"
DELETED_MODELS = "remains of deleted models"
# Manifests are written with sorted keys.
_MANIFEST_HEAD = b'{"directories":'
_ASIDE = "gc"
_SHA_LENGTH = 64

Progress = Callable[[str, int], None]


@dataclass
class Report:
    """What was, or would be, removed.

    Attributes
    ----------
    removed
        ``{kind: [count, bytes]}``.
    kept
        Why something that may be garbage was left.
    """

    removed: dict[str, list[int]] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    def count(self, kind: str, size: int) -> None:
        """Add one thing of this many bytes."""
        entry = self.removed.setdefault(kind, [0, 0])
        entry[0] += 1
        entry[1] += size

    @property
    def bytes(self) -> int:
        """Sum of all sizes."""
        return sum(size for _, size in self.removed.values())


def collect_garbage(
    workspace: WorkspaceDirectory | None, *, dry_run: bool, progress: Progress = lambda _, __: None
) -> Report:
    """Remove what nothing needs from a workspace and from this host's cache.

    Parameters
    ----------
    workspace
        The workspace; None to look at the cache only.
    dry_run
        Change nothing, and report what would be removed.
    progress
        Called with what is being done and how far it is.

    Returns
    -------
    Report
        Sizes are those of the files, in bytes.
    """
    report = Report()
    if workspace is not None:
        now = _clock_of(workspace.path)
        _collect_unfinished(workspace, now, report, dry_run=dry_run)
        _collect_objects(workspace, now, report, dry_run=dry_run, progress=progress)
    progress("looking through the cache of this host", 0)
    for item in cache_garbage.find(host.cache_dir(), report.kept):
        report.count(item.kind, item.bytes)
        if not dry_run:
            with _failure_told(report, item.path):
                cache_garbage.remove(host.cache_dir(), item)
    return report


def _clock_of(folder: str) -> float:
    """Present time by the clock of the file system that holds the objects: it dates them, wherever it is."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError:
        return time.time()


def _collect_unfinished(workspace: WorkspaceDirectory, now: float, report: Report, *, dry_run: bool) -> None:
    runs = workspace.runs
    found = [(DELETED_RUNS, path) for path in _entries(runs, MOVED_ASIDE)]
    # A run directory is made within milliseconds, an object within the time it takes to copy a file.
    found += [(UNFINISHED_FILES, path) for path in _entries(runs, ".new-") if _age(path, now) > YOUNG_S]
    for folder in _entries(workspace.models, ""):
        # Of a large model the folder's own age tells nothing: the file that is being copied is the youngest.
        unfinished = [path for path in _entries(folder, ".new-") if _age_of_youngest(path, now) > YOUNG_S]
        found += [(UNFINISHED_FILES, path) for path in unfinished]
        for version in _entries(folder, ""):
            if os.path.exists(os.path.join(version, DELETED)):
                found += [(DELETED_MODELS, path) for path in _entries(version, "") if os.path.basename(path) != DELETED]
    for path in _entries(os.path.join(workspace.objects, UNFINISHED), ""):
        if _age(path, now) <= YOUNG_S:
            continue
        if not dry_run and _put_back(workspace, path):
            continue
        found.append((UNFINISHED_FILES, path))
    for kind, path in found:
        size = cache_garbage.size_of(path)
        report.count(kind, size)
        if not dry_run:
            with _failure_told(report, path):
                remove_tree(path) if os.path.isdir(path) else os.unlink(path)


def _collect_objects(
    workspace: WorkspaceDirectory, now: float, report: Report, *, dry_run: bool, progress: Progress
) -> None:
    objects = ObjectStore(workspace.objects)
    try:
        needed = _needed(workspace, objects, progress)
    except AmlnbError as error:
        report.kept.append(f"all objects, because it cannot be told what a run needs: {error.message}")
        return
    old: dict[str, os.stat_result] = {}
    manifests: dict[str, Manifest] = {}
    for number, (sha, status) in enumerate(_objects(workspace.objects)):
        progress("looking through the objects", number)
        if sha in needed:
            continue
        old[sha] = status
        manifest = _manifest(objects, sha)
        if now - status.st_mtime <= YOUNG_S:
            del old[sha]
            needed.update(_contents(manifest))
        elif manifest is not None:
            manifests[sha] = manifest
    # Manifests first: without hers, a submission that begins now looks at each content itself.
    for number, sha in enumerate(sorted(old, key=lambda sha: sha not in manifests)):
        progress("removing objects", number)
        if sha in needed:
            continue
        with _failure_told(report, objects.path(sha)):
            if dry_run or _remove_object(objects, sha, old[sha]):
                report.count(OBJECTS, old[sha].st_size)
            else:
                needed.update(_contents(manifests.get(sha)))


def _needed(workspace: WorkspaceDirectory, objects: ObjectStore, progress: Progress) -> set[str]:
    """Names of all objects that the runs of a workspace need.

    Raises
    ------
    AmlnbError
        A run's record or manifest cannot be read, so what it needs is not known.
    """
    needed: set[str] = set()
    read: set[str] = set()
    for number, directory in enumerate(workspace.run_directories()):
        progress("reading what the runs need", number)
        try:
            record = read_record(directory)
        except AmlnbError:
            if not os.path.exists(directory):
                continue  # deleted at this moment
            raise
        except OSError as error:
            raise FormatError(f"{directory!r} cannot be read: {error.strerror}") from error
        snapshot, diff = record.get("snapshot"), record.get("git_diff")
        needed.update(sha for sha in (snapshot, diff) if isinstance(sha, str))
        if isinstance(snapshot, str) and snapshot not in read and objects.exists(snapshot):
            read.add(snapshot)
            needed.update(_contents(decode(objects.read(snapshot), snapshot)))
    return needed


def _contents(manifest: Manifest | None) -> set[str]:
    return set() if manifest is None else {content[0] for content in manifest.files.values()}


def _manifest(objects: ObjectStore, sha: str) -> Manifest | None:
    """Return the manifest that an object is; None if it is none."""
    try:
        with objects.open(sha) as file:
            if file.read(len(_MANIFEST_HEAD)) != _MANIFEST_HEAD:
                return None
        return decode(objects.read(sha), sha)
    except (AmlnbError, OSError):
        return None


def _remove_object(objects: ObjectStore, sha: str, seen: os.stat_result) -> bool:
    """Remove an object unless it was used since it was looked at.

    It is moved away first and looked at again there. A submission that marked it as used before the move has changed
    its time, and it is put back; one that comes after finds it missing, and puts it anew.
    """
    aside = os.path.join(objects.root, UNFINISHED, f"{_ASIDE}-{sha}")
    os.makedirs(os.path.dirname(aside), exist_ok=True)
    try:
        os.rename(objects.path(sha), aside)
    except FileNotFoundError:
        return False
    if os.stat(aside).st_mtime_ns != seen.st_mtime_ns:
        os.rename(aside, objects.path(sha))
        return False
    os.unlink(aside)
    return True


def _put_back(workspace: WorkspaceDirectory, path: str) -> bool:
    """Put back an object that a gc was killed over; the next look finds out whether it is needed."""
    head, _, sha = os.path.basename(path).partition("-")
    if head != _ASIDE or len(sha) != _SHA_LENGTH:
        return False
    place = os.path.join(workspace.objects, sha[:2], sha[2:])
    if os.path.exists(place):
        return False
    os.rename(path, place)
    return True


def _objects(root: str) -> Iterator[tuple[str, os.stat_result]]:
    for folder in _entries(root, ""):
        prefix = os.path.basename(folder)
        if len(prefix) != 2:
            continue
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if len(prefix + entry.name) == _SHA_LENGTH:
                    with contextlib.suppress(FileNotFoundError):
                        yield prefix + entry.name, entry.stat(follow_symlinks=False)


def _entries(folder: str, beginning: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.startswith(beginning)]
    except OSError:
        return []


def _age_of_youngest(top: str, now: float) -> float:
    paths = [top, *(os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names)]
    return min(_age(path, now) for path in paths)


def _age(path: str, now: float) -> float:
    try:
        return now - os.lstat(path).st_mtime
    except OSError:
        return 0.0


@contextlib.contextmanager
def _failure_told(report: Report, path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        pass  # another gc was faster
    except OSError as error:
        report.kept.append(f"{path}: {error.strerror or error}")
