"""The kernel as a server of pages: the same routes and stream as those of Jupyter, over a widget's messages."""

import json
import threading
import time

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.workspace import Workspace
from amlnb.errors import UserErrorException
from amlnb.widget import MetricPlot, RunTable, RunWidget
from amlnb.widget.page_server import PageServer

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Workspace.find_or_create(str(tmp_path))[0]


@pytest.fixture
def run(workspace):
    return Experiment(workspace, "tests").start_logging(display_name="first")


def until(happened, seconds=120):
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_answers_the_routes(workspace, run):
    run.complete()
    server = PageServer(workspace.directory.path)
    told = server.answer("GET", f"w/{server.key}/runs?sort=created&descending=true", b"")
    assert (told.status, json.loads(told.data)["runs"][0]["name"]) == (200, "first")
    renamed = server.answer("PATCH", f"w/{server.key}/runs/{run.id}", b'{"name": "second"}')
    assert json.loads(renamed.data)["name"] == "second"


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "nothing", 404),
        ("PUT", "about", 404),
        ("GET", "w/of-nobody/runs", 404),
        ("GET", "", 404),
        ("PATCH", "w/{key}/runs/{run}", 400),
        ("GET", "w/{key}/runs?limit=many", 400),
        ("GET", "w/{key}/runs/..%2F..%2Fetc", 404),
    ],
)
def test_what_cannot_be_answered_is_an_answer_too(workspace, run, method, address, status):
    run.complete()
    server = PageServer(workspace.directory.path)
    told = server.answer(method, address.format(key=server.key, run=run.id), b"no JSON")
    assert told.status == status
    assert json.loads(told.data)["message"]


def test_a_stream_brings_points_as_they_are_logged(workspace, run):
    server = PageServer(workspace.directory.path)
    messages, opened = [], threading.Event()
    sessions = []
    server.open_stream(messages.append, lambda: None, lambda session: (sessions.append(session), opened.set()))
    assert opened.wait(120)
    request = {"op": "subscribe", "sub": 1, "workspace": server.key, "run": run.id, "points": 100}
    server.loop.call_soon_threadsafe(sessions[0].receive, json.dumps(request))
    run.log("loss", 1.0)
    until(lambda: any(isinstance(message, bytes) for message in messages))
    assert any('"t": "run"' in message or '"t":"run"' in message for message in messages if isinstance(message, str))
    server.loop.call_soon_threadsafe(sessions[0].close)
    run.complete()


def test_traits_follow_the_run(run):
    widget, plot = RunWidget(run), MetricPlot(run, "loss")
    seen = []
    plot.observe(lambda change: seen.append(change.new), "points")
    for step in range(5):
        run.log("loss", step / 2, step=step)
    until(lambda: plot.points == 5)
    assert plot.value == 2.0
    assert plot.curve == ([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 0.5, 1.0, 1.5, 2.0])
    run.complete()
    until(lambda: widget.state == plot.state == "Completed")
    assert widget.metrics == {"loss": 2.0}
    assert seen == sorted(seen)
    widget.close()
    plot.close()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda run: RunWidget("run"), "a str cannot be shown"),
        (lambda run: MetricPlot(run, ""), "'' names no metric"),
        (lambda run: MetricPlot(run, 3), "3 names no metric"),
        (RunTable, "a Run has no table of runs"),
    ],
)
def test_what_is_no_run_is_said(run, make, told):
    run.complete()
    with pytest.raises(UserErrorException, match=told):
        make(run)
