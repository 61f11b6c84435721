"""States that must not lie, and one run that must not stop the others: found by review, held here."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from amlnb import Experiment, ScriptRunConfig, Workspace, host
from amlnb.engine import queue
from amlnb.engine.look import look
from amlnb.errors import UserErrorException
from amlnb.store.run_reader import RunReader
from amlnb.tracking import create
from amlnb.tracking.journal import JournalWriter

pytestmark = pytest.mark.slow


def ended(run):
    return run.wait_for_completion(raise_on_error=False)["status"]


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def dead_process():
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    identity = host.process_identity(process.pid)
    process.wait()
    return identity


def one_slot(cache):
    with open(os.path.join(cache, "slots"), "w", encoding="ascii") as file:
        file.write("1")


def test_a_mirror_is_never_sealed_by_a_look_at_it(workspace):
    record = {"id": "mirror", "experiment": "e", "home": {"kind": "ssh", "host": "box"}, "owner": None}
    directory = create.create_run(workspace.directory.runs, record)
    create.publish_json(os.path.join(directory, "attempts", "1.json"), dead_process())
    JournalWriter(directory, "runner").write_event({"t": "state", "attempt": 1, "phase": "Running", "time": 1.0})
    reader = RunReader(directory)
    look(reader)
    assert (reader.facts().state, reader.facts().sealed) == ("Running", False)


@pytest.mark.slow
def test_a_queued_run_is_left_alone_by_who_sees_another_queue(submit, own_cache, workspace, tmp_path, monkeypatch):
    one_slot(own_cache)
    program = (
        "from amlnb import Experiment, ScriptRunConfig, Workspace\n"
        f"experiment = Experiment(Workspace.from_config({os.getcwd()!r}), 'e')\n"
        f"print(experiment.submit(ScriptRunConfig({str(tmp_path / 'source')!r}, 's.py')).id)\n"
    )
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "s.py").write_text("pass")
    first = submit("import time; time.sleep(2)")
    second = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    with monkeypatch.context() as patch:
        patch.setenv("AMLNB_CACHE_DIR", str(tmp_path / "other-cache"))
        assert workspace.get_run(second).get_status() == "NotStarted"
    assert ended(first) == "Completed"
    assert ended(workspace.get_run(second)) == "Completed"


def test_a_ticket_of_wrong_types_costs_nobody_else_anything(submit, own_cache):
    folder = os.path.join(own_cache, "queue")
    os.makedirs(folder, exist_ok=True)
    whole = {
        "run_id": "r",
        "directory": "/d",
        "data": "/d",
        "target": "local",
        "definition": {"kind": "local"},
        "snapshot": None,
        "workspace": {},
        "environ": {},
    }
    broken = [{**whole, "directory": None}, {**whole, "definition": {}}, {**whole, "environ": []}, {}, [], whole]
    for number, value in enumerate(broken):
        with open(os.path.join(folder, f"{number:012d}-{'0' * 12}.json"), "w", encoding="ascii") as file:
            json.dump(value, file)
    assert ended(submit("print('fine')")) == "Completed"
    until(lambda: queue.names() == [])


def test_a_run_that_spoils_its_own_attempt_file_does_not_hold_up_the_next(submit, own_cache):
    one_slot(own_cache)
    first = submit("import os, time; os.remove('../attempts/1.json'); os.mkdir('../attempts/1.json'); time.sleep(0.5)")
    second = submit("print('fine')")
    assert ended(second) == "Completed"
    assert ended(first) == "Completed"


def test_what_hides_from_its_environment_still_ends_with_a_killed_runner(submit, own_cache):
    unlikely = f"600.{os.getpid()}"
    run = submit(
        f"import subprocess, time; subprocess.Popen(['env', '-i', 'setsid', 'sleep', '{unlikely}']); time.sleep(600)"
    )

    def sleepers():
        return [
            process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", unlikely]
        ]

    until(sleepers)
    with open(os.path.join(run.directory, "attempts", "1.json"), encoding="ascii") as file:
        os.kill(json.load(file)["pid"], signal.SIGKILL)
    assert ended(run) == "Failed"
    until(lambda: not sleepers())


def test_a_run_inside_a_run_can_be_canceled_from_there(submit, tmp_path, own_cache):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "s.py").write_text("import time; time.sleep(600)")
    outer = submit(
        f"""
        import time
        from amlnb import Experiment, ScriptRunConfig, Workspace
        run = Experiment(Workspace.from_config({os.getcwd()!r}), "inner").submit(ScriptRunConfig({str(inner)!r}, "s.py"))
        while run.get_status() != "Running":
            time.sleep(0.05)
        run.cancel()
        print(run.wait_for_completion()["status"])
        """
    )
    assert ended(outer) == "Completed"
    with open(os.path.join(outer.directory, "user_logs", "std_log.txt"), encoding="utf-8") as file:
        assert file.read().strip() == "Canceled"


@pytest.mark.parametrize("argument", ["a\0b", "\ud800"])
def test_what_no_process_can_be_given_is_refused_before_submission(submit, argument):
    with pytest.raises(UserErrorException, match="cannot be passed to a process"):
        submit("pass", argument)


def test_names_that_no_variable_can_have_are_refused(workspace, tmp_path):
    (tmp_path / "s.py").write_text("pass")
    config = ScriptRunConfig(str(tmp_path), "s.py")
    config.run_config.environment_variables = {"A=B": "1"}
    with pytest.raises(UserErrorException, match="'A=B'"):
        Experiment(workspace, "e").submit(config)


def test_an_interpreter_that_is_missing_is_told_by_its_name(workspace, tmp_path):
    from amlnb.specs.run_spec import RunSpec

    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "s.py").write_text("pass")
    run = Experiment(workspace, "e").submit(RunSpec("e", str(tmp_path / "s"), script="s.py", interpreter="/no/python"))
    assert ended(run) == "Failed"
    error = run.get_details()["error"]["error"]
    assert (error["code"], "/no/python" in error["message"]) == ("StartFailed", True)


def test_a_relative_cache_folder_works(tmp_path):
    (tmp_path / "s.py").write_text("pass")
    program = "from amlnb import *\nw, _ = Workspace.find_or_create()\nprint(Experiment(w, 'e').submit(ScriptRunConfig('.', 's.py')).wait_for_completion()['status'])"
    environ = {**os.environ, "AMLNB_CACHE_DIR": "rel", "AMLNB_COURIER_IDLE_S": "0.5"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "Completed\n", done.stderr


def test_a_dead_run_of_a_process_is_not_said_to_be_submittable_again(workspace):
    record = {"id": "owned", "experiment": "e", "home": {"kind": "local"}, "owner": dead_process()}
    run = workspace.get_run(RunReader(create.create_run(workspace.directory.runs, record)).id)
    assert run.get_status() == "Failed"
    assert "rerun" not in run.get_details()["error"]["error"]["hint"]


def test_a_workspace_that_cannot_be_written_still_tells_the_truth(workspace, tmp_path):
    if os.getuid():
        pytest.skip("mounting needs root")
    record = {"id": "owned", "experiment": "e", "home": {"kind": "local"}, "owner": dead_process()}
    create.create_run(workspace.directory.runs, record)
    view = tmp_path / "view"
    view.mkdir()
    subprocess.run(["mount", "--bind", os.getcwd(), str(view)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(view)], check=True)
        assert Workspace.from_config(str(view)).get_run("owned").get_status() == "Failed"
    finally:
        subprocess.run(["umount", str(view)], check=True)
