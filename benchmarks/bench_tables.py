"""The table of 1,000 runs: from `experiment.show()` to the bundle that a notebook gets."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys

from amlnb.api.experiment import Experiment
from amlnb.notebook.runs_output import runs_outputs
from amlnb.store.index import Index
from amlnb.tracking import create
from amlnb.tracking.tracked_run import TrackedRun
from benchmarks.rows import project, seconds

RUNS = 1000
STEPS = 100
METRICS = ("loss", "val_loss", "accuracy", "val_accuracy", "rate")
BAR_S = 0.3
# What a kernel does whose first cell shows the table.
FIRST = """import time
started = time.perf_counter()
from amlnb import Workspace
bundle = Workspace.from_config().experiments["bench"]._repr_html_()
print(time.perf_counter() - started)
"""


def measure():
    """Return rows (what, value, bar, ok)."""
    with project() as workspace:
        experiment = Experiment(workspace, "bench")
        workspace.directory.make_experiment("bench")
        for number in range(RUNS):
            _write(workspace.directory.runs, number)
        anew_s = seconds(lambda: _show(experiment))
        warm_s = statistics.median(seconds(lambda: _show(experiment)) for _ in range(9))
        fresh = [float(subprocess.check_output([sys.executable, "-c", FIRST], text=True)) for _ in range(3)]
        (output,) = runs_outputs(workspace, "bench")
        kilobytes = sum(len(text.encode()) for text in output.data.values()) / 1000
        Index(workspace.directory).delete()
        what = f"table of {RUNS:,} runs, 100 of them shown"
        return [
            (f"{what}: from show() to its bundle", f"{warm_s * 1e3:.0f} ms", f"{BAR_S * 1e3:.0f} ms", warm_s <= BAR_S),
            (f"{what}: the first in a process, imports included", f"{statistics.median(fresh) * 1e3:.0f} ms", "", None),
            (f"{what}: with the index to be built", f"{anew_s * 1e3:.0f} ms", "", None),
            (f"{what}: HTML and text", f"{kilobytes:.0f} kB", "100 kB", kilobytes <= 100),
        ]


def _show(experiment):
    """What displaying the table asks for: both forms of its bundle."""
    (output,) = runs_outputs(experiment.workspace, experiment.name)
    if f"{RUNS:,} runs" not in output.data["text/plain"] or output.data["text/html"].count("<tr>") != 101:
        raise RuntimeError("not all runs were found")


def _write(runs, number):
    run_id = f"bench_1700000000_{number:08x}"
    rate = (0.3, 0.1, 0.03)[number % 3]
    record = {
        "id": run_id,
        "experiment": "bench",
        "type": "azureml.scriptrun",
        "created": 1.7e9 + number,
        "display_name": f"model {number % 7}",
        "parent": None,
        "target": "local",
        "home": {"kind": "local"},
        "owner": None,
        "definition": {"script": "train.py", "arguments": ["--rate", rate, "--width", 2 ** (number % 5)]},
        "snapshot": None,
        "tags": {"kind": "bench", "sweep": f"s{number % 4}"},
        "properties": {},
        "warnings": [],
    }
    run = TrackedRun(create.create_run(runs, record), run_id, "bench", "0", owned=True)
    for step in range(STEPS):
        loss = math.exp(-step * rate / 10) + number % 11 / 100
        for metric in METRICS:
            run.log(metric, 1 - loss if "accuracy" in metric else loss, step=step)
    if number % 20:
        run.complete()
    else:
        run.fail(error_details="RuntimeError: out of memory")
