"""kill -9 at random moments of whatever keeps a run: no acknowledged point is lost, and the state never lies.

Every script writes down the number of points it has logged *after* the call returned; at least so many must be read back.
"""

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time

import psutil
import pytest

from amlnb import host
from amlnb.api.experiment import Experiment
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.store.plain_files import read_json
from amlnb.store.run_reader import RunReader
from amlnb.tracking import context

pytestmark = [pytest.mark.kill, pytest.mark.slow]

RUNS = int(os.environ.get("AMLNB_KILL_RUNS", "100"))
SLOTS = 6
# "The right final state within 5 s of looking", and room for two shared cores.
LOOK_S = 5.0

SCRIPT = """
import os, sys, time
from amlnb import Run
run = Run.get_context()
acknowledged = os.open(os.path.join(sys.argv[1], run.id), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
if sys.argv[2] == "forks":
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
for i in range(60):
    run.log("loss", float(i), step=i)
    run.log("text", "point %d" % i) if i % 10 == 0 else None
    os.write(acknowledged, b".")
    time.sleep(0.002)
"""


@pytest.fixture
def fleet(workspace, own_cache, tmp_path):
    with open(os.path.join(own_cache, "slots"), "w", encoding="ascii") as file:
        file.write(str(SLOTS))
    source = tmp_path / "source"
    source.mkdir()
    (source / "s.py").write_text(textwrap.dedent(SCRIPT))
    acknowledged = tmp_path / "acknowledged"
    acknowledged.mkdir()
    return Fleet(workspace, own_cache, str(source), str(acknowledged))


class Fleet:
    def __init__(self, workspace, cache, source, acknowledged):
        self.workspace, self.cache, self.source, self.acknowledged = workspace, cache, source, acknowledged
        self.random = random.Random(7)
        self.killed = set()

    def submit(self, number):
        config = ScriptRunConfig(
            self.source, "s.py", arguments=[self.acknowledged, "forks" if number % 3 == 0 else "-"]
        )
        return Experiment(self.workspace, "kill").submit(config)

    def pause(self, longest=0.25):
        time.sleep(self.random.random() * longest)

    def kill(self, pid, start=None):
        if start is None or host.start_time(pid) == start:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return False
            return True
        return False

    def courier_pid(self):
        try:
            with open(os.path.join(self.cache, "courier.lock"), encoding="ascii") as file:
                return int(file.read())
        except (OSError, ValueError):
            return None

    def runner_of(self, run):
        return read_json(os.path.join(run.directory, "attempts", "1.json"))

    def script_of(self, run):
        runner = self.runner_of(run)
        if runner is None:
            return None
        try:
            children = psutil.Process(runner["pid"]).children()
        except psutil.Error:
            return None
        return children[0].pid if children else None

    def points_acknowledged(self, run):
        try:
            return os.path.getsize(os.path.join(self.acknowledged, run.id))
        except FileNotFoundError:
            return 0

    def wait(self, runs, seconds=120):
        """Look until all runs have ended; what is terminal once must be so for ever."""
        deadline = time.monotonic() + seconds
        waiting = list(runs)
        while waiting:
            assert time.monotonic() < deadline, [(run.id, run.get_status()) for run in waiting]
            waiting = [run for run in waiting if run.get_status() not in ("Completed", "Failed", "Canceled")]
            time.sleep(0.02)

    def check_kept(self, run):
        reader = RunReader(run.directory)
        reader.refresh()
        assert len(reader.series("loss").value) >= self.points_acknowledged(run)
        assert reader.series("loss").value.tolist() == [float(i) for i in range(len(reader.series("loss").value))]
        assert reader.skipped == 0
        assert reader.facts().state == run.get_status()

    def check_nothing_left(self, runs):
        ids = {run.id for run in runs}
        deadline = time.monotonic() + LOOK_S
        while True:
            left = []
            for process in psutil.process_iter():
                try:
                    if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(context.RUN_ID) in ids:
                        left.append(process)
                except (psutil.Error, OSError):
                    continue
            if not left:
                return
            assert time.monotonic() < deadline, left
            time.sleep(0.05)


