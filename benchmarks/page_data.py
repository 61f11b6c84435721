"""What pages are measured with: a very long run, very many runs, runs that go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np

RECORD = [("id", "<u4"), ("kind", "<u2"), ("magic", "<u2"), ("step", "<i8"), ("time", "<f8"), ("value", "<f8")]
# Runs that log one metric so many times a second each; a line on standard input ends them.
WRITER = """import os, sys, time
from amlnb import Experiment, Workspace
count, rate = int(sys.argv[1]), float(sys.argv[2])
experiment = Experiment(Workspace.find_or_create(os.getcwd())[0], "live")
runs = [experiment.start_logging(snapshot_directory=None) for _ in range(count)]
for i, run in enumerate(runs):
    run.log("loss", i, step=0)
print(*(run.id for run in runs), flush=True)
os.set_blocking(0, False)
begun, step = time.time(), 0
while not sys.stdin.buffer.read(1):
    due = int((time.time() - begun) * rate * count)
    while step < due:
        runs[step % count].log("loss", 1 / (1 + step) + step % count, step=1 + step // count)
        step += 1
    time.sleep(0.5 / rate / count)
for run in runs:
    run.complete()
"""


def points_file(run):
    """Path of a run's points, of the first process that wrote any."""
    folder = os.path.join(run.directory, "journals")
    return next(os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".metrics"))


def write_long_run(workspace, points):
    """A run of one metric of so many points; returns its directory."""
    from amlnb import Experiment

    run = Experiment(workspace, "long").start_logging(snapshot_directory=None)
    run.log("loss", 1.0, step=0)
    path = points_file(run)
    found = np.repeat(np.fromfile(path, RECORD), points - 1)
    found["step"] = np.arange(1, points)
    found["time"] += found["step"]
    found["value"] = np.random.default_rng(0).standard_normal(points - 1).cumsum()
    with open(path, "ab") as file:
        file.write(found.tobytes())
    run.complete()
    return run.directory


def copy_run(directory, run_id, created, *, values=None, link=False):
    """The same run under another id, with other values if given; its files may be shared."""
    from amlnb.core import layout

    with open(os.path.join(directory, "run.json"), encoding="utf-8") as file:
        record = {**json.load(file), "id": run_id, "created": created}
    target = os.path.join(os.path.dirname(directory), layout.run_directory_name(record["experiment"], run_id))
    for folder, _, names in os.walk(directory):
        to = os.path.join(target, os.path.relpath(folder, directory))
        os.makedirs(to)
        for name in names:
            path = os.path.join(folder, name)
            if name == "run.json":
                with open(os.path.join(to, name), "w", encoding="utf-8") as file:
                    json.dump(record, file)
            elif name.endswith(".metrics") and values is not None:
                found = np.fromfile(path, RECORD)
                found["value"] = values
                found.tofile(os.path.join(to, name))
            elif link:
                os.link(path, os.path.join(to, name))
            else:
                with open(path, "rb") as source, open(os.path.join(to, name), "wb") as file:
                    file.write(source.read())
    return target


def write_many_runs(workspace, count, metrics):
    """So many ended runs of so many metrics."""
    from amlnb import Experiment

    first = Experiment(workspace, "many").start_logging(snapshot_directory=None)
    for metric in range(metrics):
        first.log(f"metric{metric:02}", 0.5)
    first.complete()
    values = np.random.default_rng(0)
    begun = time.time() - count
    for number in range(1, count):
        copy_run(first.directory, f"many_{number:06}", begun + number, values=values.random(metrics))


@contextmanager
def live_runs(count, rate):
    """Ids of runs that log so many times a second each, until the end."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(count), str(rate)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process.stdout.readline().split()
            process.communicate("\n", timeout=60)
        finally:
            process.kill()


@contextmanager
def studio(folder):
    """Address of the studio of a workspace; it logs a browser in."""
    command = [sys.executable, "-m", "amlnb", "studio", "--no-browser", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
