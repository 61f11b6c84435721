"""Private modules of v1 that users set the limit of snapshots in: there, setting it works."""

from __future__ import annotations

import os
import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LIMIT = "SNAPSHOT_MAX_SIZE_BYTES"
DEFAULT_LIMIT = 300 * 1024 * 1024


class _LimitModule(ModuleType):
    """A module whose ``SNAPSHOT_MAX_SIZE_BYTES`` is how large a snapshot may be."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == _LIMIT:
            os.environ["AMLNB_SNAPSHOT_MAX_BYTES"] = str(int(value))
        super().__setattr__(name, value)


def hold_limit(module: str) -> None:
    """Make a module one of these."""
    sys.modules[module].__class__ = _LimitModule
