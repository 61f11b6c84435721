"""What pages ask of a widget, and leave behind."""

import json
import os

import psutil
import pytest

from amlnb.api.workspace import Workspace

pytest.importorskip("anywidget")

from amlnb.widget import RunTable
from amlnb.widget.page_server import PageServer
from tests.server.conftest import wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def ask(workspace, make_run):
    directory = make_run("r/1", metrics={"loss": [1.0]})
    os.makedirs(os.path.join(directory, "work", "outputs"))
    for name, size in (("small", 1000), ("large", 9_000_000)):
        with open(os.path.join(directory, "work", "outputs", name), "wb") as file:
            file.truncate(size)
    server = PageServer(workspace.path)
    return lambda path: server.answer("GET", f"w/{server.key}/runs/r%2F1/{path}", b"")


def test_a_file_comes_whole_or_not_at_all(ask):
    assert ask("download?name=outputs/small").data == bytes(1000)
    refused = ask("download?name=outputs/large")
    assert refused.status == 413
    assert json.loads(refused.data) == {
        "message": "the file has 9,000,000 bytes, and a widget passes 8,388,608",
        "hint": "the run's download_file gets it",
    }
    assert not [opened.path for opened in psutil.Process().open_files() if opened.path.endswith("outputs/large")]


def test_streams_of_pages_that_are_gone_end(workspace, project):
    widget = RunTable(Workspace.find_or_create(str(project))[0])
    for number in (1, 2, 3):
        widget._on_message(widget, {"kind": "open", "id": number}, [])
    wait_until(lambda: len(widget._streams) == 3)
    first, second, _ = sessions = list(widget._streams.values())
    widget._on_message(widget, {"kind": "open", "id": 2}, [])  # the page was loaded again
    wait_until(second._sending.done)
    assert not first._sending.done()
    for number in range(10, 26):
        widget._on_message(widget, {"kind": "open", "id": number}, [])
    wait_until(lambda: all(session._sending.done() for session in sessions))
    assert set(widget._streams) == set(range(10, 26))
    widget.close()
    wait_until(lambda: not widget._streams)


def test_a_page_is_told_that_its_stream_is_open_and_its_kernel_there(workspace, project, monkeypatch):
    monkeypatch.setattr("amlnb.widget.widgets._BEAT_S", 0.01)
    widget = RunTable(Workspace.find_or_create(str(project))[0])
    told = []
    monkeypatch.setattr(widget, "send", lambda content, buffers=None: told.append(content))
    widget._on_message(widget, {"kind": "open", "id": 1}, [])
    wait_until(lambda: told.count({"kind": "alive"}) > 2)
    assert told[0] == {"kind": "opened", "id": 1}
    widget._on_message(widget, {"kind": "end", "id": 1}, [])
    wait_until(widget._beating.done)
