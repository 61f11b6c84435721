"""Deleting runs: only ended ones, children with their parents, whole or not at all."""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from amlnb.engine import delete
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.store.index import Index


def runs_of(workspace):
    return Index(workspace.directory).list_runs()


def test_a_deleted_run_is_gone_from_files_listings_and_queue(submit, workspace):
    run = submit("pass")
    run.wait_for_completion()
    [summary] = runs_of(workspace)
    delete.check_ended([summary])
    delete.delete_run(run.directory)
    assert runs_of(workspace) == []
    assert os.listdir(workspace.directory.runs) == []
    delete.delete_run(run.directory)


def test_a_run_that_has_not_ended_is_refused(submit, workspace):
    run = submit("import time; time.sleep(600)")
    with pytest.raises(UserErrorException, match=r"cannot be deleted: it is (NotStarted|Preparing|Starting|Running)"):
        delete.check_ended(runs_of(workspace))
    run.cancel()
    run.wait_for_completion()
    delete.check_ended(runs_of(workspace))


@pytest.fixture
def folder_of_nobody():
    """A folder that a user whom permissions bind (root is not) can reach."""
    folder = tempfile.mkdtemp(prefix="amlnb-")
    os.chmod(folder, 0o755)
    yield folder
    shutil.rmtree(folder)


def as_nobody(function, *arguments):
    """Call a function in a child of another user; the exit code is 0, or 7 if it raised AmlnbError."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            if os.getuid() == 0:
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
            function(*arguments)
            code = 0
        except AmlnbError:
            code = 7
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_directories_that_the_run_made_read_only_go_too(folder_of_nobody):
    run = os.path.join(folder_of_nobody, "run")
    os.makedirs(os.path.join(run, "work", "outputs", "a"))
    with open(os.path.join(run, "work", "outputs", "a", "b"), "w", encoding="ascii") as file:
        file.write("x")
    if os.getuid() == 0:
        for top, _, names in os.walk(folder_of_nobody):
            for path in [top, *(os.path.join(top, name) for name in names)]:
                os.chown(path, 65534, 65534)
    os.chmod(os.path.join(run, "work", "outputs", "a"), 0o555)
    os.chmod(os.path.join(run, "work", "outputs"), 0o000)
    assert as_nobody(delete.remove_tree, run) == 0
    assert os.listdir(folder_of_nobody) == []


def test_a_run_that_cannot_be_moved_aside_stays_whole(folder_of_nobody):
    run = os.path.join(folder_of_nobody, "run")
    os.makedirs(os.path.join(run, "work"))
    os.chmod(folder_of_nobody, 0o555)
    assert as_nobody(delete.delete_run, run) == 7
    assert os.listdir(folder_of_nobody) == ["run"]
    assert os.listdir(run) == ["work"]
    os.chmod(folder_of_nobody, 0o755)


def test_children_of_children_are_found_once_parents_first(workspace):
    from amlnb.api.experiment import Experiment

    with Experiment(workspace, "e").start_logging(snapshot_directory=None) as parent:
        child = parent.child_run("child")
        grandchild = child.child_run("grandchild")
        other = parent.child_run("other")
        for run in (grandchild, child, other):
            run.complete()
    runs = runs_of(workspace)
    top = next(run for run in runs if run.id == parent.id)
    found = [run.id for run in delete.with_children(top, runs)]
    assert found[0] == parent.id
    assert sorted(found) == sorted([parent.id, child.id, grandchild.id, other.id])
    assert found.index(child.id) < found.index(grandchild.id)


def test_the_command_refuses_to_leave_children_behind(workspace):
    from amlnb.api.experiment import Experiment

    with Experiment(workspace, "e").start_logging(snapshot_directory=None) as parent:
        parent.child_run("child").complete()

    def command(*more):
        return subprocess.run(
            [sys.executable, "-m", "amlnb", "run", "delete", parent.id, "--yes", "--json", *more],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    refused = command()
    assert refused.returncode == 1
    assert "1 child runs" in json.loads(refused.stderr)["error"]["message"]
    assert len(runs_of(workspace)) == 2
    assert len(json.loads(command("--children").stdout)["deleted"]) == 2
    assert runs_of(workspace) == []
