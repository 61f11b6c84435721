"""What pages are measured with: a very long run, very many runs, runs that go on."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager

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
# Of other trackers: they tell and fetch nothing, and start no processes beside the server.
PEERS_ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "GIT_PYTHON_REFRESH": "quiet",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}
# Executes statements so many times a second, each time in one transaction; `:now_ms` is the time, `:turn` counts.
ROW_WRITER = """import sqlite3, sys, time
path, rate, *statements = sys.argv[1:]
database = sqlite3.connect(path, timeout=30, isolation_level=None)
begun, turn = time.time(), 0
while True:
    turn += 1
    database.execute("BEGIN IMMEDIATE")
    for statement in statements:
        database.execute(statement, {"now_ms": int(time.time() * 1000), "turn": turn})
    database.execute("COMMIT")
    time.sleep(max(0, begun + turn / float(rate) - time.time()))
"""
# Logs so many times a second once a line comes, and tells each step and when; `log` and `close` are of the tracker.
LOGGER = """
import json, time
for step in range(3):
    log(step)
print("run", run, flush=True)
sys.stdin.readline()
logged, begun = [], time.time()
for step in range(3, 3 + int(sys.argv[2])):
    time.sleep(max(0, begun + (step - 3) / float(sys.argv[3]) - time.time()))
    logged.append((step, time.time()))
    log(step)
close()
print("logged", json.dumps(logged), flush=True)
"""
MLFLOW_CLIENT = """import sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
experiment = client.create_experiment("logged")
run_id = client.create_run(experiment).info.run_id
run = experiment + " " + run_id
def log(step):
    client.log_metric(run_id, "loss", 1 / (1 + step), step=step)
def close():
    client.set_terminated(run_id)
"""
MLFLOW_RUN = """import sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
experiment = client.create_experiment(sys.argv[2])
run = client.create_run(experiment, run_name="run 0").info.run_id
for metric in sys.argv[4:]:
    client.log_metric(run, metric, 0.5, step=0)
client.update_run(run, sys.argv[3])
print("run", experiment, run)
"""
TRACKIO_SERVER = """import sys, trackio
trackio.show(open_browser=False, share=False, host="127.0.0.1", server_port=int(sys.argv[1]), block_thread=True)
"""
TRACKIO_CLIENT = """import sys, trackio
run = trackio.init(project="logged", embed=False, auto_log_gpu=False, auto_log_cpu=False).name
def log(step):
    trackio.log({"loss": 1 / (1 + step)}, step=step)
close = trackio.finish
"""
TRACKIO_RUN = """import sys, trackio
trackio.init(project=sys.argv[1], name="run 0", embed=False, auto_log_gpu=False, auto_log_cpu=False)
trackio.log(dict.fromkeys(sys.argv[2:], 0.5), step=0)
trackio.finish()
"""
RANDOM = "abs(random() % 1000000) / 1e6"
# One more point of each run that goes on, in the databases of MLflow and of a project of trackio.
_RUNNING = "WHERE run_uuid IN (SELECT run_uuid FROM runs WHERE status = 'RUNNING')"
_POINT = "key, value, timestamp, step, is_nan, run_uuid"
MLFLOW_LIVE = (
    f"UPDATE latest_metrics SET step = :turn, timestamp = :now_ms, value = 1.0 / (1 + :turn) + rowid % 50 {_RUNNING}",
    f"INSERT INTO metrics ({_POINT}) SELECT {_POINT} FROM latest_metrics {_RUNNING}",
)
TRACKIO_LIVE = """INSERT INTO metrics (timestamp, run_id, run_name, step, metrics)
    SELECT strftime('%Y-%m-%dT%H:%M:%f000+00:00', :now_ms / 1e3, 'unixepoch'), run_id, run_name, :turn,
        json_object('loss', 1.0 / (1 + :turn) + id % 50) FROM configs"""
LATER = "strftime('%Y-%m-%dT%H:%M:%f000+00:00', timestamp, '+' || copy.number || ' seconds')"


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


def write_mlflow_runs(path, experiment, run, count):
    """So many runs in MLflow's database, with other values: copies of one that its own client has made."""
    name = f"printf('{int(experiment):08x}%024x', copy.number)"
    changes = {
        "runs": {"name": "'run ' || copy.number", "start_time": "start_time + copy.number", "end_time": "NULL"},
        "tags": {"value": "CASE key WHEN 'mlflow.runName' THEN 'run ' || copy.number ELSE value END"},
        "latest_metrics": {"value": RANDOM},
        "metrics": {"value": RANDOM},
    }
    with closing(sqlite3.connect(path)) as database, database:
        for table, changed in changes.items():
            _copy_rows(database, table, count - 1, "run_uuid = ?", [run], {"run_uuid": name, **changed})


def write_mlflow_points(path, run, points):
    """So many points of the one metric of a run in MLflow's database."""
    changes = {"step": "step + copy.number", "timestamp": "timestamp + copy.number", "value": RANDOM}
    with closing(sqlite3.connect(path)) as database, database:
        _copy_rows(database, "metrics", points - 1, "run_uuid = ?", [run], changes)
        database.execute("UPDATE latest_metrics SET step = ? WHERE run_uuid = ?", [points - 1, run])


def write_trackio_runs(path, count, metrics):
    """So many runs of so many metrics in the database of a project of trackio, which has one run."""
    run = {"run_id": "printf('%032x', copy.number)", "run_name": "'run ' || copy.number"}
    values = ", ".join(f"'{metric}', {RANDOM}" for metric in metrics)
    changes = {**run, "timestamp": LATER, "log_id": "NULL", "metrics": f"json_object({values})"}
    with closing(sqlite3.connect(path)) as database, database:
        _copy_rows(database, "metrics", count - 1, "step = ?", [0], changes)
        _copy_rows(database, "configs", count - 1, "run_id IS NOT ?", [None], run)


def write_trackio_points(path, metric, points):
    """So many points of the one metric of the one run of a project of trackio."""
    values = f"json_object('{metric}', {RANDOM})"
    changes = {"step": "step + copy.number", "timestamp": LATER, "log_id": "NULL", "metrics": values}
    with closing(sqlite3.connect(path)) as database, database:
        _copy_rows(database, "metrics", points - 1, "step = ?", [0], changes)


def _copy_rows(database, table, count, where, values, changes):
    """Rows of a table again, so many times; `changes` are SQL of columns, in which copies have the numbers from one."""
    columns = [name for _, name, *_ in database.execute(f"PRAGMA table_info({table})") if name != "id"]
    copied = ", ".join(changes.get(column, f"{table}.{column}") for column in columns)
    database.execute(
        "WITH RECURSIVE copy(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM copy WHERE number <= ?) "
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {copied} FROM {table} JOIN copy WHERE number <= ? AND {where}",
        [count, count, *values],
    )


@contextmanager
def live_rows(path, rate, *statements):
    """Statements that are executed in a database so many times a second, until the end."""
    command = [sys.executable, "-c", ROW_WRITER, path, str(rate), *statements]
    with subprocess.Popen(command) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def peer_python(*arguments, **options):
    """A python for another tracker, in a group of processes of its own, which ends with it."""
    environment = {**os.environ, **PEERS_ENVIRONMENT, "TRACKIO_DIR": os.path.abspath("trackio")}
    command = [sys.executable, *arguments]
    with subprocess.Popen(command, env=environment, start_new_session=True, text=True, **options) as process:
        try:
            yield process
        finally:
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, number)
                    process.wait(10)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue
