"""What happens when the file system refuses tracking: it is told once on stderr, and training goes on."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

told: List[str] = []


def tell_once(path: str, error: OSError) -> None:
    """Say, once a process, that tracking has trouble writing ``path``."""
    if told:
        return
    told.append(path)
    try:
        sys.stderr.write(
            f"amlnb: could not write {path!r} ({error.strerror or error}). Training goes on; what "
            "is logged is kept in memory and tried again.\n"
            "hint: free some space or make the folder writable, and nothing will be missing\n"
        )
    except (OSError, ValueError, AttributeError):
        pass  # there is no stderr to tell it to
