"""Who is at the keyboard, for those who read a run later."""

from __future__ import annotations

import getpass
import os
import socket


def who() -> str:
    """The user and the host, as ``user@host``."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a uid without a name, as in some containers
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
