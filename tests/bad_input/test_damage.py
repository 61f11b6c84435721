"""Garbage in the files of a run, a queue or a workspace: told with a hint or passed over, and the others go on."""

import json
import os
import shutil
import signal
import time

import psutil
import pytest

from amlnb import host
from amlnb.api.experiment import Experiment
from amlnb.api.workspace import Workspace
from amlnb.core import layout
from amlnb.engine import queue
from amlnb.errors import FormatError, UserErrorException
from amlnb.store.index import Index
from amlnb.store.run_reader import RunReader
from amlnb.store.workspace_dir import open_directory
from amlnb.tracking import context

pytestmark = pytest.mark.slow

GARBAGE = [b"", b"\0" * 50, b"{", b"[1]", b"{}", b'{"format": 99, "id": [], "experiment": {}, "op": 3, "pid": "x"}']


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def put(path, data):
    with open(path + ".new", "wb") as file:
        file.write(data)
    os.replace(path + ".new", path)


def courier():
    with open(os.path.join(host.cache_dir(), "courier.lock"), encoding="ascii") as file:
        return int(file.read())


@pytest.fixture
def slots(own_cache):
    with open(os.path.join(own_cache, "slots"), "w", encoding="ascii") as file:
        file.write("1")


# -- a run that has ended ----------------------------------------------------------------------------------------------


@pytest.fixture
def ended(workspace, submit):
    """A run with one of every kind of file."""
    run = submit(
        workspace,
        """
        from amlnb import Run
        run = Run.get_context()
        run.log("loss", 0.5); run.log("note", "x"); run.tag("k", "v"); run.tag("l", "w")
        raise ValueError("on purpose")
        """,
    )
    run.wait_for_completion(raise_on_error=False)
    return run


def files_of(directory):
    return sorted(
        os.path.relpath(os.path.join(top, name), directory) for top, _, names in os.walk(directory) for name in names
    )


@pytest.mark.parametrize("garbage", GARBAGE, ids=lambda data: data[:6].decode())
def test_garbage_in_any_file_of_a_run_is_told_or_passed_over(workspace, ended, submit, tmp_path, garbage):
    healthy = submit(workspace, "print('fine')")
    healthy.wait_for_completion()
    whole = shutil.copytree(ended.directory, tmp_path / "whole")
    names = files_of(ended.directory)
    assert {name.partition("/")[0] for name in names} >= {
        "run.json",
        "final.json",
        "edits",
        "attempts",
        "journals",
        "failures",
    }
    for name in names:
        put(os.path.join(ended.directory, name), garbage)
        index = Index(workspace.directory)
        index.delete()
        listed = {run.id: run for run in index.list_runs()}
        assert listed[healthy.id].state == "Completed"
        if name == layout.RUN_JSON:
            with pytest.raises(FormatError, match=r"(?s)run\.json.*\nhint: "):
                RunReader(ended.directory)
            assert "\nhint: " in index.unreadable[ended.directory]
        else:
            # Whatever is lost, it is what stood in that file.
            reader = RunReader(ended.directory)
            reader.refresh()
            facts, metrics = reader.facts(), reader.metrics()
            details = workspace.get_run(ended.id).get_details()
            expected = "NotResponding" if name == layout.FINAL_JSON else "Failed"
            assert (facts.state, listed[ended.id].state, details["status"]) == (expected, expected, expected)
            if not name.startswith("journals/0-"):
                assert metrics == {"loss": 0.5, "note": "x"}
            if not name.startswith("edits/"):
                assert facts.tags == {"k": "v", "l": "w"}
            assert facts.reason is None or "hint:" in facts.reason
        shutil.copy(os.path.join(whole, name), os.path.join(ended.directory, name))
    assert RunReader(ended.directory).id == ended.id


@pytest.mark.parametrize("place", ["edits", "attempts", "journals", "user_logs", "work", "system", "failures"])
def test_a_file_or_nothing_where_a_folder_belongs_is_passed_over(workspace, ended, place):
    path = os.path.join(ended.directory, place)
    for replace in (None, b"file"):
        shutil.rmtree(path) if os.path.isdir(path) else None
        if replace is not None:
            put(path, replace)
        reader = RunReader(ended.directory)
        reader.refresh()
        assert reader.facts().state == "Failed"
        assert [run.state for run in Index(workspace.directory).list_runs()] == ["Failed"]
        ended.get_file_names()


# -- a run that waits ------------------------------------------------------------------------------------------------


def damage_record(run, ticket, data):
    put(os.path.join(run.directory, layout.RUN_JSON), data)


def damage_ticket(run, ticket, data):
    put(ticket, data)


def damage_ticket_types(run, ticket, data):
    with open(ticket, encoding="ascii") as file:
        fields = json.load(file)
    put(ticket, json.dumps({name: data.decode("latin-1") or 3 for name in fields}).encode())


def damage_edit(run, ticket, data):
    put(os.path.join(run.directory, "edits", "00000001-abcdef.json"), data)


def damage_manifest(run, ticket, data):
    sha = RunReader(run.directory).record["snapshot"]
    with open(ticket, encoding="ascii") as file:
        objects = os.path.join(json.load(file)["data"], "objects")
    put(os.path.join(objects, sha[:2], sha[2:]), data)


def remove_run(run, ticket, data):
    shutil.rmtree(run.directory)


