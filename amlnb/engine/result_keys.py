"""The key with which a run signs what it pickles: known to the run, and to whoever submitted it from this host."""

from __future__ import annotations

import hmac
import os

from amlnb import host
from amlnb.staged.captured_values import KEY_VARIABLE

__all__ = ["KEY_VARIABLE", "result_key"]

_FILE = "result-secret"
_LENGTH = 32


def result_key(run_id: str) -> str:
    """Return the key of a run: the same for as long as this user's cache folder on this host is kept.

    It is never in the run directory, so that nobody who can write there can sign in the run's name.

    Raises
    ------
    OSError
        The cache folder cannot be used.
    """
    return hmac.new(_secret(), run_id.encode(), "sha256").hexdigest()


def _secret() -> bytes:
    path = os.path.join(host.cache_dir(), _FILE)
    known = _read(path)
    if known is not None:
        return known
    unfinished = f"{path}.{os.getpid()}.{os.urandom(4).hex()}"
    fd = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(os.urandom(_LENGTH))
    try:
        os.link(unfinished, path)  # whoever comes second takes the first one's
    except FileExistsError:
        if _read(path) is None:  # a full disk has cut it off
            os.replace(unfinished, path)
            return _secret()
    os.unlink(unfinished)
    return _secret()


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            found = file.read()
    except FileNotFoundError:
        return None
    return found if len(found) == _LENGTH else None
