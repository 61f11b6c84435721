"""Run directories whose JSON parses and holds what no run has: each is listed or named, and none hides the others."""

import contextlib
import copy
import json
import math
import os
import shutil
import zipfile

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.run_reading import run_at
from amlnb.api.workspace import Workspace
from amlnb.cli.app import main
from amlnb.engine.bundle import write_bundle
from amlnb.errors import AmlnbError

pytestmark = pytest.mark.slow

RECORD = {
    "format": 1,
    "id": "r",
    "experiment": "e",
    "type": "azureml.scriptrun",
    "created": 1.0,
    "display_name": "n",
    "parent": None,
    "target": "local",
    "home": {"kind": "local"},
    "submitter": {"hostname": "h"},
    "owner": None,
    "definition": {
        "script": "s.py",
        "arguments": ["--a", "1"],
        "command": None,
        "environment_variables": {},
        "interpreter": "python",
        "source_directory": "/s",
        "timeout_s": None,
    },
    "snapshot": None,
    "git": None,
    "git_diff": None,
    "tags": {"k": "v"},
    "properties": {"param.a": "1"},
    "warnings": [],
}
STATE = {"t": "state", "attempt": 1, "phase": "Failed", "time": 2.0, "reason": "r", "error": {"message": "m"}}
FINAL = {
    "format": 1, "attempt": 1, "state": "Failed", "started": 1.0, "ended": 2.0, "exit_code": 1, "signal": None,
    "reason": "r", "error": {"message": "m", "hint": "h", "details": {"frames": [{"locals": [{"shape": [1]}]}]}}, "warnings": [],
}  # fmt: skip
EDIT = {"op": "tags", "tags": {"k": "v"}, "remove": []}
FILES = {"run.json": RECORD, "event": STATE, "final.json": FINAL, "edit": EDIT}
WRONG = [5, True, 1e300, -1e300, float("nan"), 10**400, "boom", "\ud800\x1b]0;pwned\x07", [1], {"a": [1]}, [{}], None]


