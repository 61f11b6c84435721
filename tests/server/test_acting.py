"""What pages do to runs, and what they submit."""

import json
import sys
import time

import pytest

from amlnb.core import states
from amlnb.server.answering import answer
from amlnb.server.submitting import kernel_python
from amlnb.server.table import ROUTES

NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "metadata": {"tags": ["parameters"]},
            "source": "rate = 0.1  # step\nname = 'adam'\nflag: bool = True\n",
            "outputs": [],
            "execution_count": None,
        }
    ],
    "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}},
    "nbformat": 4,
    "nbformat_minor": 4,
}


def test_a_run_is_renamed_tagged_and_archived(api, make_run, key):
    make_run("r", tags={"old": "1"})
    told = api.json("PATCH", f"w/{key}/runs/r", {"name": "best", "tags": {"a": "1", "b": None}, "remove_tags": ["old"]})
    assert (told["name"], told["tags"]) == ("best", {"a": "1", "b": None})
    assert api.json("PATCH", f"w/{key}/runs/r", {"archived": True})["archived"] is True
    assert api.get(f"w/{key}/runs")["total"] == 0
    assert api.json("PATCH", f"w/{key}/runs/r", {"archived": False, "name": None})["name"] in (None, "")


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({}, "give name"),
        ({"name": 3}, "a text of at most"),
        ({"nam": "x"}, "did you mean 'name'"),
        ({"archived": "yes"}, "true or false"),
        ({"tags": []}, "an object"),
        ({"tags": {"a": 1}}, "an object"),
        ({"name": "x" * 301}, "at most 300"),
        ([1], "JSON object"),
        ({"remove_tags": "a"}, "a list"),
    ],
)
def test_a_change_that_is_none_is_refused(api, make_run, key, body, hint):
    make_run("r")
    status, told = api.refused(f"w/{key}/runs/r", "PATCH", body)
    assert status == 400
    assert hint in told["hint"]


def test_a_body_that_is_too_large_or_no_json_is_refused(served, make_run, key):
    make_run("r")
    route = next(route for route in ROUTES if route.method == "PATCH")
    for body, status in ((b'{"name": "' + b"x" * (1 << 20) + b'"}', 413), (b"{", 400), (b"[" * 100_000, 400)):
        assert answer(served, route, [key, "r"], {}, body, {}).status == status


def test_a_run_is_deleted_with_its_children_only_if_asked(api, make_run, key):
    make_run("parent", created=1)
    make_run("child", created=2, parent="parent")
    status, told = api.refused(f"w/{key}/runs/parent", "DELETE")
    assert (status, told["hint"]) == (400, "children=1 deletes them too")
    assert api.ask("DELETE", f"w/{key}/runs/parent", children=1).status == 204
    assert api.get(f"w/{key}/runs", archived=1)["total"] == 0
    assert api.refused(f"w/{key}/runs/parent", "DELETE")[0] == 404


def test_a_run_that_goes_on_is_not_deleted(api, make_run, key):
    make_run("r", state=None)
    status, told = api.refused(f"w/{key}/runs/r", "DELETE")
    assert status == 400
    assert "cannot be deleted" in told["message"]


def test_a_run_of_a_process_is_canceled_and_cannot_run_again(api, make_run, key):
    from amlnb import host

    make_run("r", state=None, owner=host.this_process())
    assert api.json("POST", f"w/{key}/runs/r/cancel", {})["state"] == "Canceled"
    assert api.refused(f"w/{key}/runs/r/resubmit", "POST", {})[0] == 400


def test_what_can_be_done_is_told(api, make_run, key):
    make_run("ended", definition={"script": "x"}, snapshot="0" * 64)
    make_run("going", state=None)
    assert api.get(f"w/{key}/runs/ended")["can"] == ["resubmit", "rename", "tag", "archive", "delete"]
    assert api.get(f"w/{key}/runs/going")["can"] == ["cancel", "rename", "tag", "archive"]


def test_parameters_of_a_notebook_are_told(api, project):
    (project / "n.ipynb").write_text(json.dumps(NOTEBOOK))
    told = api.get("parameters?path=n.ipynb")["parameters"]
    assert [(each["name"], each["value"], each["type"]) for each in told] == [
        ("rate", "0.1", "float"), ("name", "adam", "str"), ("flag", "True", "bool"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "status"), [("missing.ipynb", 404), ("../n.ipynb", 400), ("a.txt", 400), ("", 404), ("deep", 404)]
)
def test_parameters_of_what_is_no_notebook_are_refused(api, project, path, status):
    (project / "a.txt").write_text("x")
    (project / "deep").mkdir()
    assert api.refused(f"parameters?path={path}")[0] == status


