"""One durable `run.log` of a scalar, beside a bare write of 32 bytes, and beside other trackers."""

from __future__ import annotations

import os
import time

from benchmarks.rows import medians, project

POINTS = 20_000
ROUNDS = 9
BAR = 2.5
OTHERS_POINTS = 200


def measure():
    """Return rows (what, value, bar, ok)."""
    from amlnb import Experiment

    with project() as workspace:
        run = Experiment(workspace, "bench").start_logging(snapshot_directory=None)
        descriptor = os.open("bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        data = b"x" * 32

        def bare():
            for _ in range(POINTS):
                os.write(descriptor, data)

        def log():
            for i in range(POINTS):
                run.log("loss", 0.5, step=i)

        log()
        bare_s, log_s = medians(ROUNDS, bare, log)
        os.close(descriptor)
        run.complete()
        each_us = log_s / POINTS * 1e6
        rows = [
            (
                "run.log of a scalar, durable, over a bare os.write of 32 bytes",
                f"{log_s / bare_s:.2f}x ({each_us:.2f} us, write {bare_s / POINTS * 1e6:.2f} us)",
                f"{BAR}x",
                log_s / bare_s <= BAR,
            )
        ]
        return rows + _others(each_us)


def _others(ours_us):
    rows = []
    for name, measure_other in (("MLflow (SQLite)", _mlflow), ("trackio", _trackio)):
        try:
            each_us = measure_other()
        except ImportError as error:
            rows.append((f"logging with {name}", f"skipped: {error}", "", None))
        else:
            rows.append((f"logging with {name}", f"{each_us:.0f} us a scalar, {each_us / ours_us:.0f}x ours", "", None))
    return rows


def _mlflow():
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{os.path.abspath('mlflow.db')}")
    with mlflow.start_run():
        mlflow.log_metric("loss", 0.5, step=0)
        start = time.perf_counter()
        for i in range(OTHERS_POINTS):
            mlflow.log_metric("loss", 0.5, step=i)
        return (time.perf_counter() - start) / OTHERS_POINTS * 1e6


def _trackio():
    os.environ["TRACKIO_DIR"] = os.path.abspath("trackio")
    import trackio

    trackio.init(project="bench", embed=False)
    start = time.perf_counter()
    for _ in range(OTHERS_POINTS):
        trackio.log({"loss": 0.5})
    trackio.finish()
    return (time.perf_counter() - start) / OTHERS_POINTS * 1e6
