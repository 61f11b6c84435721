"""A cell that uses 50 definitions of its notebook becomes a script; a 100 MB array beside ``numpy.save``."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time

import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from amlnb.notebook import definition_sources, executed_cells, values
from amlnb.notebook.capture import capture
from amlnb.notebook.kernel_namespace import KernelNamespace
from amlnb.notebook.source_folder import write_source_folder
from benchmarks.rows import seconds

DEFINITIONS = 50
ROUNDS = 31
CAPTURE_BAR_MS = 30.0
ARRAY_BYTES = 100_000_000
ARRAY_ROUNDS = 15
ARRAY_BAR = 1.3

_FUNCTION = """
def step{n}(batch, rate=RATE, *, scale={n}):
    \"\"\"One of the steps: uses what stands above it.\"\"\"
    total = 0.0
    for index, value in enumerate(batch):
        if value > LIMIT and index % 2 == 0:
            total += math.sqrt(value) * rate
        else:
            total -= np.float64(value) / (scale + 1)
    return {before}
"""
_CLASS = """
@dataclass
class Block{n}({base}):
    width: int = {n}
    names: list = field(default_factory=list)

    def forward(self, x):
        return [step{n}(x, RATE) for _ in range(self.width) if x]

    def describe(self):
        return f"{{type(self).__name__}} of {{self.width:>{{4}}}} with {{len(self.names)}}"
"""


def _cells():
    """A notebook of some 20 cells with 50 definitions that use each other."""
    cells = ["import math\nfrom dataclasses import dataclass, field\nimport numpy as np", "RATE, LIMIT = 0.1, 3"]
    count = DEFINITIONS // 2
    for n in range(count):
        before = f"total + step{n - 1}(batch)" if n else "total"
        base = f"Block{n - 5}" if n >= 5 else "object"
        cells.append(_FUNCTION.format(n=n, before=before) + _CLASS.format(n=n, base=base))
    return cells, "\n".join(f"print(Block{n}().forward([1, 2]), step{n}([3.0]))" for n in range(count)) + "\n"


def _capture_ms():
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    try:
        cells, cell = _cells()
        for text in cells:
            shell.run_cell(text, store_history=True).raise_error()
        taken = []
        for _ in range(ROUNDS):
            # As the first submission of a notebook finds them.
            executed_cells._bindings.cache_clear()
            definition_sources._parsed_once.cache_clear()
            start = time.perf_counter()
            found = capture(cell, KernelNamespace.of_shell(shell), title="bench")
            taken.append((time.perf_counter() - start) * 1e3)
            if len(found.definitions) != DEFINITIONS:
                raise RuntimeError(f"{len(found.definitions)} definitions were captured")
        return statistics.median(taken)
    finally:
        InteractiveShell.clear_instance()


def _array_seconds(folder):
    """Seconds of each round: capture and source folder, and ``numpy.save`` to the same disk."""
    array = np.random.default_rng(0).random(ARRAY_BYTES // 8)
    namespace = KernelNamespace({"array": array}, {}, [])
    limit, values.VALUE_LIMIT_BYTES = values.VALUE_LIMIT_BYTES, 2 * ARRAY_BYTES
    target = os.path.join(folder, "target")

    def ours():
        os.mkdir(target)
        write_source_folder(target, "cell.py", capture("print(array)", namespace, title="bench"))

    def plain():
        os.mkdir(target)
        np.save(os.path.join(target, "array.npy"), array)

    times = []
    try:
        for _ in range(ARRAY_ROUNDS):
            round_ = []
            for action in (ours, plain):
                round_.append(seconds(action))
                shutil.rmtree(target)
            times.append(round_)
    finally:
        values.VALUE_LIMIT_BYTES = limit
    return [statistics.median(taken) for taken in zip(*times, strict=True)]


def measure():
    """Return rows (what, value, bar, ok)."""
    capture_ms = _capture_ms()
    with tempfile.TemporaryDirectory(prefix="amlnb-bench-", dir=os.getcwd()) as folder:
        ours_s, plain_s = _array_seconds(folder)
    ratio = ours_s / plain_s
    return [
        (
            f"capture and script of a cell that uses {DEFINITIONS} definitions",
            f"{capture_ms:.1f} ms",
            f"{CAPTURE_BAR_MS:.0f} ms",
            capture_ms <= CAPTURE_BAR_MS,
        ),
        (
            f"a {ARRAY_BYTES // 10**6} MB array in a cell's source folder, over numpy.save",
            f"{ratio:.2f}x ({ours_s * 1e3:.0f} ms, numpy {plain_s * 1e3:.0f} ms)",
            f"{ARRAY_BAR}x",
            ratio <= ARRAY_BAR,
        ),
    ]


if __name__ == "__main__":
    for row in measure():
        print(*row, sep=" | ")
