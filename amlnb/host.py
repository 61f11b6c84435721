"""Facts about this host and its processes: identities, liveness, the host-local cache folder.

Standard library only and cheap to import: jobs use it.
"""

from __future__ import annotations

import os

from amlnb.core import identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

# File systems whose locks and latency are not those of a local disk.
NETWORK_FILE_SYSTEMS = frozenset(
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "fuse.sshfs", "afs", "9p", "glusterfs"]
)
_facts: Optional[Dict[str, Any]] = None


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def facts() -> Dict[str, Any]:
    """Return boot_id, machine_id, hostname and pid_ns of this host, as its processes see it."""
    global _facts  # noqa: PLW0603 - they cannot change while a process lives, and reading them costs four files
    if _facts is None:
        try:
            pid_ns = os.readlink("/proc/self/ns/pid")
        except OSError:
            pid_ns = ""
        _facts = {
            "boot_id": _read("/proc/sys/kernel/random/boot_id"),
            "machine_id": _read("/etc/machine-id"),
            "hostname": os.uname().nodename,
            "pid_ns": pid_ns,
        }
    return _facts


def start_time(pid: int) -> Optional[int]:
    """Start of a living process in clock ticks since boot; None where there is none (a zombie is dead)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if not fields or fields[0] in (b"Z", b"X"):
        return None
    return int(fields[19])


def this_process() -> Dict[str, Any]:
    """Return the identity of the calling process, as written in run directories."""
    return process_identity(os.getpid())


def process_identity(pid: int) -> Dict[str, Any]:
    """Return the identity of a process of this host."""
    return dict(facts(), pid=pid, start=start_time(pid))


def liveness(process: Optional[Dict[str, Any]]) -> str:
    """Tell ``alive``, ``dead`` (proved) or ``unknown`` of a recorded identity, seen from this host."""
    found = identity.liveness(process, facts(), start_time)
    if found == identity.DEAD and process is not None and _is_hidden(process["pid"]):
        return identity.UNKNOWN
    return found


def _is_hidden(pid: int) -> bool:
    """Tell whether a process lives that /proc does not show us (mounted with hidepid)."""
    if os.path.exists(f"/proc/{pid}"):
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def replace_file(path: str, content: bytes, mode: int = 0o666) -> None:
    """Write a file whole, in place of the one of that name, if there is one.

    Of several writers at once, threads among them, the last one's stays. It is on the disk when this returns.

    Raises
    ------
    OSError
        The file system refused: the file is as it was, and nothing is left beside it.
    """
    temporary = f"{path}.{os.urandom(8).hex()}.new"
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(fd)
        os.replace(temporary, path)
    except BaseException:
        try:
            os.unlink(temporary)
        except OSError:
            pass
        raise


def cache_dir() -> str:
    """Folder for what belongs to this user on this host only (mode 700): queue, locks, index, caches.

    ``AMLNB_CACHE_DIR`` overrides it. Else the user's cache directory, or ``/var/tmp`` where that one is on a network
    file system, whose locks do not bind other hosts the same way.
    """
    path = os.environ.get("AMLNB_CACHE_DIR")
    if not path:
        home_cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        path = os.path.join(home_cache, "amlnb")
        if file_system(home_cache) in NETWORK_FILE_SYSTEMS:
            path = f"/var/tmp/amlnb-{os.getuid()}"  # noqa: S108 - its owner and mode are checked below
    path = os.path.abspath(path)
    os.makedirs(path, mode=0o700, exist_ok=True)
    info = os.lstat(path)
    if info.st_uid != os.getuid():
        raise PermissionError(f"the cache folder {path!r} belongs to another user (uid {info.st_uid})")
    if info.st_mode & 0o077:
        os.chmod(path, 0o700)
    return path


def file_system(path: str) -> str:
    """Type of the file system that holds ``path`` ('' where the mount table cannot be read)."""
    path = os.path.realpath(path)
    best, kind = "", ""
    for line in _read("/proc/self/mounts").splitlines():
        fields = line.split(" ")
        mount = fields[1].encode("ascii", "replace").decode("unicode_escape") if len(fields) > 2 else ""
        if mount and (path + "/").startswith(mount.rstrip("/") + "/") and len(mount) >= len(best):
            best, kind = mount, fields[2]
    return kind
