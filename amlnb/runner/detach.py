"""Starting a process that depends on nobody's life."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable


def detached(work: Callable[[], object]) -> int:
    """Do ``work`` in a process that depends on nobody's life, and return its pid.

    A double fork and a session of its own; its standard streams are /dev/null.
    """
    told, tell = os.pipe()
    child = os.fork()
    if child:
        os.close(tell)
        os.waitpid(child, 0)
        with os.fdopen(told, "rb") as pipe:
            return int(pipe.read())
    code = 1
    try:
        os.close(told)
        os.setsid()
        grandchild = os.fork()
        if grandchild:
            os.write(tell, str(grandchild).encode("ascii"))
            os._exit(0)
        os.close(tell)
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nothing, fd)
        work()
        code = 0
    finally:
        os._exit(code)
