"""What a submitted run does with itself, seen from both sides."""

from pathlib import Path

import pytest

from amlnb import Experiment, ScriptRunConfig, Workspace
from amlnb.api.model import Model

SCRIPT = """
import os
{before}
from azureml.core import Model, Run
run = Run.get_context()
assert run is Run.get_context()
with open("outputs/model.txt", "w") as file:
    file.write("weights")
model = run.register_model("net", "outputs/model.txt")
print("model", model.name, model.version)
with run.child_run("kid") as kid:
    print("said by the child")
    kid.log("x", 1)
run.complete()
run.cancel()
print(run.get_status(), run.parent, run.experiment.name, run.experiment.workspace.name)
{after}
"""


@pytest.fixture
def submitted(tmp_path, monkeypatch):
    """Submit the script and wait; its log, and the run."""
    monkeypatch.chdir(tmp_path)
    experiment = Experiment(Workspace.find_or_create()[0], "jobs")

    def submit(before="", after="", **more):
        Path("src").mkdir(exist_ok=True)
        Path("src/train.py").write_text(SCRIPT.format(before=before, after=after))
        run = experiment.submit(ScriptRunConfig("src", "train.py", **more))
        run.wait_for_completion(raise_on_error=False)
        return run, run.get_details_with_logs()["logFiles"].get("user_logs/std_log.txt", "").splitlines()

    return submit


def test_a_script_registers_has_children_and_does_not_end_itself(submitted):
    run, log = submitted()
    assert log == [
        "model net 1",
        "said by the child",
        "Warning: cancel() does nothing inside of the run itself",
        f"Running None jobs {run.experiment.workspace.name}",
    ]
    assert run.get_status() == "Completed"
    _check(run)


def test_what_needs_the_toolkit_works_where_it_is(submitted):
    after = """assert Run.get_submitted_run() is run
print(run.number, os.path.basename(run.restore_snapshot()).endswith(".zip"), len(list(run.experiment.get_runs())))
from azureml.core import Experiment
other = Experiment(run.experiment.workspace, "other")
other.start_logging(snapshot_directory=None).complete()
print(len(list(other.get_runs())), Run(Experiment(run.experiment.workspace, "jobs"), run.id).id == run.id)
print(run.get_portal_url().startswith("http"), run.get_environment().name, run.experiment.workspace.models["net"].version)"""
    run, log = submitted(after=after)
    assert log[-3:] == ["1 True 1", "1 True", f"True {run.get_environment().name} 1"]
    assert run.get_status() == "Completed"


@pytest.mark.parametrize("before", ["os.environ['AMLNB_RUN_ALONE'] = '1'"])
def test_what_is_left_by_a_script_that_sees_only_its_run_is_there_at_its_end(submitted, before):
    run, log = submitted(before)
    assert log[0] == "model net None"
    _check(run)


def _check(run):
    workspace = run.experiment.workspace
    model = Model(workspace, "net")
    assert (model.version, model.run_id, Path(model.download("got")).read_text()) == (1, run.id, "weights")
    (kid,) = run.get_children()
    assert (kid.get_status(), kid.get_metrics(), kid.display_name) == ("Completed", {"x": 1}, "kid")
    kid.download_file("logs/user_log.txt", "kid.txt")
    assert Path("kid.txt").read_text() == "said by the child\n"


def test_only_its_script_completes_a_submitted_run_and_its_client_may_fail_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("src").mkdir()
    Path("src/train.py").write_text("import time\ntime.sleep(600)")
    run = Experiment(Workspace.find_or_create()[0], "jobs").submit(ScriptRunConfig("src", "train.py"))
    run.complete()
    assert "it ends when its script does" in capsys.readouterr().out
    assert run.get_status() != "Completed"
    run.fail("not what I wanted", error_code="Mine")
    assert run.get_status() == "Failed"
    details = run.wait_for_completion(raise_on_error=False)
    assert details["status"] == "Failed"
    assert details["error"]["error"] == {"code": "Mine", "message": "not what I wanted"}


def test_a_script_with_the_toolkit_submits_a_child_and_reads_a_secret(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("src").mkdir()
    Path("src/child.py").write_text("from azureml.core import Run\nRun.get_context().log('x', 1)")
    Path("src/train.py").write_text(
        "from azureml.core import Run, ScriptRunConfig\nrun = Run.get_context()\n"
        "child = run.submit_child(ScriptRunConfig('.', 'child.py'))\nchild.wait_for_completion()\n"
        "print(child.parent.id == run.id, child.get_metrics(), run.get_metrics(recursive=True) == {child.id: {'x': 1}})\n"
        "print(run.get_secret('token'), sorted(run.experiment.workspace.experiments))\n"
    )
    workspace = Workspace.find_or_create()[0]
    workspace.get_default_keyvault().set_secret("token", "abc")
    run = Experiment(workspace, "jobs").submit(ScriptRunConfig("src", "train.py"))
    run.wait_for_completion()
    log = run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"]
    assert log.splitlines()[-2:] == ["True {'x': 1} True", "abc ['jobs']"]
    (child,) = run.get_children()
    assert (child.get_status(), child.type) == ("Completed", "azureml.scriptrun")


FAULTS = """
import os, resource
from azureml.core import Model, Run
run = Run.get_context()
kids = run.create_children(3)
with open("outputs/m", "w") as file:
    file.write("x")
model = run.register_model("net", "outputs/m")
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
run.remove_tags(["a"])
model.add_tags({"a": 1})
model.add_properties({"p": 1})
for kid, end in zip(run.get_children(), ("fail", "complete", "cancel")):
    getattr(kid, end)()
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
run.flush()
"""


def test_a_fault_of_tracking_stops_no_script(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.find_or_create()[0]
    Path("src").mkdir()
    Path("src/train.py").write_text(FAULTS)
    run = Experiment(workspace, "jobs").submit(ScriptRunConfig("src", "train.py"), tags={"a": "1", "b": "2"})
    run.wait_for_completion()
    assert run.get_tags() == {"b": "2"}
    assert Model(workspace, "net").tags == {"a": "1"}
    assert sorted(child.get_status() for child in run.get_children()) == ["Canceled", "Completed", "Failed"]
