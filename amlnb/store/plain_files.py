"""Reading small files and parts of large ones, where a missing or damaged file is an answer and not a failure."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional


def read_from(path: str, offset: int, size: int = -1) -> bytes:
    """Read a file from an offset to its end (or ``size`` bytes); empty if it is missing or shorter."""
    try:
        with open(path, "rb", buffering=0) as file:
            if offset:
                file.seek(offset)
            return file.read(size) if size >= 0 else file.readall()
    except FileNotFoundError:
        return b""


def read_json(path: str) -> Optional[Dict[str, Any]]:
    """Content of a small JSON file; None if it is missing, unreadable as JSON, not an object, or no file."""
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
