"""What a widget's page asks of the kernel: the same routes, without a network."""

import json
import os

import psutil
import pytest

from amlnb.store.known_workspaces import key_of

pytest.importorskip("anywidget")

from amlnb.widget.page_server import PageServer

pytestmark = pytest.mark.slow


@pytest.fixture
def ask(workspace, make_run):
    directory = make_run("r/1", metrics={"loss": [1.0]})
    os.makedirs(os.path.join(directory, "work", "outputs"))
    for name, size in (("small", 1000), ("large", 9_000_000)):
        with open(os.path.join(directory, "work", "outputs", name), "wb") as file:
            file.truncate(size)
    server = PageServer(workspace.path)
    return lambda method, path, body=b"": server.answer(method, f"w/{key_of(workspace.path)}/{path}", body)


def test_routes_are_answered(ask):
    assert json.loads(ask("GET", "runs/r%2F1").data)["id"] == "r/1"
    assert json.loads(ask("PATCH", "runs/r%2F1", b'{"name": "a name"}').data)["name"] == "a name"
    assert ask("GET", "runs/r%2F1/series?name=loss").content_type == "application/octet-stream"
    assert ask("GET", "nothing").status == 404
    assert ask("GET", "runs?limit=x").status == 400


def test_a_file_comes_whole_or_not_at_all(ask):
    assert ask("GET", "runs/r%2F1/download?name=outputs/small").data == bytes(1000)
    refused = ask("GET", "runs/r%2F1/download?name=outputs/large")
    assert refused.status == 413
    assert json.loads(refused.data) == {
        "message": "the file has 9,000,000 bytes, and a widget passes 8,388,608",
        "hint": "the run's download_file gets it",
    }
    assert not [opened.path for opened in psutil.Process().open_files() if opened.path.endswith("outputs/large")]
