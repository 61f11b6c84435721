"""``RunDetails``: v1's way to look at a run."""

import json
import os
import subprocess
import sys

import nbformat
import pytest

from amlnb import RunDetails
from amlnb.api.experiment import Experiment
from amlnb.api.run_outputs import RUN_MIME
from amlnb.api.workspace import Workspace
from amlnb.core import states

KEYS = {
    "status",
    "workbench_run_details_uri",
    "run_id",
    "run_properties",
    "child_runs",
    "children_metrics",
    "run_metrics",
    "run_logs",
    "widget_settings",
    "loading",
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.find_or_create(str(tmp_path))[0]
    return Experiment(workspace, "details").start_logging(snapshot_directory=None)


def test_it_has_v1_s_name(run):
    from azureml.widgets import RunDetails as OfV1

    assert OfV1 is RunDetails


def test_in_a_script_it_prints_until_the_end_and_returns(run, capsys):
    run.log("loss", 0.5)
    child = run.child_run("fold 1")
    child.log("loss", 0.25)
    child.complete()
    run.complete()
    RunDetails(run).show()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"amlnb: run {run.id} Completed, ")
    assert lines[1].startswith("✓ Completed  run ")
    assert lines[-1].startswith(f"  child run {child.id} Completed, ")
    assert lines[-1].endswith("loss 0.2500")


def test_of_a_failed_run_the_reason_is_printed_and_nothing_raised(run, capsys):
    run.fail("it broke")
    RunDetails(run).show()
    assert "it broke" in capsys.readouterr().out


def test_of_very_many_children_the_first_are_named(run, capsys):
    for _ in range(25):
        run.child_run().complete()
    run.complete()
    RunDetails(run).show()
    assert capsys.readouterr().out.endswith("  and 5 more child runs\n")


def test_a_run_that_cannot_be_read_is_told_and_raises_nothing(run, capsys):
    run.complete()
    os.rename(run.directory, run.directory + ".away")
    RunDetails(run).show()
    assert "cannot be shown" in capsys.readouterr().err


def test_v1_s_switch_shows_nothing(run, monkeypatch, capsys):
    monkeypatch.setenv("AMLWIDGET_RENDER", "0")
    RunDetails(run).show(render_lib=None, widget_settings={})
    assert capsys.readouterr().out == ""
    run.complete()


def test_the_widget_s_data_have_v1_s_keys(run):
    run.log("loss", 0.5)
    run.tag("a", "b")
    child = run.child_run("fold 1")
    child.log("loss", 0.25)
    child.complete()
    run.complete()
    data = RunDetails(run).get_widget_data(widget_settings={"send_telemetry": False})
    assert set(data) == KEYS
    assert (data["status"], data["run_id"], data["loading"]) == (states.COMPLETED, run.id, False)
    assert data["run_metrics"] == {"loss": 0.5}
    assert data["run_properties"]["tags"] == {"a": "b"}
    assert [found["run_name"] for found in data["child_runs"]] == ["fold 1"]
    assert data["children_metrics"] == {child.id: {"loss": 0.25}}
    assert data["run_logs"] == ""
    json.dumps(data)


CELL = """
import amlnb
from azureml.core import ScriptRunConfig, Experiment
from azureml.widgets import RunDetails
workspace, _ = amlnb.Workspace.find_or_create(".")
with open("train.py", "w") as file:
    file.write("import amlnb\\namlnb.log(loss=0.5)\\nweights = 3\\nraise ValueError('boom')\\n")
run = Experiment(workspace, "details").submit(ScriptRunConfig(".", "train.py"))
RunDetails(run).show()
print("the notebook goes on")
"""


@pytest.mark.notebook
def test_in_nbconvert_it_waits_for_the_end_and_a_failed_run_stops_nothing(tmp_path):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    nbformat.write(made, tmp_path / "a.ipynb")
    convert = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", "a.ipynb"]
    done = subprocess.run(convert, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outputs = nbformat.read(tmp_path / "a.ipynb", 4).cells[0].outputs
    bundles = [output.data for output in outputs if output.output_type == "display_data"]
    assert bundles[0][RUN_MIME]["state"] == "Failed"
    assert "ValueError: boom" in bundles[0]["text/plain"]
    assert "values at train.py, line 4" in bundles[0]["text/plain"]
    assert "weights  int  3" in bundles[0]["text/plain"]
    assert "weights" in bundles[1]["text/html"]
    assert [output.text for output in outputs if output.output_type == "stream"][-1].endswith("the notebook goes on\n")
