"""A training script: logs every kind of value from a main process, a thread, a forked child and a started child."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import amlnb
from amlnb import Run
from azureml.core import Run as RunOfV1

run = Run.get_context()
if "child" in sys.argv:
    run.log("started", 1)
    sys.exit(0)

for step in range(100):
    run.log("loss", 1 / (step + 1), step=step)
amlnb.log(accuracy=0.5, epochs=3, step=7)
for value in (1.5, -2, True, None, "text \u00e9\n", 2**80, float("inf")):
    run.log("scalars", value)
run.log_list("list", [1, 2.5, "three"])
run.log_row("row", x=1, y="a")
run.log_row("row", x=2, y="b")
run.log_table("table", {"x": [1, 2, 3], "y": [0.5, None, 1.5]})
RunOfV1.get_context().log("v1", 1)

thread = threading.Thread(target=run.log, args=("threaded", 1))
thread.start()
thread.join()

child = os.fork()
if child == 0:
    run.log("forked", 1)
    os._exit(0)
if os.waitpid(child, 0)[1] != 0:
    sys.exit("the forked child failed")
subprocess.check_call([sys.executable, *sys.argv, "child"])
amlnb.progress(100, 100, "done")
run.tag("python", "{}.{}".format(*sys.version_info))
