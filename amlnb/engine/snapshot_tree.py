"""A source directory as a snapshot sees it: which files, links and empty directories, and their status.

Only names and status are read here, never contents: this is what a submission of unchanged source costs.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amlnb.core.layout import NEVER_TAKEN
from amlnb.core.manifest import leaves_snapshot
from amlnb.engine.ignore import IgnoreRules
from amlnb.errors import SnapshotException

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# What tells that a file is the one that was read before: size (bytes), mtime (ns), inode, ctime (ns), mode.
FileStatus = tuple[int, int, int, int, int]


@dataclass(slots=True)
class SourceTree:
    """What a walk found.

    Attributes
    ----------
    source
        The directory, without symbolic links in its path.
    files
        ``{path below source: status}``; the path of a link that is followed is the link's.
    links
        ``{path: target}`` of links that are kept as links.
    directories
        All directories below the source that were walked.
    empty
        Those of them that hold nothing of the snapshot.
    unreadable
        ``(path, reason)`` of what could not be looked into.
    warnings
        What was left out or will not work elsewhere, for the user.
    bytes
        Sum of the files' sizes.
    complete
        False if the walk was given up because the limits are exceeded anyway.
    """

    source: str
    files: dict[str, FileStatus] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    directories: set[str] = field(default_factory=set)
    empty: list[str] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    bytes: int = 0
    complete: bool = True

    def fingerprint(self) -> str:
        """Return a hash of everything that decides the snapshot, contents taken to follow from status."""
        # Version 2 of the format: the later ones depend on reference counts.
        seen = (self.source, self.files, self.links, self.empty, self.warnings)
        return hashlib.sha256(marshal.dumps(seen, 2)).hexdigest()


def file_status(status: os.stat_result) -> FileStatus:
    """Return the part of a status that changes when a file does."""
    return (status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns, status.st_mode & 0o777)


def walk_source(
    source: str,
    rules: IgnoreRules,
    *,
    only: Sequence[str] | None = None,
    excluded: Sequence[str] = (),
    give_up: Callable[[int, int], bool] = lambda files, size: False,  # noqa: ARG005 - the names say what is given
) -> SourceTree:
    """Walk a source directory.

    Parameters
    ----------
    source
        The directory, without symbolic links in its path.
    rules
        What to leave out.
    only
        Paths below the source to take instead of all; they are taken even if they are ignored, what is below them is
        subject to the rules.
    excluded
        Paths below the source that are never taken.
    give_up
        Asked after each directory, with the number of files and their bytes so far.

    Raises
    ------
    SnapshotException
        If one of ``only`` does not exist.
    """
    tree = SourceTree(source)
    link_texts: dict[str, str] = {}
    pending = [""] if only is None else _take_only(tree, only, link_texts)
    barred = frozenset(excluded)
    while pending:
        directory = pending.pop()
        below = _take_directory(tree, directory, rules, barred, link_texts)
        pending += below
        if give_up(len(tree.files), tree.bytes):
            tree.complete = False
            return tree
    # Only now is known what a link may point to.
    for path in sorted(link_texts):
        _take_link(tree, path, link_texts[path])
    tree.bytes = sum(status[0] for status in tree.files.values())  # a path given twice counts once
    return tree


def _take_only(tree: SourceTree, only: Sequence[str], link_texts: dict[str, str]) -> list[str]:
    """Take the given paths; return the directories among them, each with a ``/`` at its end."""
    pending = []
    for path in dict.fromkeys(only):
        full = f"{tree.source}/{path}"
        try:
            status = os.lstat(full)
        except OSError as error:
            raise SnapshotException(f"{full!r} cannot be taken along: {error.strerror}") from error
        if stat.S_ISDIR(status.st_mode):
            pending.append("" if path == "." else path + "/")
            tree.directories.add(path)
        elif stat.S_ISLNK(status.st_mode):
            link_texts[path] = os.readlink(full)
        elif stat.S_ISREG(status.st_mode):
            tree.files[path] = file_status(status)
            tree.bytes += status.st_size
        else:
            raise SnapshotException(f"{full!r} cannot be taken along: it is neither a file nor a directory")
    return pending


def _take_directory(
    tree: SourceTree, directory: str, rules: IgnoreRules, barred: frozenset[str], link_texts: dict[str, str]
) -> list[str]:
    """Take the entries of one directory (``''`` or ending in ``/``); return the directories below it."""
    entries: dict[str, os.DirEntry[str]] = {}
    below: list[str] = []
    full = f"{tree.source}/{directory}"
    try:
        with os.scandir(full) as listing:
            for entry in listing:
                name = entry.name
                if name in NEVER_TAKEN:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    below.append(name)
                else:
                    entries[name] = entry
    except OSError as error:
        tree.unreadable.append((directory[:-1] or ".", error.strerror or str(error)))
        return []
    for name in rules.ignored_names(directory, list(entries), directories=False):
        del entries[name]
    if below:
        ignored = rules.ignored_names(directory, below, directories=True)
        below = [directory + name for name in below if name not in ignored and directory + name not in barred]
        tree.directories.update(below)
    elif not entries and directory:
        tree.empty.append(directory[:-1])
    _take_entries(tree, directory, entries, link_texts)
    return [path + "/" for path in below]


def _take_entries(
    tree: SourceTree, directory: str, entries: dict[str, os.DirEntry[str]], link_texts: dict[str, str]
) -> None:
    files, size = tree.files, 0
    for name, entry in entries.items():
        path = directory + name
        try:
            if entry.is_symlink():
                link_texts[path] = os.readlink(entry.path)
                continue
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue  # gone since it was listed, as an editor's temporary files are
        except OSError as error:
            tree.unreadable.append((path, error.strerror or str(error)))
            continue
        if stat.S_ISREG(status.st_mode):
            files[path] = file_status(status)
            size += status.st_size
        else:
            tree.warnings.append(f"{path!r} was left out: it is a {_kind(status.st_mode)}")
    tree.bytes += size


def _kind(mode: int) -> str:
    if stat.S_ISSOCK(mode):
        return "socket"
    return "named pipe" if stat.S_ISFIFO(mode) else "device"


def _take_link(tree: SourceTree, path: str, text: str) -> None:
    """Decide what a symbolic link becomes.

    Inside the tree it stays a link. A file that is outside, or left out, is taken in the link's place. A directory
    that is outside stays a link with its absolute path: it is often a data set, and works wherever that path exists.
    """
    full = f"{tree.source}/{path}"
    folder = os.path.dirname(full)
    real = os.path.realpath(full)
    below = os.path.relpath(real, tree.source) if (real + "/").startswith(tree.source.rstrip("/") + "/") else None
    try:
        status = os.stat(full)
    except OSError:  # nothing is there, or it is a loop: the run finds the same
        tree.links[path] = os.path.normpath(os.path.join(folder, text)) if leaves_snapshot(path, text) else text
        return
    if below is not None and (below == "." or below in tree.files or below in tree.directories):
        tree.links[path] = text if _stays(path, text) else os.path.relpath(real, folder)
    elif stat.S_ISREG(status.st_mode):
        tree.files[path] = file_status(status)
        tree.bytes += status.st_size
    elif stat.S_ISDIR(status.st_mode):
        tree.links[path] = real
        where = "outside of the source directory" if below is None else "left out"
        tree.warnings.append(
            f"{path!r} is kept as a link to {real!r}, which is {where}: it works only where that path exists"
        )
    else:
        tree.warnings.append(f"{path!r} was left out: it is a link to a {_kind(status.st_mode)}")


def _stays(path: str, text: str) -> bool:
    return not text.startswith("/") and not leaves_snapshot(path, text)
