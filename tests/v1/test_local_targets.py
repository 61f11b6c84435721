"""Names for this machine: targets that v1 code made, and those that it only names."""

import json
import os
import sys

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.api.workspace import Workspace
from amlnb.cli.app import main as command
from amlnb.engine import queue, targets
from amlnb.engine.submit import prepare
from amlnb.errors import ComputeTargetException

CLUSTER = {"kind": "local", "type": "AmlCompute", "vm_size": "STANDARD_D2_V2"}


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("print('hello')")
    return Workspace.find_or_create(str(tmp_path))[0]


def prepared(workspace, target):
    return prepare(ScriptRunConfig(".", "train.py", compute_target=target).to_spec("e"), workspace.directory)


def test_a_named_target_of_this_machine_is_this_machine_under_its_name(workspace):
    targets.write(workspace.directory.path, "cpu-cluster", CLUSTER)
    run = Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py", compute_target="cpu-cluster"))
    name = next((each for each in queue.names() if queue.read(each).run_id == run.id), None)
    assert name is None or queue.read(name).target == "local"
    details = run.wait_for_completion()
    assert (details["status"], details["target"], details["warnings"]) == ("Completed", "cpu-cluster", [])
    assert details["runDefinition"]["target"] == "cpu-cluster"


def test_a_cluster_that_was_never_made_is_this_machine_and_that_is_told(workspace):
    found = prepared(workspace, "gpu-cluster")
    assert (found.target, found.record["target"]) == ({"kind": "local"}, "gpu-cluster")
    assert found.record["home"] == {"kind": "local"}
    assert found.record["definition"]["interpreter"] == sys.executable
    (told,) = found.record["warnings"]
    assert "'gpu-cluster' was never made here, so this run is on this machine" in told
    assert "amlnb target add gpu-cluster --host HOST" in told


def test_what_is_told_of_a_run_is_printed_once_when_it_is_submitted(workspace, capsys):
    config = ScriptRunConfig(".", "train.py", compute_target="gpu-cluster", resume_from=3)
    run = Experiment(workspace, "e").submit(config)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "Warning: resume_from has no effect: the run starts anew"
    assert told[1].startswith("Warning: the compute target 'gpu-cluster' was never made here")
    assert len(told) == 2
    run.wait_for_completion()


@pytest.mark.parametrize(
    ("asked", "there", "told"),
    [
        ("gpu-bx", {"gpu-box": {"kind": "ssh", "host": "gpu"}}, "did you mean 'gpu-box'?"),
        ("gpu-bx", {"gpu-box": CLUSTER}, None),
        ("locla", {}, "did you mean 'local'?"),
        ("cpu-cluster", {"box": {"kind": "ssh", "host": "box"}}, None),
        ("box", {"box": {"kind": "ssh", "host": "box"}}, None),
    ],
)
def test_a_slip_in_the_name_of_another_machine_is_an_error(workspace, asked, there, told):
    for name, definition in there.items():
        targets.write(workspace.directory.path, name, definition)
    if told is None:
        assert prepared(workspace, asked).record["target"] == asked
        return
    with pytest.raises(ComputeTargetException, match="ComputeTargetNotFound") as raised:
        prepared(workspace, asked)
    assert raised.value.hint == told


@pytest.mark.parametrize(
    ("name", "meant", "is_one"),
    [
        ("gpu-bx", "gpu-box", True),
        ("gpu-boxx", "gpu-box", True),
        ("gpu-obx", "gpu-box", True),
        ("gpu-bix", "gpu-box", True),
        ("GPU_Box", "gpu-box", True),
        ("locla", "local", True),
        ("cpu-box", "gpu-box", False),
        ("cpu-cluster", "gpu-cluster", False),
        ("gpu-box2", "gpu-box", False),
        ("gpu-box1", "gpu-box2", False),
        ("cluster-a", "cluster-b", False),
        ("cluster-a", "cluster", False),
        ("gpu", "gpu-box", False),
        ("x", "y", False),
    ],
)
def test_a_slip_of_the_pen(name, meant, is_one):
    assert targets.is_slip(name, meant) == is_one


def test_what_a_person_types_stays_strict(workspace, capsys):
    assert command(["submit", "--target", "cpu-cluster", "train.py"]) == 1
    assert "there is no compute target 'cpu-cluster'" in capsys.readouterr().err


def test_a_rerun_stays_on_the_machine_where_the_run_was(workspace, capsys):
    run = Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py", compute_target="gone"))
    run.wait_for_completion()
    targets.write(workspace.directory.path, "gone", {"kind": "ssh", "host": "elsewhere.invalid"})
    capsys.readouterr()
    assert command(["run", "rerun", "--wait", "--json", run.id]) == 0
    assert json.loads(capsys.readouterr().out)["target"] == "gone"
    assert command(["run", "delete", "--yes", run.id]) == 0
    assert "homes" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "definition", "told"),
    [
        ("local", CLUSTER, "'local' cannot be the name"),
        ("a b", CLUSTER, "'a b' cannot be the name"),
        ("slurm", {"kind": "slurm"}, "of kind 'slurm' are not known"),
    ],
)
def test_what_cannot_be_a_target(workspace, name, definition, told):
    with pytest.raises(ComputeTargetException, match=told):
        targets.write(workspace.directory.path, name, definition)
    assert os.listdir(workspace.directory.targets) == []


def test_the_command_line_tells_of_names_for_this_machine(workspace, capsys):
    targets.write(workspace.directory.path, "cpu-cluster", CLUSTER)
    assert command(["target", "list"]) == 0
    assert "cpu-cluster  local  this machine" in " ".join(capsys.readouterr().out.split("\n")).replace("   ", "  ")
    assert command(["submit", "--target", "cpu-cluster", "--env", sys.executable, "--wait", "train.py"]) == 0
