"""Taking over what a job left: regular files and plain folders, and never what a link leads to.

A job in a container names any path of the host in a link. Standard library only, Python 3.7+.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple

_LARGEST_RECORD = 64 << 20


def is_folder(path: str) -> bool:
    """Tell whether there is a folder, and no link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def names(folder: str) -> List[str]:
    """Names in a folder, in their order; none if it is no plain folder."""
    return sorted(os.listdir(folder)) if is_folder(folder) else []


def files_below(top: str) -> Tuple[Dict[str, str], List[str], List[str]]:
    """What is below a plain folder.

    Returns
    -------
    tuple
        ``{relative path: path}`` of its regular files, relative paths of its folders, and of what is neither.
    """
    files: Dict[str, str] = {}
    folders: List[str] = []
    others: List[str] = []
    waiting = [""]
    while waiting:
        above = waiting.pop()
        for name in sorted(os.listdir(os.path.join(top, above))):
            relative = os.path.join(above, name)
            mode = os.lstat(os.path.join(top, relative)).st_mode
            if stat.S_ISREG(mode):
                files[relative] = os.path.join(top, relative)
            elif stat.S_ISDIR(mode):
                folders.append(relative)
                waiting.append(relative)
            else:
                others.append(relative)
    return files, folders, others


def bring(source: str, target: str) -> None:
    """Put a regular file in its place. Both are never written again, so they may share their bytes.

    Raises
    ------
    OSError
        The file system refused, or it is no regular file.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        _copy(source, target)
        return
    if not stat.S_ISREG(os.lstat(target).st_mode):
        os.unlink(target)
        raise OSError(errno.EINVAL, "no regular file", source)


def _copy(source: str, target: str) -> None:
    with os.fdopen(_open(source), "rb") as file, open(target, "xb") as copy:
        shutil.copyfileobj(file, copy, 1 << 20)


def read_object(path: str) -> Optional[Dict[str, Any]]:
    """Content of a regular JSON file; None if it is none, or holds no object."""
    try:
        with os.fdopen(_open(path), "rb") as file:
            value = json.loads(file.read(_LARGEST_RECORD).decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL):
            return None
        raise
    return value if isinstance(value, dict) else None


def _open(path: str) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no regular file", path)
    return descriptor
