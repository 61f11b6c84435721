"""The source of runs and how it differs; runs side by side; what was logged that is no curve."""

import os

import pytest

from amlnb import host
from amlnb.engine.snapshot import take_snapshot
from amlnb.store.objects import ObjectStore
from amlnb.tracking.tracked_run import TrackedRun


@pytest.fixture
def submitted(make_run, workspace, tmp_path):
    """Makes a run with source: ``{path: text}``, in a folder that stays."""
    source = tmp_path / "source"

    def make(run_id, files, **more):
        for path, text in files.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_text(text)
        snapshot = take_snapshot(str(source), ObjectStore(workspace.objects), host.cache_dir())
        definition = {"script": "train.py", "arguments": ["--lr", more.pop("lr", "1")], "source_directory": str(source)}
        make_run(run_id, snapshot=snapshot.id, definition=definition, **more)
        return source

    return make


def test_the_source_is_listed_and_read(api, submitted, key):
    submitted("r", {"train.py": "print(1)\n", "lib/a.py": "x = 1\n"})
    told = api.get(f"w/{key}/runs/r/code")
    assert (told["entry"], told["unknown"]) == ("train.py", "")
    assert [file["path"] for file in told["files"]] == ["lib/a.py", "train.py"]
    assert api.get(f"w/{key}/runs/r/code/text", path="lib/a.py")["text"] == "x = 1\n"
    for path in ("../run.json", "/etc/passwd", "lib"):
        assert api.refused(f"w/{key}/runs/r/code/text", path=path)[0] == 404


def test_a_run_without_source_says_so(api, make_run, key):
    make_run("r")
    assert api.get(f"w/{key}/runs/r/code")["unknown"]
    assert api.get(f"w/{key}/runs/r/code/diff")["unknown"]


def test_the_present_files_are_compared(api, submitted, key):
    source = submitted("r", {"train.py": "a\nb\n", "same.py": "x\n", "gone.py": "y\n"})
    assert api.get(f"w/{key}/runs/r/code/diff") == {"files": [], "same": 3, "unknown": ""}
    (source / "train.py").write_text("a\nc\n")
    (source / "gone.py").unlink()
    (source / "same.py").unlink()
    (source / "same.py").symlink_to("/etc/passwd")
    told = {file["path"]: file for file in api.get(f"w/{key}/runs/r/code/diff")["files"]}
    assert told["train.py"]["diff"][-2:] == ["-b", "+c"]
    assert told["gone.py"]["note"] == told["same.py"]["note"] == "it is not there any more"
    assert [file["path"] for file in api.get(f"w/{key}/runs/r/code/diff", path="train.py")["files"]] == ["train.py"]


def test_two_runs_are_compared(api, submitted, key):
    submitted("a", {"train.py": "a\n"}, created=1, lr="0.1", metrics={"loss": [1.0]})
    submitted("b", {"train.py": "b\n", "new.py": ""}, created=2, lr="0.2")
    told = api.get(f"w/{key}/runs/a/code/diff", against="b")
    assert {file["path"]: file["diff"][-2:] for file in told["files"]}["train.py"] == ["-a", "+b"]
    assert {file["path"] for file in told["files"]} == {"train.py", "new.py"}
    found = api.get(f"w/{key}/compare", run=["b", "a"])
    assert [run["id"] for run in found["runs"]] == ["b", "a"]
    assert [run["label"] for run in found["runs"]] == ["#2 b", "#1 a"]
    assert [run["parameters"]["lr"] for run in found["runs"]] == ["0.2", "0.1"]


@pytest.mark.parametrize("runs", [[], ["a"], ["a", "a"], [f"r{n}" for n in range(51)]])
def test_fewer_than_two_or_too_many_are_not_compared(api, make_run, key, runs):
    make_run("a")
    assert api.refused(f"w/{key}/compare", run=runs)[0] == 400


def test_what_is_no_curve_is_told(api, make_run, key):
    directory = make_run("r", state=None)
    run = TrackedRun(directory, "r", "e", "0")
    run.log("note", "hello")
    run.log("note", "again")
    run.log("loss", 0.5)
    run.log_row("confusion", predicted=1, actual=2)
    run.log_table("table", {"x": [1, 2], "y": ["a", "b"]})
    told = api.get(f"w/{key}/runs/r/metrics")
    assert "loss" in told["metrics"]
    logged = {each["name"]: each for each in told["logged"]}
    assert logged["note"]["values"] == ["hello", "again"]
    assert logged["confusion"]["rows"] == [["1", "2"]]
    assert logged["table"] == {
        "name": "table", "kind": "table", "columns": ["x", "y"], "rows": [["1", "a"], ["2", "b"]], "truncated": False,
    }  # fmt: skip


def test_names_that_are_html_stay_text(api, make_run, key):
    name = "<img src=x onerror=alert(1)>"
    directory = make_run("r", metrics={name: [1.0]}, tags={name: name})
    path = os.path.join(directory, "work", "outputs")
    os.makedirs(path)
    with open(os.path.join(path, "<b>.txt"), "w") as file:
        file.write(name)
    found = api.get(f"w/{key}/runs/r")
    assert name in found["metrics"]
    assert found["tags"] == {name: name}
    assert api.get(f"w/{key}/runs/r/preview", name="outputs/<b>.txt")["text"] == name


@pytest.mark.slow
def test_the_outputs_of_a_saved_notebook_are_made(api, make_run, key):
    make_run("r", metrics={"loss": [3.0, 2.0, 1.0]})
    told = api.get(f"w/{key}/runs/r/outputs")
    assert "image/png" in told["picture"]["data"]
    assert "text/html" in told["details"]["data"]
