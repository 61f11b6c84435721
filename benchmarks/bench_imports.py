"""What an import adds to a bare interpreter."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.rows import medians

ROUNDS = 41
BAR_MS = 15.0
STATEMENTS = ("from amlnb import Run", "from azureml.core import Run", "import amlnb")


def measure():
    """Return rows (what, value, bar, ok)."""

    def starting(program):
        return lambda: subprocess.run([sys.executable, "-c", program], check=True)

    for statement in STATEMENTS:
        starting(statement)()  # compiles
    bare_s, *with_s = medians(ROUNDS, starting("pass"), *map(starting, STATEMENTS))
    return [
        (
            f"`{statement}` over a bare interpreter",
            f"+{(taken - bare_s) * 1e3:.1f} ms (bare {bare_s * 1e3:.0f} ms)",
            f"+{BAR_MS:.0f} ms",
            (taken - bare_s) * 1e3 <= BAR_MS,
        )
        for statement, taken in zip(STATEMENTS, with_s, strict=True)
    ]