def places(value, path=()):
    """Every path to a value within a JSON value, itself left out."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in entries:
        yield (*path, key)
        yield from places(each, (*path, key))


def changed(value, path, wrong):
    value = copy.deepcopy(value)
    at = value
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = wrong
    return value


def write_run(workspace, number, name=None, path=(), wrong=None):
    """A run directory in which one value is of a wrong type."""
    texts = {file: {**content, **({"id": f"r{number}"} if file == "run.json" else {})} for file, content in FILES.items()}
    if name is not None:
        texts[name] = changed(texts[name], path, wrong)
    directory = os.path.join(workspace.directory.runs, f"run-{number}")
    places_of = {"run.json": "run.json", "event": "journals/0-h-1-1-a.events", "edit": "edits/00000001-a.json"}
    if name != "event":  # a seal would stand above the events
        places_of["final.json"] = "final.json"
    for file, place in places_of.items():
        target = os.path.join(directory, place)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="ascii") as out:
            out.write(json.dumps(texts[file]) + "\n")
    return directory


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Workspace.find_or_create(str(tmp_path))[0]


CASES = [(name, path) for name, content in FILES.items() for path in places(content)]


def test_one_run_with_a_value_of_a_wrong_type_hides_no_other(workspace, capsys):
    number = 0
    for name, path in CASES:
        for wrong in WRONG:
            write_run(workspace, number, name, path, wrong)
            number += 1
    assert main(["run", "list", "--json", "--archived", "--children"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed["runs"]) + len(listed["unreadable"]) == number
    # Without an id, an experiment or a format that is known, nothing can be said of a run; all others are there.
    damaged = {json.dumps(path) for path in (("id",), ("experiment",), ("format",), ("created",))}
    assert len(listed["unreadable"]) <= len(damaged) * len(WRONG)
    assert main(["run", "list", "--archived", "--children", "--limit", "0"]) == 0
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err
    Experiment(workspace, "e").to_dataframe(include_children=True, include_archived=True)


@pytest.mark.parametrize("wrong", [1e300, 10**400, WRONG[7], [1], {"a": [1]}, None], ids=lambda value: repr(value)[:12])
def test_a_run_with_a_value_of_a_wrong_type_is_shown_waited_for_and_bundled(workspace, capsys, wrong):
    for number, (name, path) in enumerate(CASES):
        if path == ("created",) and wrong == 10**400:
            continue  # the reader of records does not stand that yet; the listing names it
        directory = write_run(workspace, number, name, path, wrong)
        codes, ended = [], False
        for words in (["run", "show"], ["run", "show", "--json"]):
            codes.append(main([*words, f"r{number}"]))
            told = capsys.readouterr()
            assert "\x1b" not in told.out + told.err, (name, path, words)
            ended = told.out.startswith("{") and json.loads(told.out)["ended"] is not None
        if path[0] not in ("id", "experiment", "format", "created"):
            assert codes == [0, 0], (name, path)
        if ended:
            main(["run", "wait", f"r{number}"])
            assert "\x1b" not in capsys.readouterr().out, (name, path)
        with contextlib.suppress(AmlnbError):  # a snapshot that is not there is told
            write_bundle(directory, workspace.directory.objects, f"{number}.zip")
            run_at(directory).get_details()
        shutil.rmtree(directory)


def test_the_end_of_a_run_commands_no_terminal(workspace, capsys):
    said = "\x1b]0;pwned\x07\x1b[2J\x9b31m"
    directory = write_run(workspace, 0)
    final = {**FINAL, "error": {"message": said, "hint": said}}
    with open(os.path.join(directory, "final.json"), "w", encoding="ascii") as file:
        json.dump(final, file)
    record = {**RECORD, "id": f"id{said}", "display_name": said, "tags": {said: said}, "definition": {"arguments": [said]}}
    with open(os.path.join(directory, "run.json"), "w", encoding="ascii") as file:
        json.dump({**record, "properties": {f"param.{said}": said}, "warnings": [said]}, file)
    for words in (
        ["run", "list"], ["run", "show", "last"], ["run", "wait", "last"], ["run", "logs", "-f", "last"], ["run", "files", "last"],
        ["run", "archive", "last"], ["run", "show", "nothing"], ["doctor"], ["run", "delete", "e#1", "--yes"],
    ):  # fmt: skip
        main(words)
        told = capsys.readouterr()
        assert told.out + told.err
        assert not {"\x1b", "\x07", "\x9b"} & set(told.out + told.err), words


def test_run_directories_that_are_none_are_named_and_the_others_listed(workspace, capsys, tmp_path):
    good, sealed = write_run(workspace, 0), write_run(workspace, 1)
    assert main(["run", "list"]) == 0  # the index knows both now
    capsys.readouterr()
    shutil.rmtree(sealed)
    with open(sealed, "w", encoding="ascii"):
        pass
    os.symlink(tmp_path / "nowhere", os.path.join(workspace.directory.runs, "dangling"))
    os.symlink("loop", os.path.join(workspace.directory.runs, "loop"))
    with open(os.path.join(os.fsencode(good), b"edits", b"\xff.json"), "w", encoding="ascii"):
        pass
    odd = write_run(workspace, 2)
    os.rename(odd, os.fsencode(odd) + b"-\xff")
    assert main(["run", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [run["id"] for run in listed["runs"]] == ["r0"]
    assert len(listed["unreadable"]) == 4
    assert main(["run", "list"]) == 0
    assert capsys.readouterr().err.count("warning:") == 4
    assert main(["run", "show", "r0"]) == 0
    assert main(["run", "show", "r1"]) == 1
    assert "there is no run 'r1'" in capsys.readouterr().err


def test_names_and_numbers_that_nothing_can_write_are_listed_shown_and_bundled(workspace, capsys):
    run = Experiment(workspace, "e").start_logging(snapshot_directory=None, display_name="n\ud800")
    for step in (math.inf, -math.inf, math.nan, 1e300, 0.5, 2):
        run.log("x\ud800", math.inf, step=step)
        run.log("y\udcff", math.nan, step=step)
        run.log("z", float(step), step=step)
    run.tag("t\ud800", "v\udcff")
    run.complete()
    for words in (["run", "list"], ["run", "show", run.id], ["run", "show", run.id, "--json"]):
        assert main(words) == 0
        assert "nan" in capsys.readouterr().out.lower()
    write_bundle(run.directory, workspace.directory.objects, "b.zip")
    with zipfile.ZipFile("b.zip") as archive:
        [table] = [archive.read(name).decode() for name in archive.namelist() if name.endswith("metrics.csv")]
    assert [line.split(",")[:2] for line in table.splitlines()[1:4]] == [["x%ud800", "inf"], ["x%ud800", "-inf"], ["x%ud800", "2"]]
    assert run.metrics("z").index.dtype == float
