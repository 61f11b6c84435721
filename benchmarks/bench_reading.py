"""Reading a million points: a file that holds one metric, and one of 20 interleaved ones."""

from __future__ import annotations

import os
import time

import numpy as np

from amlnb.core import records
from amlnb.store.journals import list_writers
from amlnb.store.run_reader import RunReader
from benchmarks.rows import medians, project

# As in docs/format.md.
RECORD = np.dtype(
    [("id", "<u4"), ("kind", "<u2"), ("magic", "<u2"), ("step", "<i8"), ("time", "<f8"), ("value", "<u8")]
)
POINTS = 1_000_000
METRICS = 20
ROUNDS = 9
BAR_ONE = 3.0
BAR_INTERLEAVED = 1.5


def measure():
    """Return rows (what, value, bar, ok)."""
    with project() as workspace:
        one = _write(workspace, 1)
        many = _write(workspace, METRICS)
        path = list_writers(f"{one}/journals")[0] + ".metrics"

        def read_one():
            reader = RunReader(one)
            reader.refresh()
            return reader.series("metric0")

        def read_one_of_many():
            reader = RunReader(many)
            reader.refresh()
            return reader.series("metric0")

        def read_all():
            reader = RunReader(many)
            reader.refresh()
            return [reader.series(f"metric{number}") for number in range(METRICS)]

        if len(read_one().value) != POINTS or len(read_one_of_many().value) != POINTS // METRICS:
            raise RuntimeError("not all points were read")
        bare_s, one_s, one_of_many_s, all_s = medians(
            ROUNDS, lambda: np.fromfile(path, RECORD), read_one, read_one_of_many, read_all
        )
        return [
            (
                "reading 1 M points of a file that holds one metric, over numpy.fromfile",
                f"{one_s / bare_s:.2f}x ({one_s * 1e3:.0f} ms, fromfile {bare_s * 1e3:.0f} ms)",
                f"{BAR_ONE:.0f}x",
                one_s / bare_s <= BAR_ONE,
            ),
            (
                "reading one metric of 20 interleaved, over decoding all 20",
                f"{one_of_many_s / all_s:.2f}x ({one_of_many_s * 1e3:.0f} ms, all {all_s * 1e3:.0f} ms)",
                f"{BAR_INTERLEAVED}x",
                one_of_many_s / all_s <= BAR_INTERLEAVED,
            ),
            *_others(one_s),
        ]


def _write(workspace, metrics):
    from amlnb import Experiment

    run = Experiment(workspace, "bench").start_logging(snapshot_directory=None)
    for number in range(metrics):
        run.log(f"metric{number}", 0.0, step=0)
    path = list_writers(f"{run.directory}/journals")[0] + ".metrics"
    points = np.zeros(POINTS, RECORD)
    points["id"] = np.arange(POINTS) % metrics
    points["magic"] = records.MAGIC
    points["step"] = np.arange(POINTS) // metrics
    points["time"] = time.time() + np.arange(POINTS) * 1e-3
    points["value"] = np.random.default_rng(0).normal(size=POINTS).view("<u8")
    points.tofile(path)
    return run.directory


def _others(ours_s):
    """MLflow's reading of a tenth of the points (it takes minutes to write more)."""
    try:
        import mlflow
        from mlflow.entities import Metric
    except ImportError as error:
        return [("reading with MLflow (SQLite)", f"skipped: {error}", "", None)]
    mlflow.set_tracking_uri(f"sqlite:///{os.path.abspath('mlflow.db')}")
    client = mlflow.MlflowClient()
    count = 20_000
    with mlflow.start_run() as run:
        for start in range(0, count, 1000):
            batch = [Metric("loss", 0.5, 0, step) for step in range(start, start + 1000)]
            client.log_batch(run.info.run_id, metrics=batch)
        began = time.perf_counter()
        history = client.get_metric_history(run.info.run_id, "loss")
        taken = time.perf_counter() - began
    each = taken / len(history)
    return [
        (
            "reading with MLflow (SQLite)",
            f"{each * 1e6:.2f} us a point, {each / (ours_s / POINTS):.0f}x ours ({len(history):,} points)",
            "",
            None,
        )
    ]
