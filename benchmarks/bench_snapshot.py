"""Snapshot of 10,000 unchanged files beside ``git status`` on the same tree."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time

from amlnb.engine.snapshot import SnapshotLimits, take_snapshot
from amlnb.store.objects import ObjectStore

FILES = 10_000
ROUNDS = 15
BAR = 4.0
TEN_PATTERNS = "__pycache__/\n*.pyc\nbuild/\n/dist\n*.egg-info/\n.env\n*.log\ndata/raw/\n!important.log\ndocs/_build/\n"
UNLIMITED = SnapshotLimits(max_bytes=1 << 40, max_changed_files=None)


def _make_tree(root):
    for number in range(FILES):
        folder = f"{root}/package{number // 1000}/module{number // 100}"
        if number % 100 == 0:
            os.makedirs(folder)
        with open(f"{folder}/file{number}.py", "w") as file:
            file.write(f"value = {number}\n" * 20)


def _git(root, *arguments):
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, stdout=subprocess.DEVNULL)


def _settle(root, take):
    """Commit, and wait until no file is as new as the index or the snapshot: that is what "unchanged" means to both."""
    _git(root, "add", "-A")
    _git(root, "commit", "-q", "-m", "bench")
    time.sleep(2.5)
    _git(root, "status")
    take()


def _timed(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def measure():
    """Return rows (what, value, bar, ok); values are ratios of medians of alternated rounds."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        root = f"{folder}/source"
        _make_tree(root)
        _git(root, "init", "-q", ".")

        def take():
            return take_snapshot(root, ObjectStore(f"{folder}/objects"), f"{folder}/cache", limits=UNLIMITED)

        for what, patterns in (("", None), (" and a .gitignore of ten patterns", TEN_PATTERNS)):
            if patterns is not None:
                with open(f"{root}/.gitignore", "w") as file:
                    file.write(patterns)
            _settle(root, take)
            snapshots, statuses = [], []
            for _ in range(ROUNDS):
                statuses.append(_timed(lambda: _git(root, "status")))
                snapshots.append(_timed(take))
            if take().reused < FILES:
                raise RuntimeError("the snapshots that were measured were not of unchanged files")
            snapshot_s, status_s = statistics.median(snapshots), statistics.median(statuses)
            ratio = snapshot_s / status_s
            rows.append(
                (
                    f"snapshot of {FILES:,} unchanged files{what}, over git status",
                    f"{ratio:.2f}x ({snapshot_s * 1e3:.0f} ms, git {status_s * 1e3:.0f} ms)",
                    f"{BAR:.0f}x",
                    ratio <= BAR,
                )
            )
    return rows


if __name__ == "__main__":
    for row in measure():
        print(*row, sep=" | ")