def test_choices_are_those_of_the_folder(api, project, workspace):
    (project / "requirements.txt").write_text("numpy\n")
    workspace.make_experiment("first")
    told = api.get("choices")
    assert told["targets"] == [{"name": "local", "type": "local"}]
    assert told["environments"][0] == "requirements.txt"
    assert told["experiments"] == ["first"]


@pytest.mark.slow
def test_a_script_is_submitted_runs_and_runs_again(api, project):
    (project / "deep").mkdir()
    (project / "deep" / "train.py").write_text("import sys\nprint(sys.argv[1:])\n")
    told = api.json("POST", "submissions", {"path": "deep/train.py", "arguments": "--lr '0.1'", "experiment": "e1"})
    run = ended(api, told)
    assert (run["state"], run["experiment"], run["parameters"]) == ("Completed", "e1", {"lr": "0.1"})
    log = api.get(f"w/{told['workspace']}/runs/{told['run']}/log")
    assert [line["text"] for line in log["lines"]] == ["['--lr', '0.1']"]
    again = api.json("POST", f"w/{told['workspace']}/runs/{told['run']}/resubmit", {})
    assert ended(api, again)["properties"]["amlnb.rerun_of"] == told["run"]


@pytest.mark.slow
def test_a_run_fails_and_tells_where_with_which_values(api, project):
    (project / "train.py").write_text("def loss(rate):\n    wanted = rate * 2\n    return wanted / 0\n\nloss(3)\n")
    told = api.json("POST", "submissions", {"path": "train.py"})
    failure = ended(api, told)["failure"]
    assert failure["code"]
    assert "division by zero" in failure["message"]
    frame = failure["frames"][0]
    assert (frame["file"], frame["function"], frame["line"]) == ("train.py", "loss", 3)
    assert {"name": "wanted", "type": "int", "value": "6"} in frame["locals"]


def test_the_python_of_a_notebooks_kernel_is_known(project, tmp_path, monkeypatch):
    python = tmp_path / "other" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    for name, program in (("other", str(python)), ("same", sys.executable), ("relative", "python")):
        folder = tmp_path / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        argv = [program, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        (folder / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": name, "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    for name, expected in (("other", str(python)), ("same", None), ("relative", None), ("gone", None), (3, None)):
        kernelspec = {"name": name, "language": "python", "display_name": "x"}
        (project / "n.ipynb").write_text(json.dumps({**NOTEBOOK, "metadata": {"kernelspec": kernelspec}}))
        assert kernel_python(str(project / "n.ipynb")) == expected


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"path": "missing.py"}, 404),
        ({"path": "../../etc/passwd"}, 400),
        ({"path": "a.txt"}, 400),
        ({"path": "train.py", "target": "nowhere"}, 400),
        ({"path": "train.py", "environment": "missing.yml"}, 400),
        ({"path": "train.py", "experiment": "a/b"}, 400),
        ({}, 400),
        ({"path": "n.ipynb", "parameters": {"a": "\u0000"}}, 400),
        ({"path": "train.py", "parameters": {"a": "1"}}, 400),
        ({"path": "train.py", "arguments": "--name 'open"}, 400),
        ({"path": "train.py", "arguments": "\u0000"}, 400),
        ({"path": "n.ipynb", "arguments": "--rate 1"}, 400),
    ],
)
def test_a_submission_that_cannot_run_is_refused(api, project, workspace, body, status):
    (project / "train.py").write_text("pass\n")
    (project / "a.txt").write_text("pass\n")
    (project / "n.ipynb").write_text(json.dumps(NOTEBOOK))
    assert api.refused("submissions", "POST", body)[0] == status


def test_what_is_refused_for_its_experiments_name_makes_no_workspace(api, project):
    (project / "train.py").write_text("pass\n")
    status, told = api.refused("submissions", "POST", {"path": "train.py", "experiment": "a b"})
    assert (status, "' ' is no letter" in told["message"]) == (400, True)
    assert not (project / ".amlnb").exists()


def ended(api, told):
    end = time.monotonic() + 120
    while True:
        run = api.get(f"w/{told['workspace']}/runs/{told['run']}")
        if states.is_terminal(run["state"]):
            return run
        assert time.monotonic() < end, run
        time.sleep(0.05)


@pytest.mark.notebook
def test_a_notebook_is_submitted_with_its_parameters(api, project):
    (project / "n.ipynb").write_text(json.dumps(NOTEBOOK))
    told = api.json("POST", "submissions", {"path": "n.ipynb", "parameters": {"rate": "0.5"}})
    run = ended(api, told)
    assert (run["state"], run["experiment"], run["parameters"]["rate"]) == ("Completed", "n", "0.5")
    assert api.refused("submissions", "POST", {"path": "n.ipynb", "parameters": {"rat": "0.5"}})[0] == 400
