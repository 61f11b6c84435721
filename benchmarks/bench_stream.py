"""The stream of a server to its pages: what it costs, from a logged point to the page, and a very long run opened."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import psutil

from benchmarks.rows import medians, percentile, project

RUNS = 100
WATCH_S = 12.0
SETTLE_S = 4.0
LONG = 10_000_000
POINTS = 20_000
BARS = {"cpu": 15.0, "idle": 1.0, "latency_ms": 25.0, "open_ms": 200.0, "zoom_ms": 100.0}
# Runs that log two metrics each, 1 to 10 times a second; a line on standard input ends them.
WRITER = """import os, sys, time
from amlnb import Experiment, Workspace
workspace = Workspace.find_or_create(os.getcwd())[0]
experiment = Experiment(workspace, "bench")
runs = [experiment.start_logging(snapshot_directory=None) for _ in range(int(sys.argv[1]))]
print(*(run.id for run in runs), flush=True)
os.set_blocking(0, False)
due = [time.time() + i / len(runs) for i in range(len(runs))]
step = 0
while not sys.stdin.buffer.read(1):
    now = time.time()
    for i, run in enumerate(runs):
        if due[i] <= now and RATE:
            due[i] = max(due[i] + 1 / (1 + i % 10), now)
            step += 1
            run.log("loss", 1 / step, step=step)
            run.log("accuracy", step, step=step)
    time.sleep(0.003 if RATE else 0.05)
for run in runs:
    run.complete()
"""
SERVER = """import asyncio, os, sys
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application
from amlnb.server.hub import Hub
from amlnb.server.served import Served
from amlnb.server.stream_handlers import StreamHandler

async def main():
    hub = Hub(Served(os.getcwd()))
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(Application([("/stream", StreamHandler, {"hub": hub})])).add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def measure():
    """Return rows (what, value, bar, ok)."""
    with project() as workspace:
        key = _key(workspace)
        with _server() as (server, port), _writers(RUNS, rate=1) as runs:
            points, cpu, _ = asyncio.run(_follow(server, port, key, runs, RUNS))
        rows = [_row(f"server with {RUNS} subscribed runs that log {points / WATCH_S:.0f} points a second", cpu, "cpu")]
        with _server() as (server, port), _writers(10, rate=0) as runs:
            _, cpu, _ = asyncio.run(_follow(server, port, key, runs, 10))
        rows.append(_row("server with open pages and nothing new (10 runs, a watch)", cpu, "idle"))
        with _server() as (server, port), _writers(10, rate=1) as runs, _busy():
            _, cpu, delays = asyncio.run(_follow(server, port, key, runs[9:], 1))
        value = f"{percentile(delays, 50):.1f} ms (p95 {percentile(delays, 95):.1f} ms, {cpu:.1f} % of a core)"
        bar = BARS["latency_ms"]
        median = percentile(delays, 50)
        rows.append(("logged point to message at the page, one core busy, p50", value, f"{bar:.0f} ms", median <= bar))
    return [*rows, *_long_run()]


def _row(what, cpu, bar):
    return (what, f"{cpu:.2f} % of a core", f"{BARS[bar]:.0f} %", cpu <= BARS[bar])


def _key(workspace):
    from amlnb.store.known_workspaces import key_of

    return key_of(workspace.directory.path)


@contextmanager
def _process(program, *arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.stdin.close()
        process.stdout.close()
        process.kill()
        process.wait()


@contextmanager
def _server():
    with _process(SERVER) as process:
        yield psutil.Process(process.pid), int(process.stdout.readline())


@contextmanager
def _writers(count, *, rate):
    with _process(WRITER.replace("RATE", str(rate)), str(count)) as process:
        yield process.stdout.readline().split()


@contextmanager
def _busy():
    with _process("while True: sum(range(1000))"):
        yield


async def _follow(server, port, key, runs, count):
    """Points that came, the server's share of a core in percent, and delays in milliseconds."""
    from tornado.websocket import websocket_connect

    from amlnb.live.series_frames import decode_frames

    connection = await websocket_connect(f"ws://127.0.0.1:{port}/stream")
    for number, run in enumerate(runs[:count], start=1):
        request = {"op": "subscribe", "sub": number, "workspace": key, "run": run, "points": POINTS}
        await connection.write_message(json.dumps(request))
    await connection.write_message(json.dumps({"op": "watch", "sub": count + 1, "workspace": key}))
    points, delays = 0, []
    begun = time.monotonic()
    before = None
    while (left := begun + SETTLE_S + WATCH_S - time.monotonic()) > 0:
        if before is None and time.monotonic() - begun > SETTLE_S:
            before, since = sum(server.cpu_times()[:2]), time.monotonic()
        try:
            message = await asyncio.wait_for(connection.read_message(), min(left, 0.5))
        except TimeoutError:
            continue
        if before is not None and isinstance(message, bytes):
            now = time.time()
            for frame in decode_frames(message):
                points += len(frame.time)
                delays += ((now - frame.time) * 1e3).tolist()
    cpu = (sum(server.cpu_times()[:2]) - before) / (time.monotonic() - since) * 100
    connection.close()
    return points, cpu, delays


def _long_run():
    """A run of ten million points: read and sent, and zoomed."""
    from amlnb.live.deltas import Cursor, delta
    from amlnb.live.feed import RunFeed
    from amlnb.live.series_frames import encode_frame
    from amlnb.live.series_window import window

    with project() as workspace:
        directory = _write_long(workspace)
        sizes = []

        def opened():
            read = RunFeed(directory).curves.told[0]
            sizes.append(len(encode_frame(delta(read, Cursor(), POINTS, 1, 0))))

        def zoomed():
            encode_frame(window(curve.points, "step", LONG * 0.2, LONG * 0.8, POINTS))

        (taken,) = medians(7, opened)
        curve = RunFeed(directory).curves.told[0]
        (zoom,) = medians(7, zoomed)
    value = f"{taken * 1e3:.0f} ms ({sizes[-1] / 1e3:.0f} kB sent)"
    what = f"a run of {LONG} points"
    return [
        (f"{what} read and sent to a page", value, f"{BARS['open_ms']:.0f} ms", taken * 1e3 <= BARS["open_ms"]),
        (
            f"{what}: a part of it again",
            f"{zoom * 1e3:.0f} ms",
            f"{BARS['zoom_ms']:.0f} ms",
            zoom * 1e3 <= BARS["zoom_ms"],
        ),
    ]


def _write_long(workspace):
    from amlnb import Experiment

    run = Experiment(workspace, "long").start_logging(snapshot_directory=None)
    run.log("loss", 1.0, step=0)
    kinds = [("id", "<u4"), ("kind", "<u2"), ("magic", "<u2"), ("step", "<i8"), ("time", "<f8"), ("value", "<f8")]
    journal = os.path.join(run.directory, "journals")
    path = next(os.path.join(journal, name) for name in os.listdir(journal) if name.endswith(".metrics"))
    first = np.fromfile(path, kinds)
    found = np.repeat(first, LONG - 1)
    found["step"] = np.arange(1, LONG)
    found["time"] += found["step"]
    found["value"] = np.random.default_rng(0).standard_normal(LONG - 1).cumsum()
    with open(path, "ab") as file:
        file.write(found.tobytes())
    run.complete()
    return run.directory
