"""Which workspaces this user has made runs in on this host: a small file each in the host-local cache.

They are told to pages, which know no working directory. A file that is lost is written again by the next run.
"""

from __future__ import annotations

import contextlib
import json
import os
import re

from amlnb import host
from amlnb.core import layout
from amlnb.store.plain_files import read_json

_FOLDER = "workspaces"
_KEY = re.compile(r"[0-9a-f]{12}")


def key_of(data: str) -> str:
    """The short name of a workspace in addresses and in the host-local cache, by its data directory."""
    return layout.short_hash(os.path.realpath(data))


def remember(data: str) -> None:
    """Keep that there is a workspace; nothing is done where that is known, or where the cache cannot be used."""
    with contextlib.suppress(OSError):
        path = _path(key_of(data))
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            host.replace_file(path, json.dumps({"path": os.path.abspath(data)}).encode("ascii"), 0o600)


def known() -> dict[str, str]:
    """``{key: data directory}`` of those that are still there."""
    try:
        names = os.listdir(os.path.join(host.cache_dir(), _FOLDER))
    except OSError:
        return {}
    found = {name[: -len(".json")]: find(name[: -len(".json")]) for name in sorted(names) if name.endswith(".json")}
    return {key: data for key, data in found.items() if data is not None}


def find(key: str) -> str | None:
    """Data directory of a workspace that is known and still there; None if there is none."""
    if not _KEY.fullmatch(key):
        return None
    try:
        data = (read_json(_path(key)) or {}).get("path")
    except OSError:
        return None
    return data if isinstance(data, str) and os.path.isdir(data) and key_of(data) == key else None


def _path(key: str) -> str:
    return os.path.join(host.cache_dir(), _FOLDER, f"{key}.json")
