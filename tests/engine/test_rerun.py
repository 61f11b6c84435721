"""Running a run again from what was kept of it, and taking a run for dead."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from amlnb import host
from amlnb.api.experiment import Experiment
from amlnb.core import states
from amlnb.engine import gc, reuse
from amlnb.engine import rerun as rerun_module
from amlnb.engine.follow import until_ended
from amlnb.engine.presumption import presume_dead
from amlnb.engine.rerun import RERUN_OF, rerun
from amlnb.environments import interpreters
from amlnb.environments.lock import Lock
from amlnb.errors import ComputeTargetException, FormatError, UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.store.objects import ObjectStore
from amlnb.store.run_reader import RunReader
from amlnb.store.run_record import read_record
from amlnb.tracking import create
from amlnb.tracking.journal import JournalWriter


def ended(directory):
    reader = RunReader(directory)
    for facts in until_ended(reader):
        last = facts
    return last


def rewrite(directory, **changes):
    path = os.path.join(directory, "run.json")
    record = read_record(directory) | changes
    os.unlink(path)
    with open(path, "w", encoding="ascii") as file:
        json.dump(record, file)


def test_a_run_runs_again_from_its_objects_alone(submit, workspace, tmp_path):
    run = submit("import sys; from amlnb import Run; Run.get_context().tag('seen', 'yes'); print(sys.argv[1:])", "--lr", 0.5)
    run.wait_for_completion()
    for folder in tmp_path.glob("source-*"):
        shutil.rmtree(folder)
    directory = rerun(run.directory, workspace.directory)
    assert ended(directory).phase == states.COMPLETED
    old, new = read_record(run.directory), read_record(directory)
    assert new["id"] != old["id"]
    assert {key for key in old if old[key] != new[key]} == {"id", "created", "properties", "submitter"} - (
        {"submitter"} if old["submitter"] == new["submitter"] else set()
    )
    old["properties"].pop(reuse.PROPERTY)  # what it depended on besides its snapshot may be different by now
    assert new["properties"] == {**old["properties"], RERUN_OF: old["id"]}
    with open(os.path.join(directory, "user_logs", "std_log.txt"), encoding="utf-8") as file:
        assert file.read() == "['--lr', '0.5']\n"


def test_a_rerun_survives_the_deletion_of_the_first_run_and_a_collection(submit, workspace):
    from amlnb.engine.delete import delete_run

    run = submit("print('kept')")
    run.wait_for_completion()
    directory = rerun(run.directory, workspace.directory)
    assert ended(directory).phase == states.COMPLETED
    delete_run(run.directory)
    for top, folders, names in os.walk(workspace.directory.path):
        for name in folders + names:
            os.utime(os.path.join(top, name), (0, 0))
    gc.collect_garbage(workspace.directory, dry_run=False)
    assert ended(rerun(directory, workspace.directory)).phase == states.COMPLETED


def test_the_python_is_that_of_the_kept_lock(tmp_path):
    mine = interpreters.own()
    other = next((each for each in interpreters.find_all(os.environ) if each.minor != mine.minor), None)
    if other is None:
        pytest.skip("this machine has one Python")
    lock = Lock("uv", "uv 1.0", f"{other.minor}.0", "linux-x86_64")
    (tmp_path / "environment.json").write_text(json.dumps({"lock": lock.to_dict()}))
    definition = {"environment_request": "x", "environment": EnvironmentSpec(pip=("spam",)).to_dict()}
    order = rerun_module._order(str(tmp_path), definition, str(tmp_path))
    assert order.lock == lock
    assert order.request.interpreter.minor == other.minor


def test_what_cannot_run_again_is_refused_before_anything_is_made(submit, workspace):
    live = Experiment(workspace, "e").start_logging(snapshot_directory=None)
    live.complete()
    with pytest.raises(UserErrorException, match="lived in the process"):
        rerun(live.directory, workspace.directory)
    run = submit("pass")
    run.wait_for_completion()
    before = os.listdir(workspace.directory.runs)
    definition = read_record(run.directory)["definition"]
    rewrite(run.directory, definition={**definition, "interpreter": "/nowhere/python"})
    with pytest.raises(UserErrorException, match="/nowhere/python"):
        rerun(run.directory, workspace.directory)
    rewrite(run.directory, definition=definition, target="gone", home={"kind": "ssh", "host": "gone.invalid"})
    with pytest.raises(ComputeTargetException, match="gone"):
        rerun(run.directory, workspace.directory)
    rewrite(run.directory, target="local", home={"kind": "local"})
    objects = ObjectStore(workspace.directory.objects)
    contents = json.loads(objects.read(read_record(run.directory)["snapshot"]))["files"]
    os.unlink(objects.path(contents["script.py"]["sha"]))
    with pytest.raises(FormatError, match=r"script\.py"):
        rerun(run.directory, workspace.directory)
    os.unlink(objects.path(read_record(run.directory)["snapshot"]))
    with pytest.raises(FormatError, match="snapshot"):
        rerun(run.directory, workspace.directory)
    assert os.listdir(workspace.directory.runs) == before


@pytest.fixture
def elsewhere(workspace):
    """A run whose runner is on another host, which says nothing any more."""
    process = {**host.this_process(), "hostname": "gone", "boot_id": "other", "machine_id": "other", "pid": 1}
    record = {
        "id": "e_1_aaaaaaaa", "experiment": "e", "created": 1.0, "target": "local", "home": {"kind": "local"},
        "owner": None, "submitter": process, "definition": None, "snapshot": None, "tags": {}, "properties": {},
    }  # fmt: skip
    directory = create.create_run(workspace.directory.runs, record)
    create.write_json(os.path.join(directory, "attempts", "1.json"), process)
    runner = JournalWriter(directory, "runner")
    runner.write_event({"t": "state", "attempt": 1, "phase": "Running", "time": 2.0})
    yield directory, runner
    runner.close()


def test_a_presumed_death_ends_a_run_until_its_runner_is_heard_of(elsewhere):
    directory, runner = elsewhere
    reader = RunReader(directory)
    presume_dead(reader, "me@here")
    facts = reader.facts()
    assert (facts.state, facts.sealed) == ("Failed", False)
    assert facts.error["code"] == "PresumedDead"
    assert facts.reason == "presumed dead by me@here"
    assert ended(directory).state == "Failed"  # waiting for it ends too
    presume_dead(reader, "me@here")
    runner.write_event({"t": "state", "attempt": 1, "phase": "Finalizing", "time": 3.0})
    reader.refresh()
    assert reader.facts().state == "Finalizing"


def test_the_command_writes_down_who_presumed_it(elsewhere):
    directory, _ = elsewhere
    command = [sys.executable, "-m", "amlnb", "run", "presume-dead", "aaaaaaaa", "--yes", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    [told] = json.loads(done.stdout)["runs"]
    assert (told["id"], told["state"]) == (RunReader(directory).id, "Failed")
    assert told["reason"].startswith("presumed dead by ")


def test_a_living_or_queued_run_is_not_taken_for_dead(submit, own_cache):
    with open(os.path.join(own_cache, "slots"), "w", encoding="ascii") as file:
        file.write("1")
    living = submit("import time; print('x', flush=True); time.sleep(600)")
    while living.get_status() != "Running":
        pass
    queued = submit("pass")
    with pytest.raises(UserErrorException, match="lives on this host"):
        presume_dead(RunReader(living.directory), "me")
    with pytest.raises(UserErrorException, match="waits in the queue"):
        presume_dead(RunReader(queued.directory), "me")
    living.cancel()
    assert ended(queued.directory).phase == states.COMPLETED
    reader = RunReader(queued.directory)
    presume_dead(reader, "me")
    assert reader.facts().phase == states.COMPLETED