DAMAGE = [damage_record, damage_ticket, damage_ticket_types, damage_edit, damage_manifest, remove_run]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_garbage_in_what_waits_does_not_stop_the_courier(workspace, submit, slots, damage):
    """One slot, held by a run that waits for a file, so that what comes behind can be damaged before it is read."""
    go = os.path.join(os.getcwd(), "go")
    first = submit(workspace, "import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.02)\n", go)
    until(lambda: first.get_status() == "Running")
    pid, victims = courier(), []
    for data in GARBAGE[:4]:
        os.kill(pid, signal.SIGSTOP)  # stopped while its next ticket is damaged
        try:
            victim = submit(workspace, "from amlnb import Run\nRun.get_context().log('ran', 1)\n")
            ticket = os.path.join(host.cache_dir(), "queue", queue.names()[-1])
            damage(victim, ticket, data)
            victims.append(victim)
        finally:
            os.kill(pid, signal.SIGCONT)
    last = submit(workspace, "print('fine')")
    put(go, b"")
    assert last.wait_for_completion()["status"] == "Completed"
    assert first.wait_for_completion()["status"] == "Completed"
    assert courier() == pid
    index = Index(workspace.directory)
    until(lambda: all(run.state != "Running" for run in index.list_runs()))
    listed = {run.id: run for run in index.list_runs()}
    for victim in victims:
        assert victim.id in listed or victim.directory in index.unreadable or not os.path.exists(victim.directory)
        if victim.id in listed and damage is damage_manifest:
            assert (listed[victim.id].state, "hint" in str(victim.get_details()["error"])) == ("Failed", True)
        if damage is damage_edit:
            assert listed[victim.id].state == "Completed"


# -- the workspace ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("garbage", [*GARBAGE, b'{"format": 2}', b'{"format": 1, "created": "x", "name": 3}'])
def test_a_damaged_workspace_file_is_told_and_costs_no_run(workspace, submit, garbage):
    run = submit(workspace, "print('fine')")
    run.wait_for_completion()
    path = os.path.join(workspace.directory.path, "workspace.json")
    put(path, garbage)
    if b'"format": 1' not in garbage:
        with pytest.raises(FormatError, match=r"(?s)workspace\.json.*\nhint: "):
            open_directory(workspace.directory.path)
        os.unlink(path)  # as the hint says
    directory = open_directory(workspace.directory.path)
    assert [found.id for found in Index(directory).list_runs()] == [run.id]


@pytest.mark.parametrize("garbage", [*GARBAGE, None])
def test_a_damaged_experiment_file_hides_no_run(workspace, submit, garbage):
    run = submit(workspace, "print('fine')")
    run.wait_for_completion()
    path = os.path.join(workspace.directory.experiment_directory("test"), "experiment.json")
    put(path, garbage) if garbage is not None else os.unlink(path)
    put(os.path.join(workspace.directory.path, "experiments", "stray"), b"")
    assert isinstance(workspace.directory.experiment_names(), list)
    assert [found.id for found in Experiment(workspace, "test").get_runs()] == [run.id]
    assert submit(workspace, "print('again')").wait_for_completion()["status"] == "Completed"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"workspace_name": 3}', '{"workspace_name": ""}', "\0"])
def test_a_broken_configuration_is_told(tmp_path, monkeypatch, text):
    (tmp_path / ".azureml").mkdir()
    (tmp_path / ".azureml" / "config.json").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserErrorException, match=r"(?s)the workspace configuration '.*config\.json' .*\nhint: "):
        Workspace.from_config()


# -- a script that destroys -------------------------------------------------------------------------------------------


def test_a_script_may_delete_its_own_outputs(workspace, submit):
    run = submit(
        workspace,
        """
        import os, shutil
        from amlnb import Run
        for folder in os.listdir("."):
            shutil.rmtree(folder) if os.path.isdir(folder) else os.unlink(folder)
        Run.get_context().log("loss", 0.5)
        print("still here")
        """,
    )
    assert run.wait_for_completion()["status"] == "Completed"
    assert run.get_metrics() == {"loss": 0.5}
    assert run.get_file_names() == ["azureml-logs/70_driver_log.txt", "user_logs/std_log.txt"]


@pytest.mark.slow
def test_a_script_that_deletes_its_whole_run_is_forgotten_and_others_go_on(workspace, submit, own_cache):
    run = submit(
        workspace,
        """
        import os, shutil
        from amlnb import Run
        run = Run.get_context()
        run.log("loss", 0.5)
        shutil.rmtree(os.environ["AMLNB_RUN_DIR"])
        for i in range(100):
            run.log("loss", float(i)); run.log("new", "name")
        run.tag("k"); run.upload_file("x", __file__) if os.path.exists(__file__) else None
        """,
    )
    until(lambda: not os.path.exists(run.directory))
    until(lambda: queue.names() == [])
    assert submit(workspace, "print('fine')").wait_for_completion()["status"] == "Completed"
    assert not os.path.exists(run.directory)
    assert len(Index(workspace.directory).list_runs()) == 1
    assert not [process for process in psutil.process_iter() if _carries(process, run.id)]


def _carries(process, run_id):
    try:
        return process.environ().get(context.RUN_ID) == run_id
    except (psutil.Error, OSError):
        return False
