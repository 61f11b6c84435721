"""A workspace that cannot be written to: read, listed and told; nothing half done."""

import os
import subprocess
import sys

import pytest

from amlnb.api.experiment import Experiment
from amlnb.api.workspace import Workspace
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.store.index import Index
from amlnb.store.workspace_dir import open_directory


@pytest.fixture
def read_only(workspace, submit, mount, monkeypatch):
    """The same workspace, with one run, seen through a mount that cannot be written to; the working directory."""
    run = submit(workspace, "from amlnb import Run\nRun.get_context().log('loss', 0.5)\nprint('hello')\n")
    run.wait_for_completion()
    run.tag("k", "v")
    folder = mount("--bind", os.getcwd())
    subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
    monkeypatch.chdir(folder)
    return Workspace.from_config()


def test_runs_are_listed_and_read(read_only, tmp_path):
    listed = Index(read_only.directory).list_runs()
    assert [(run.state, run.metrics["loss"]["last"], run.tags) for run in listed] == [("Completed", 0.5, {"k": "v"})]
    run = next(iter(Experiment(read_only, "test").get_runs()))
    assert (run.get_status(), run.get_metrics(), run.get_tags()) == ("Completed", {"loss": 0.5}, {"k": "v"})
    assert run.get_details()["status"] == "Completed"
    run.download_file("user_logs/std_log.txt", str(tmp_path / "log"))
    assert (tmp_path / "log").read_text() == "hello\n"
    assert Experiment(read_only, "test").to_dataframe()["metric.loss"].tolist() == [0.5]


def test_the_command_line_lists_and_shows(read_only):
    run_id = Index(read_only.directory).list_runs()[0].id
    for command in (["run", "list"], ["run", "show", run_id], ["run", "logs", run_id], ["experiment", "list"]):
        done = subprocess.run([sys.executable, "-m", "amlnb", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)


def test_a_new_run_is_refused_with_a_hint(read_only, submit):
    refused = r"(?s)Read-only file system.*hint: .*AMLNB_HOME"
    with pytest.raises(AmlnbError, match=refused):
        submit(read_only, "print('never')")
    with pytest.raises(AmlnbError, match=refused):
        Experiment(read_only, "test").start_logging(snapshot_directory=None)
    assert len(Index(read_only.directory).list_runs()) == 1


def test_a_log_of_a_finished_run_is_told_once_and_raises_nothing(read_only, capfd):
    run = next(iter(Experiment(read_only, "test").get_runs()))
    for i in range(10):
        run.log("late", float(i))
        run.tag("late", i)
    told = capfd.readouterr().err
    assert told.count("amlnb:") == 1
    assert "Read-only file system" in told
    assert "\nhint: " in told


def test_a_folder_where_no_workspace_can_be_made_says_so(mount, monkeypatch):
    folder = mount("-t", "tmpfs", "-o", "size=1m,ro", "tmpfs")
    monkeypatch.chdir(folder)
    with pytest.raises(
        UserErrorException, match=r"cannot make a workspace in .*: Read-only file system\nhint: .*AMLNB_HOME"
    ):
        Workspace.find_or_create(folder)


def test_another_users_workspace_can_be_read(workspace, submit):
    """As nobody: root may write anywhere."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    submit(workspace, "print('hello')").wait_for_completion()
    folder, opened = workspace.directory.path, []
    while os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        mode = os.stat(folder).st_mode & 0o7777
        if mode & 0o011 != 0o011:
            os.chmod(folder, mode | 0o011)
            opened.append((folder, mode))
    os.seteuid(65534)
    try:
        directory = open_directory(workspace.directory.path)
        index = Index(directory, path=":memory:/nowhere")
        assert [run.state for run in index.list_runs()] == ["Completed"]
        assert index.unreadable == {}
    finally:
        os.seteuid(0)
        for path, mode in opened:
            os.chmod(path, mode)
