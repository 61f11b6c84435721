"""What keeping 20 running runs costs: the courier and the 20 runners together."""

from __future__ import annotations

import os
import time

import psutil

from amlnb import host
from amlnb.engine.courier.wake import LOCK
from amlnb.store.plain_files import read_json
from benchmarks.rows import project, write_script

RUNS = 20
WATCH_S = 20.0
BAR = 0.05


def measure():
    """Return rows (what, value, bar, ok)."""
    from amlnb import Experiment, ScriptRunConfig

    slots = os.path.join(host.cache_dir(), "slots")
    with open(slots, "w", encoding="ascii") as file:
        file.write(str(RUNS))
    try:
        with project() as workspace:
            return _measure(Experiment(workspace, "bench"), ScriptRunConfig)
    finally:
        os.unlink(slots)


def _measure(experiment, configuration):
    source = write_script("source", "import time\ntime.sleep(600)\n")
    runs = [experiment.submit(configuration(source, "s.py")) for _ in range(RUNS)]
    while any(run.get_status() != "Running" for run in runs):
        time.sleep(0.1)
    time.sleep(2)
    with open(os.path.join(host.cache_dir(), LOCK), encoding="ascii") as file:
        courier = psutil.Process(int(file.read()))
    runners = [psutil.Process(read_json(f"{run.directory}/attempts/1.json")["pid"]) for run in runs]
    watchers = [courier, *courier.children(), *runners]
    before, began = _cpu_s(watchers), time.monotonic()
    time.sleep(WATCH_S)
    share = (_cpu_s(watchers) - before) / (time.monotonic() - began)
    for run in runs:
        run.cancel()
    for run in runs:
        run.wait_for_completion()
    return [
        (
            f"watching {RUNS} running runs (courier, zygote and {RUNS} runners)",
            f"{share:.1%} of a core",
            f"{BAR:.0%}",
            share <= BAR,
        )
    ]


def _cpu_s(processes):
    return sum(sum(process.cpu_times()[:2]) for process in processes)