def living(runs):
    return [run for run in runs if not os.path.exists(os.path.join(run.directory, "final.json"))]


def test_killed_scripts_are_failed_and_lose_no_point(fleet):
    runs = [fleet.submit(number) for number in range(RUNS)]
    killed = set()
    deadline = time.monotonic() + 120
    while living(runs):
        assert time.monotonic() < deadline
        fleet.pause(0.05)
        for run in living(runs):
            pid = fleet.script_of(run)
            if pid and fleet.random.random() < 0.3 and fleet.kill(pid):
                killed.add(run.id)
    for run in runs:
        fleet.check_kept(run)
        if run.get_status() == "Completed":
            assert fleet.points_acknowledged(run) == 60
        else:
            assert run.id in killed
            assert "SIGKILL" in run.get_details()["error"]["error"]["message"]
    assert len(killed) > RUNS // 4
    fleet.check_nothing_left(runs)


def test_killed_runners_make_failed_runs_at_once_and_leave_no_process(fleet):
    runs = [fleet.submit(number) for number in range(RUNS)]
    killed = set()
    deadline = time.monotonic() + 120
    while living(runs):
        assert time.monotonic() < deadline
        fleet.pause(0.05)
        for run in living(runs):
            runner = fleet.runner_of(run)
            if runner and fleet.random.random() < 0.3 and fleet.kill(runner["pid"], runner["start"]):
                killed.add(run.id)
                fleet.wait([run], LOOK_S)
    for run in runs:
        fleet.check_kept(run)
        if run.get_status() == "Failed":
            assert run.id in killed
            assert run.get_details()["error"]["error"]["code"] == "RunnerLost"
    assert len(killed) > RUNS // 4
    fleet.check_nothing_left(runs)


def test_killed_couriers_cost_nothing(fleet):
    stop = threading.Event()
    kills = []

    def kill_couriers():
        longest = 0.1
        while not stop.is_set():
            fleet.pause(longest)
            pid = fleet.courier_pid()
            if pid and fleet.kill(pid):
                kills.append(pid)
                longest = min(1.03 * longest, 2.0)  # a loaded machine's courier needs more than that to begin at all

    killer = threading.Thread(target=kill_couriers)
    killer.start()
    try:
        runs = []
        for number in range(RUNS):
            runs.append(fleet.submit(number))
            fleet.pause(0.02)
        deadline = time.monotonic() + 150
        while not all(run.get_status() == "Completed" for run in runs):
            assert time.monotonic() < deadline, [(run.id, run.get_status()) for run in runs]
            time.sleep(0.05)
    finally:
        stop.set()
        killer.join()
    for run in runs:
        fleet.check_kept(run)
        assert fleet.points_acknowledged(run) == 60
        assert len(os.listdir(os.path.join(run.directory, "attempts"))) == 1
    assert len(set(kills)) >= 5
    fleet.check_nothing_left(runs)


def test_killed_submitters_leave_runs_that_complete_or_say_that_they_were_never_queued(fleet):
    program = textwrap.dedent(
        f"""
        from amlnb import Experiment, ScriptRunConfig, Workspace
        experiment = Experiment(Workspace.from_config({os.getcwd()!r}), "kill")
        print("ready", flush=True)
        while True:
            experiment.submit(ScriptRunConfig({fleet.source!r}, "s.py", arguments=[{fleet.acknowledged!r}, "-"]))
        """
    )
    for _ in range(RUNS // 5):
        with open(os.path.join(fleet.cache, "submitter.log"), "a", encoding="utf-8") as log:
            submitter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=log, text=True)
            submitter.stdout.readline()
            fleet.pause(0.05)
            submitter.kill()
            submitter.wait()
            submitter.stdout.close()
    runs = list(fleet.workspace.experiments["kill"].get_runs())
    fleet.wait(runs)
    for run in runs:
        fleet.check_kept(run)
        if run.get_status() == "Failed":
            assert run.get_details()["error"]["error"]["code"] == "NotQueued"
        else:
            assert run.get_status() == "Completed"
            assert fleet.points_acknowledged(run) == 60
    assert len(runs) >= RUNS // 5
    fleet.check_nothing_left(runs)
