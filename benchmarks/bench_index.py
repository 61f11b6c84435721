"""Listing 1,000 runs with 20 metrics each: from the index, and with the index to be built."""

from __future__ import annotations

import statistics
import time

from amlnb.store.index import Index
from amlnb.tracking import create
from amlnb.tracking.tracked_run import TrackedRun
from benchmarks.rows import project, seconds

RUNS = 1000
METRICS = 20
BAR_LIST_S = 0.2
BAR_REBUILD_S = 3.0


def measure():
    """Return rows (what, value, bar, ok)."""
    with project() as workspace:
        directory = workspace.directory
        directory.make_experiment("bench")
        for number in range(RUNS):
            _write(directory.runs, number)
        rebuild_s = seconds(Index(directory).rebuild)
        listings = [seconds(lambda: Index(directory).list_runs()) for _ in range(7)]
        listed = Index(directory).list_runs()
        if len(listed) != RUNS or len(listed[0].metrics) != METRICS:
            raise RuntimeError("not all runs were listed")
        list_s = statistics.median(listings)
        return [
            (
                f"listing {RUNS:,} runs with {METRICS} metrics each, from the index",
                f"{list_s * 1e3:.0f} ms",
                f"{BAR_LIST_S * 1e3:.0f} ms",
                list_s <= BAR_LIST_S,
            ),
            (
                f"rebuilding the index of {RUNS:,} runs",
                f"{rebuild_s:.2f} s",
                f"{BAR_REBUILD_S:.0f} s",
                rebuild_s <= BAR_REBUILD_S,
            ),
        ]


def _write(runs, number):
    run_id = f"bench_{number}"
    record = {
        "id": run_id,
        "experiment": "bench",
        "type": "azureml.scriptrun",
        "created": time.time(),
        "display_name": None,
        "parent": None,
        "target": "local",
        "home": {"kind": "local"},
        "owner": None,
        "definition": {"script": "train.py", "arguments": ["--lr", 0.1]},
        "snapshot": None,
        "tags": {"kind": "bench"},
        "properties": {},
        "warnings": [],
    }
    run = TrackedRun(create.create_run(runs, record), run_id, "bench", "0", owned=True)
    for metric in range(METRICS):
        for step in range(10):
            run.log(f"metric{metric}", float(step), step=step)
    run.complete()
