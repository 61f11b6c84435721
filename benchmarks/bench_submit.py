"""From submit to its return, and to the first line of the user's code, beside starting the script by hand."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from benchmarks.rows import project, write_script

ROUNDS = 15
BAR_SUBMIT_MS = 60.0
BAR_FIRST_LINE_MS = 100.0
SCRIPT = "import sys, time\nwith open(sys.argv[1], 'w') as file:\n    file.write(repr(time.time()))\n"


def measure():
    """Return rows (what, value, bar, ok)."""
    from amlnb import Experiment, ScriptRunConfig

    with project() as workspace:
        source = write_script("source", SCRIPT, others=9)
        subprocess.run(["git", "init", "-q", source], check=True)
        told = os.path.abspath("told")
        experiment = Experiment(workspace, "bench")

        def submit():
            began = time.time()
            run = experiment.submit(ScriptRunConfig(source, "s.py", arguments=[told]))
            returned = time.time()
            run.wait_for_completion()
            return returned - began, _read(told) - began

        def by_hand():
            began = time.time()
            subprocess.run([sys.executable, f"{source}/s.py", told], check=True)
            return _read(told) - began

        cold = submit()
        rounds = [(*submit(), by_hand()) for _ in range(ROUNDS)]
        submit_ms, first_ms, bare_ms = (statistics.median(column) * 1e3 for column in zip(*rounds, strict=True))
        bar = 2 * bare_ms + BAR_FIRST_LINE_MS
        return [
            (
                "submit returns (10 files in a git repository, courier awake)",
                f"{submit_ms:.0f} ms",
                f"{BAR_SUBMIT_MS:.0f} ms",
                submit_ms <= BAR_SUBMIT_MS,
            ),
            (
                "submit to the first line of user code, a free slot",
                f"{first_ms:.0f} ms (by hand {bare_ms:.0f} ms)",
                f"2x by hand + 100 ms = {bar:.0f} ms",
                first_ms <= bar,
            ),
            (
                "the first submission after a cold start of the courier",
                f"returns {cold[0] * 1e3:.0f} ms, first line {cold[1] * 1e3:.0f} ms",
                "told apart",
                None,
            ),
        ]


def _read(path):
    with open(path, encoding="ascii") as file:
        return float(file.read())
