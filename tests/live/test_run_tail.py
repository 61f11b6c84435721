import math
import os

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.workspace import Workspace
from amlnb.core import states
from amlnb.live.run_tail import RunTail
from amlnb.testing.store_contract import record
from amlnb.tracking.create import create_run
from amlnb.tracking.journal import JournalWriter


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.find_or_create(str(tmp_path))[0]
    return Experiment(workspace, "tail").start_logging(snapshot_directory=None, display_name="first")


def test_a_poll_shows_what_came_since(run):
    tail = RunTail(run.directory)
    assert tail.poll().metrics == {}
    for step in range(5):
        run.log("loss", 5.0 - step, step=step * 10)
    view = tail.poll()
    assert tail.changed
    assert view.series["loss"].x.tolist() == [0, 10, 20, 30, 40]
    assert (view.metrics["loss"].last, view.metrics["loss"].min, view.metrics["loss"].max) == (1, 1, 5)
    tail.poll()
    assert not tail.changed
    run.log("loss", math.nan, step=50)
    view = tail.poll()
    assert (view.metrics["loss"].count, view.metrics["loss"].max) == (6, 5)
    assert (view.state, view.name, view.experiment) == (states.RUNNING, "first", "tail")


def test_why_a_run_has_not_started_is_asked_until_it_has(tmp_path):
    directory = create_run(str(tmp_path), record("r1"))
    reasons = iter(["2 stand before it", "1 stands before it"])
    tail = RunTail(directory, waits=lambda run_id: f"{run_id}: {next(reasons)}")
    assert tail.poll().reason == "r1: 2 stand before it"
    assert tail.poll().reason == "r1: 1 stands before it"
    assert tail.changed
    writer = JournalWriter(directory, "0")
    writer.write_event({"t": "state", "attempt": 1, "phase": "Running", "time": 100.0})
    writer.close()
    assert tail.poll().reason is None


def test_the_end_of_a_run_is_seen_with_its_error(run):
    tail = RunTail(run.directory)
    run.log("loss", 1.0)
    run.fail("it broke", "Code")
    view = tail.poll()
    assert (view.state, tail.sealed) == (states.FAILED, True)
    assert "it broke" in view.error["message"]
    assert view.ended is not None


def test_time_passes_for_a_run_that_goes_on(run):
    now = [0.0]
    tail = RunTail(run.directory, clock=lambda: now[0])
    started = tail.poll().started
    now[0] = started + 42
    assert tail.poll().elapsed_s == pytest.approx(42)
    now[0] = started - 5  # a clock that was set back
    assert tail.poll().elapsed_s == 0


def test_many_points_are_made_few_and_the_summary_knows_all(run):
    tail = RunTail(run.directory, points=50)
    for value in range(2000):
        run.log("x", value)
    view = tail.poll()
    assert len(view.series["x"].y) <= 50
    assert view.metrics["x"].count == 2000


def test_very_many_names_are_counted_not_read(run):
    for number in range(300):
        run.log(f"m{number}", number)
    tail = RunTail(run.directory, metric_limit=10)
    view = tail.poll()
    assert (len(view.metrics), view.metric_count) == (10, 300)
    run.log("m3", -1)
    assert tail.poll().metrics["m3"].count == 2


def test_what_is_no_number_is_no_curve(run):
    run.log("word", "hello")
    run.log_table("table", {"a": [1, 2]})
    run.log_list("list", [1.0, 2.0, 3.0])
    view = RunTail(run.directory).poll()
    assert list(view.metrics) == ["list"]


def test_parameters_come_from_arguments_and_from_the_cell(run):
    tail = RunTail(run.directory)
    tail.reader.record["definition"] = {"arguments": ["--rate", 0.1, "--flag", "--name=x", "--sizes", "1", "2", "data"]}
    run.add_properties({"param.width": "8", "other": "1"})
    assert tail.poll().parameters == {"width": "8", "rate": "0.1", "flag": "", "name": "x", "sizes": "1 2 data"}


def test_a_damaged_journal_does_not_stop_the_view(run):
    run.log("loss", 1.0)
    run.log("loss", 0.5)
    folder = os.path.join(run.directory, "journals")
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "ab") as file:
            file.write(b"\xff torn")
    assert RunTail(run.directory).poll().metrics["loss"].count == 2
