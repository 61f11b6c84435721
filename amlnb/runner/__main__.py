"""``python -m amlnb.runner LAUNCH.json``: keep one run; with ``--detach`` in the background, printing its pid."""

from __future__ import annotations

import json
import os
import sys

from amlnb.runner import main
from amlnb.runner.detach import detached

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List


def start(arguments: List[str]) -> int:
    """Entry point; returns the exit code."""
    detach = arguments[:1] == ["--detach"]
    paths = arguments[1:] if detach else arguments
    if len(paths) != 1:
        sys.stderr.write("usage: python -m amlnb.runner [--detach] LAUNCH.json\n")
        return 2
    with open(paths[0], encoding="utf-8") as file:
        told = json.load(file)
    os.unlink(paths[0])  # it holds environment variables
    if detach:
        pid = detached(lambda: main.run(told))
        sys.stdout.write(f"{pid}\n")
        return 0
    return 0 if main.run(told) else 1


if __name__ == "__main__":
    sys.exit(start(sys.argv[1:]))
