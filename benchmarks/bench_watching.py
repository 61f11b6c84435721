"""What 20 running runs cost: the courier and the runners together; and the kernel that shows all of them live."""

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
LIVE_BAR = 0.15
# Five points a second of two metrics, a line of log and progress, as a short training's loop does.
CELL = """%%submit --experiment bench
import time, amlnb
for i in range(3000):
    amlnb.log(loss=1 / (i + 1), val_loss=2 / (i + 1), step=i)
    amlnb.progress(i, 3000)
    print("epoch", i, flush=True)
    time.sleep(0.2)
"""


def measure():
    """Return rows (what, value, bar, ok)."""
    from amlnb import Experiment, ScriptRunConfig

    slots = os.path.join(host.cache_dir(), "slots")
    with open(slots, "w", encoding="ascii") as file:
        file.write(str(RUNS))
    try:
        with project() as workspace:
            return [*_measure(Experiment(workspace, "bench"), ScriptRunConfig), *_measure_live(workspace)]
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


def _measure_live(workspace):
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", cwd=os.getcwd())
    shown = set()

    def note(message):
        if message["msg_type"] == "update_display_data":
            shown.add(message["content"]["transient"]["display_id"])

    def execute(code):
        client.execute_interactive(code, allow_stdin=True, output_hook=note, timeout=300, stdin_hook=lambda _: None)

    try:
        execute("%load_ext amlnb")
        for _ in range(RUNS):
            execute(CELL)
        kernel = psutil.Process(manager.provisioner.pid)
        execute("import time; time.sleep(10)")
        shown.clear()
        before, began = _cpu_s([kernel]), time.monotonic()
        execute(f"time.sleep({WATCH_S})")
        share = (_cpu_s([kernel]) - before) / (time.monotonic() - began)
    finally:
        for run in list(workspace.experiments["bench"].get_runs()):
            run.cancel()
        client.stop_channels()
        manager.shutdown_kernel()
    return [
        (
            f"a kernel that shows {RUNS} running runs ({len(shown)} outputs updated in {WATCH_S:.0f} s)",
            f"{share:.1%} of a core",
            f"{LIVE_BAR:.0%}",
            share <= LIVE_BAR and len(shown) == 2 * RUNS,
        )
    ]


def _cpu_s(processes):
    return sum(sum(process.cpu_times()[:2]) for process in processes)
