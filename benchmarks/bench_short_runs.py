"""500 short runs, from the first submission to the last end, beside starting `python -c pass` in as many slots."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.rows import project, seconds, write_script

RUNS = 500
ROUNDS = 3
BAR = 0.40


def measure():
    """Return rows (what, value, bar, ok)."""
    from amlnb import Experiment, ScriptRunConfig

    slots = len(os.sched_getaffinity(0))

    def start(_):
        subprocess.run([sys.executable, "-c", "pass"], check=True)

    def bare():
        with ThreadPoolExecutor(slots) as pool:
            list(pool.map(start, range(RUNS // 2)))

    with project() as workspace:
        source = write_script("source", "pass\n")
        experiment = Experiment(workspace, "bench")
        experiment.submit(ScriptRunConfig(source, "s.py")).wait_for_completion()

        def runs():
            left = {experiment.submit(ScriptRunConfig(source, "s.py")).directory for _ in range(RUNS)}
            while left:
                left = {directory for directory in left if not os.path.exists(f"{directory}/final.json")}
                time.sleep(0.05)

        # Bare starts before and after each round, so that a machine that grows slower is told from a slow courier.
        rounds = []
        for _ in range(ROUNDS):
            bare_s = seconds(bare)
            runs_s = seconds(runs)
            bare_s += seconds(bare)
            rounds.append((bare_s / runs_s, RUNS / runs_s, RUNS / bare_s))
        if any(run.get_status() != "Completed" for run in experiment.get_runs()):
            raise RuntimeError("not all runs completed")
    share, rate, bare_rate = sorted(rounds)[len(rounds) // 2]
    return [
        (
            f"{RUNS} short runs (median of {ROUNDS} rounds), share of the rate of `python -c pass` in {slots} slots",
            f"{share:.0%} ({rate:.0f} a second, bare {bare_rate:.0f})",
            f"{BAR:.0%}",
            share >= BAR,
        )
    ]
