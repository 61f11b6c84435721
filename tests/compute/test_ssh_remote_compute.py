"""A machine that v1 code attaches is the one its runs are on."""

import json
import os
import socket

import pytest

from amlnb import Experiment, ScriptRunConfig, Workspace
from amlnb.api.compute import ComputeTarget, RemoteCompute
from amlnb.api.distributed import PyTorchConfiguration
from amlnb.api.run_waiting import log_text
from amlnb.engine import targets
from amlnb.errors import ComputeTargetException
from amlnb.store.workspace_dir import local_ids, open_directory

pytestmark = pytest.mark.ssh


def test_a_run_is_on_the_machine_that_was_attached(near_folder, far_host, tmp_path):
    data = open_directory(str(near_folder / tmp_path.name / ".amlnb"), local_ids("ssh")).path
    workspace = Workspace._at(data)
    key = str(far_host.folder / "user_key")
    config = RemoteCompute.attach_configuration(
        username=None, address="127.0.0.1", ssh_port=far_host.port, private_key_file=key
    )
    box = ComputeTarget.attach(workspace, "box", config)
    box.wait_for_completion(show_output=True)
    made = targets.read(data, "box")
    assert made["options"]["IdentityFile"] == key
    # What a person's own ssh configuration says: whom to trust, and here which folders and Python to use.
    targets.write(data, "box", {**far_host.definition(config_file=far_host.client_config("other_key")), **made})
    (tmp_path / "train.py").write_text("import os, json, sys; print(json.dumps([os.uname().nodename, sys.argv[1:]]))")
    arguments = ["$RANK of $WORLD_SIZE", "$MASTER_ADDR"]
    distributed = PyTorchConfiguration(node_count=2)
    source = ScriptRunConfig(str(tmp_path), "train.py", arguments, compute_target=box, distributed_job_config=distributed)
    run = Experiment(workspace, "e").submit(source)
    details = run.wait_for_completion()
    assert (details["status"], details["target"]) == ("Completed", "box")
    with open(os.path.join(run.directory, "user_logs", "std_log.txt")) as file:
        node, given = json.load(file)
    assert given == ["0 of 1", "127.0.0.1"]
    assert node == "far-host" or not far_host.is_apart
    with pytest.raises(ComputeTargetException, match="did you mean 'box'"):
        Experiment(workspace, "e").submit(ScriptRunConfig(str(tmp_path), "train.py", compute_target="boxx"))


def test_who_waits_for_a_machine_that_does_not_answer_reads_why(tmp_path):
    workspace = Workspace._at(open_directory(str(tmp_path / ".amlnb"), local_ids("gone")).path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        targets.write(workspace.directory.path, "gone", {"kind": "ssh", "host": "127.0.0.1", "port": free.getsockname()[1]})
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("print(1)")
    run = Experiment(workspace, "e").submit(ScriptRunConfig(str(tmp_path / "src"), "train.py", compute_target="gone"))
    told = ""
    for _, text in log_text(run):
        told += text
        if told:
            run.cancel()
            break
    assert told.startswith("Warning: ")
    assert "The run waits until that is over." in told
