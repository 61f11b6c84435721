"""Rows of the table, and the few ways in which all benchmarks measure."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from contextlib import contextmanager
from typing import NamedTuple


class Row(NamedTuple):
    """What was measured, its value, the bar, and whether it is met (None for a row that is only for comparison)."""

    what: str
    value: str
    bar: str
    ok: bool | None


def table(rows):
    """Render rows as a Markdown table."""
    marks = {True: "met", False: "MISSED", None: ""}
    cells = [("what", "measured", "bar", ""), *[(r.what, r.value, r.bar, marks[r.ok]) for r in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(4)]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "| " + " | ".join("-" * w for w in widths) + " |")
    return "\n".join(lines)


def seconds(action):
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def medians(rounds, *actions):
    """Median seconds of each action, all of them in every round, so that a slow moment hits all."""
    times = [[] for _ in actions]
    for _ in range(rounds):
        for taken, action in zip(times, actions, strict=True):
            taken.append(seconds(action))
    return [statistics.median(taken) for taken in times]


def percentile(values, percent):
    """The value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@contextmanager
def project():
    """An empty folder with a workspace, as the working directory."""
    from amlnb import Workspace

    before = os.getcwd()
    with tempfile.TemporaryDirectory(prefix="amlnb-bench-", ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        try:
            yield Workspace.find_or_create(folder)[0]
        finally:
            os.chdir(before)


def write_script(folder, text, others=0):
    """Make a source directory with one script and so many other small files; returns its path."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "s.py"), "w", encoding="utf-8") as file:
        file.write(text)
    for number in range(others):
        with open(os.path.join(folder, f"file{number}.txt"), "w", encoding="utf-8") as file:
            file.write("x" * 1000)
    return folder
