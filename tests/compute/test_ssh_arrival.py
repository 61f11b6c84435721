"""What a run on another machine leaves for its workspace: models are registered and children listed when it has ended."""

import os
import time
from pathlib import Path

import pytest

from amlnb import Experiment, Workspace
from amlnb.api.model import Model
from amlnb.engine import targets
from amlnb.specs.run_spec import RunSpec
from amlnb.store.workspace_dir import local_ids, open_directory
from amlnb.tracking.arrival import arrive

pytestmark = pytest.mark.ssh

SCRIPT = """
import os
from azureml.core import Model, Run
run = Run.get_context()
os.makedirs("outputs/net")
for epoch in range(2):
    with open("outputs/net/weights.txt", "w") as file:
        file.write("epoch %d" % epoch)
    model = run.register_model("net", "outputs/net", tags={"epoch": epoch})
    print(model.name, model.version, model.run_id == run.id)
for name, version in (("net", None), ("earlier", 3), ("earlier", None), ("earlier", 1)):
    try:
        path = Model.get_model_path(name, version)
        print(path, open(path).read())
    except Exception as error:
        print(type(error).__name__, error.hint)
with run.child_run("kid") as kid:
    kid.log("x", 1)
    print("in the child")
    print(kid.parent.id == run.id, [child.id == kid.id for child in run.get_children()])
run.child_run("unfinished").log("y", 2)
print(run.experiment.name, run.experiment.workspace.name, run.get_metrics(), "outputs/net/weights.txt" in run.get_file_names())
"""


@pytest.fixture
def far_run(near_folder, far_host, tmp_path):
    data = open_directory(str(near_folder / tmp_path.name / ".amlnb"), local_ids("ssh"))
    targets.write(data.path, "far", far_host.definition())
    experiment = Experiment(Workspace._at(data.path), "ssh")
    (tmp_path / "train.py").write_text(SCRIPT)
    for text in ("first", "second"):
        (tmp_path / "m.txt").write_text(text)
        Model.register(experiment.workspace, str(tmp_path / "m.txt"), "earlier")
    run = experiment.submit(RunSpec("ssh", str(tmp_path), script="train.py", target="far"))
    details = run.wait_for_completion(raise_on_error=False)
    assert details["status"] == "Completed", run.get_details_with_logs()["logFiles"]
    return run


def test_models_and_children_are_there_as_soon_as_the_run_has_ended(far_run, tmp_path):
    workspace = far_run.experiment.workspace
    log = far_run.get_details_with_logs()["logFiles"]["user_logs/std_log.txt"].splitlines()
    assert log == [
        "net None True", "net None True",
        "WebserviceException the workspace has: earlier",
        "WebserviceException the model 'earlier' has the versions 1, 2",
        "azureml-models/earlier/2/m.txt second", "azureml-models/earlier/1/m.txt first",
        "in the child", "True [True]",
        "ssh ssh {} True",
    ]  # fmt: skip
    models = Model.list(workspace, "net")
    assert [(model.version, model.tags["epoch"], model.run.id) for model in models] == [
        (2, "1", far_run.id),
        (1, "0", far_run.id),
    ]
    texts = [Path(model.download(tmp_path / str(model.version)), "weights.txt").read_text() for model in models]
    assert texts == ["epoch 1", "epoch 0"]
    children = {child.display_name: child for child in far_run.get_children()}
    assert {name: child.get_status() for name, child in children.items()} == {
        "kid": "Completed",
        "unfinished": "Failed",
    }
    assert (children["kid"].get_metrics(), children["kid"].parent.id) == ({"x": 1}, far_run.id)
    assert "logs/user_log.txt" in children["kid"].get_file_names()
    assert far_run.get_metrics(recursive=True) == {children["kid"].id: {"x": 1}, children["unfinished"].id: {"y": 2}}


def test_an_arrival_that_is_done_again_changes_nothing(far_run):
    workspace = far_run.experiment.workspace
    Model(workspace, "net", version=1).delete()
    arrive(far_run.directory, workspace.directory.path)
    assert [model.version for model in Model.list(workspace, "net")] == [2]
    assert len(list(far_run.get_children())) == 2


ODD = """
import json, os
from azureml.core import Run
directory = Run.get_context().directory
os.makedirs(directory + "/children/x")
with open(directory + "/children/x/run.json", "w") as file:
    json.dump({"format": 1, "id": "x", "experiment": "e"}, file)
with open(directory + "/children/x/edits", "w") as file:
    file.write("a file")
"""


def test_what_cannot_be_placed_is_told_and_holds_up_nobody(near_folder, far_host, tmp_path):
    data = open_directory(str(near_folder / tmp_path.name / ".amlnb"), local_ids("ssh"))
    targets.write(data.path, "far", far_host.definition())
    experiment = Experiment(Workspace._at(data.path), "ssh")
    runs = []
    for name, text in (("odd", ODD), ("good", "print('good')")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "t.py").write_text(text)
        runs.append(experiment.submit(RunSpec("ssh", str(tmp_path / name), script="t.py", target="far")))
    details = [run.wait_for_completion() for run in runs]
    assert [each["status"] for each in details] == ["Completed", "Completed"]
    assert "the child run 'x' was not put among the runs" in str(details[0]["warnings"])


BROKEN = """
import os, time
from azureml.core import Run
directory = Run.get_context().directory
os.mkdir(directory + "/edits/00000009-aaaaaaaa.json")
print("broken", flush=True)
time.sleep(600)
"""


def test_what_one_run_does_to_its_files_holds_up_no_other(near_folder, far_host, tmp_path):
    data = open_directory(str(near_folder / tmp_path.name / ".amlnb"), local_ids("ssh"))
    targets.write(data.path, "far", far_host.definition())
    experiment = Experiment(Workspace._at(data.path), "ssh")
    runs = []
    for name, text in (("broken", BROKEN), ("good", "print('good')")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "t.py").write_text(text)
        runs.append(experiment.submit(RunSpec("ssh", str(tmp_path / name), script="t.py", target="far")))
        while len(runs) == 1 and "cannot be read" not in str(runs[0].get_detailed_status()):
            time.sleep(0.1)
    assert runs[1].wait_for_completion()["status"] == "Completed"
    os.rmdir(next((far_host.root / "runs").glob("*/edits/00000009-aaaaaaaa.json")))
    runs[0].cancel()
    assert runs[0].wait_for_completion(raise_on_error=False)["status"] == "Canceled"
