"""What a run leaves for its workspace: put in its places once, and never more than it may have."""

import json
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from amlnb.core import layout
from amlnb.errors import FormatError
from amlnb.store.light_reader import read_facts
from amlnb.store.models import model_names, model_versions, read_model
from amlnb.store.run_record import find_run, read_record
from amlnb.tracking import create, edits, models
from amlnb.tracking.arrival import Arrival, arrive
from tests.tracking.conftest import record

SECRET = "PRIVATE KEY"


@pytest.fixture
def data(tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "id_rsa").write_text(SECRET)
    (tmp_path / "data").mkdir()
    return str(tmp_path / "data")


def make(data, run_id="r", **more):
    return create.create_run(os.path.join(data, "runs"), record(run_id, **more))


def leave_model(run, folder, name="m", path="p", files=("p",), **more):
    """A registration as any program may write it."""
    top = os.path.join(run, "registrations", folder)
    for each in files:
        os.makedirs(os.path.dirname(os.path.join(top, "files", each)), exist_ok=True)
        with open(os.path.join(top, "files", each), "w") as file:
            file.write("1")
    os.makedirs(top, exist_ok=True)
    with open(os.path.join(top, "model.json"), "w") as file:
        json.dump({"format": 1, "name": name, "path": path, "created": 1.0, **more}, file)
    return top


def leave_child(run, child_id="kid", parent="r", folder=None, **more):
    told = {**record(child_id, parent=parent), "format": 1, **more}
    name = folder or layout.run_directory_name(told["experiment"], child_id)
    top = os.path.join(run, "children", name)
    os.makedirs(os.path.join(top, "artifacts"))
    with open(os.path.join(top, "run.json"), "w") as file:
        json.dump(told, file)
    with open(os.path.join(top, "artifacts", "a.txt"), "w") as file:
        file.write("kept")
    return top


def all_below(top):
    texts = []
    for folder, _, names in os.walk(top, followlinks=True):
        for name in names:
            if os.path.exists(os.path.join(folder, name)):
                with open(os.path.join(folder, name), errors="replace") as file:
                    texts.append(file.read())
    return "\n".join(texts)


def test_a_model_and_a_child_come_to_their_places(data):
    run = make(data)
    leave_model(run, "aa", path="p", files=("p/x/w.bin",), tags={"a": "1"})
    leave_child(run)
    assert arrive(run, data) == ([], [])
    assert read_model(os.path.join(data, "models"), "m", 1).registration == "aa"
    child = find_run(os.path.join(data, "runs"), "kid")
    assert (read_facts(child).state, read_facts(child).error["code"]) == ("Failed", "RunnerLost")
    assert "kept" in all_below(os.path.join(child, "artifacts"))


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda top, secret: (os.rename(top + "/files", top + "/old"), os.symlink(secret, top + "/files")), "folder"),
        (lambda top, secret: os.symlink(secret + "/id_rsa", top + "/files/q"), "links"),
        (lambda top, secret: os.symlink(secret, top + "/files/q"), "links"),
        (lambda top, secret: os.mkfifo(top + "/files/q"), "links"),
        (lambda top, secret: (os.rename(top, top + "2"), os.symlink(top + "2", top)), "no plain folder"),
        (lambda top, secret: (os.unlink(top + "/model.json"), os.mkfifo(top + "/model.json")), "damaged"),
        (lambda top, secret: Path(top, "model.json").write_text("[" * 200000), "damaged"),
        (lambda top, secret: Path(top, "model.json").write_text("{}"), "format"),
    ],
)  # fmt: skip
def test_a_model_that_is_no_plain_folder_of_files_is_refused(data, tmp_path, spoil, told):
    run = make(data)
    spoil(leave_model(run, "aa"), str(tmp_path / "secret"))
    leave_model(run, "bb", name="good")
    refused, failed = arrive(run, data)
    assert (told in refused[0], failed) == (True, [])
    assert "good" in model_names(os.path.join(data, "models"))
    assert SECRET not in all_below(os.path.join(data, "models"))


@pytest.mark.parametrize("path", ["..", ".", "", "/etc", "p/../..", "p/q", "absent", None, 5])
def test_a_path_is_one_name_that_is_there(data, path):
    run = make(data)
    leave_model(run, "aa", path=path)
    refused, _ = arrive(run, data)
    assert refused == [f"the model 'm' was not registered: its files have no {path!r}"]
    assert model_names(os.path.join(data, "models")) == []


@pytest.mark.parametrize("name", ["../../etc", "\x1b[31m", "", None, ["m"]])
def test_a_name_that_no_model_may_have_is_refused(data, name):
    run = make(data)
    leave_model(run, "aa", name=name)
    assert "cannot be the name of a model" in arrive(run, data)[0][0]


@pytest.mark.parametrize("path", ["..", "../..", "/etc", "p/q", "absent"])
def test_a_record_in_the_registry_that_leads_out_of_it_is_damaged(data, path):
    run = make(data)
    leave_model(run, "aa")
    arrive(run, data)
    place = Path(data, "models", layout.model_directory_name("m"), "1", "model.json")
    place.write_text(json.dumps(dict(json.loads(place.read_text()), path=path)))
    with pytest.raises(FormatError, match="damaged"):
        read_model(os.path.join(data, "models"), "m", 1)


def test_no_edit_changes_where_a_model_is(data):
    run = make(data)
    leave_model(run, "aa")
    arrive(run, data)
    version = os.path.join(data, "models", layout.model_directory_name("m"), "1")
    edits.add_edit(version, {"op": "describe", "path": "..", "name": "other", "description": "d"})
    facts = read_model(os.path.join(data, "models"), "m", 1)
    assert (facts.path, facts.name, facts.description) == ("p", "m", "d")


@pytest.mark.parametrize("folder", ["registrations", "children"])
def test_a_link_in_place_of_what_waits_is_refused(data, tmp_path, folder):
    run = make(data)
    os.symlink(str(tmp_path / "secret"), os.path.join(run, folder))
    assert arrive(run, data)[0] == [f"nothing was taken over from {folder}/: it is no plain folder"]


def test_of_a_child_links_are_left_out_and_told(data, tmp_path):
    run = make(data)
    child = leave_child(run)
    os.symlink(str(tmp_path / "secret"), os.path.join(child, "artifacts", "all"))
    os.symlink("/nowhere", os.path.join(child, "artifacts", "latest"))
    os.symlink(str(tmp_path / "secret" / "id_rsa"), os.path.join(child, "artifacts", "key"))
    refused, failed = arrive(run, data)
    assert len(refused) == 1
    assert refused[0].endswith("no file: 'artifacts/all', 'artifacts/key', 'artifacts/latest'")
    placed = find_run(os.path.join(data, "runs"), "kid")
    assert (failed, os.listdir(os.path.join(placed, "artifacts"))) == ([], ["a.txt"])


def test_a_child_whose_edits_are_a_file_is_refused(data):
    run = make(data)
    with open(os.path.join(leave_child(run), "edits"), "w") as file:
        file.write("a file")
    refused, failed = arrive(run, data)
    assert ("not all plain folders" in refused[0], failed) == (True, [])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"folder": "a-0123456789ab"}, "is not named after it"),
        ({"parent": "victim"}, "no child of this run"),
        ({"parent": None}, "no child of this run"),
        ({"home": {"kind": "ssh"}}, "elsewhere"),
        ({"home": None}, "elsewhere"),
        ({"experiment": "other", "folder": "tracking-" + layout.short_hash("kid")}, "is not named after it"),
    ],
)
def test_what_is_no_child_of_the_run_is_refused(data, change, told):
    run = make(data)
    leave_child(run, **change)
    refused, failed = arrive(run, data)
    assert (told in refused[0], len(refused), failed) == (True, 1, [])
    assert os.listdir(os.path.join(data, "runs")) == [os.path.basename(run)]


@pytest.mark.parametrize("experiment", ["tracking", "a"])
def test_no_other_run_is_replaced(data, experiment):
    victim = make(data, "victim")
    run = make(data)
    leave_child(run, "victim", experiment=experiment, display_name="FORGED")
    refused, _ = arrive(run, data)
    assert "there is another run of that id already" in refused[0]
    assert find_run(os.path.join(data, "runs"), "victim") == victim
    assert read_record(victim)["display_name"] is None


def test_children_of_one_id_of_two_runs_are_told(data):
    first, second = make(data, "r1"), make(data, "r2")
    leave_child(first, "fold-0", parent="r1")
    leave_child(second, "fold-0", parent="r2")
    assert arrive(first, data) == ([], [])
    assert "'fold-0' was not put among the runs: there is another run of that id" in arrive(second, data)[0][0]


def test_grandchildren_come_in_whatever_order_they_are_named(data):
    run = make(data)
    for number in range(5, 0, -1):
        leave_child(run, f"k{number}", parent="r" if number == 1 else f"k{number - 1}")
    assert arrive(run, data) == ([], [])
    assert all(find_run(os.path.join(data, "runs"), f"k{number}") for number in range(1, 6))


def test_a_child_that_was_deleted_does_not_come_back(data):
    import shutil

    run = make(data)
    leave_child(run)
    arrive(run, data)
    shutil.rmtree(find_run(os.path.join(data, "runs"), "kid"))
    assert arrive(run, data) == ([], [])
    assert find_run(os.path.join(data, "runs"), "kid") is None


@pytest.mark.parametrize("name", ["registrations/.new-1", "children/.new-1"])
def test_what_is_not_finished_is_passed_over(data, name):
    run = make(data)
    os.makedirs(os.path.join(run, name))
    assert arrive(run, data) == ([], [])


def test_a_child_ends_as_its_client_said(data):
    run = make(data)
    child = leave_child(run)
    os.mkdir(os.path.join(child, "edits"))
    edits.add_edit(child, {"op": "cancel", "by": "me", "error": {"code": "Mine", "message": "bad"}})
    arrive(run, data)
    facts = read_facts(find_run(os.path.join(data, "runs"), "kid"))
    assert (facts.state, facts.error["code"]) == ("Failed", "Mine")


def _arrive(run, data, barrier):
    barrier.wait()
    arrive(run, data)


def test_arrivals_at_the_same_time_register_and_place_once(data):
    run = make(data)
    for number in range(5):
        leave_model(run, f"a{number}")
    leave_child(run)
    spawning = multiprocessing.get_context("fork")
    barrier = spawning.Barrier(3)
    processes = [spawning.Process(target=_arrive, args=(run, data, barrier)) for _ in range(3)]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    assert model_versions(os.path.join(data, "models"), "m") == [1, 2, 3, 4, 5]
    assert len(os.listdir(os.path.join(data, "runs"))) == 2


def test_a_version_that_was_deleted_is_not_registered_again(data):
    run = make(data)
    leave_model(run, "aa")
    arrive(run, data)
    models.delete(read_model(os.path.join(data, "models"), "m", 1).directory)
    assert arrive(run, data) == ([], [])
    assert model_versions(os.path.join(data, "models"), "m") == []


def test_what_fails_is_tried_a_few_times_and_then_told(data, monkeypatch):
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    run, told, tries = make(data), [], 0
    leave_model(run, "aa")
    with open(os.path.join(data, "models"), "w") as file:
        file.write("in the way")
    arrival = Arrival(run, data, told.append)
    while not arrival.is_over():
        now[0] += 100
        tries += 1
        assert tries < 20
    assert (tries, len(told), "'m' was not registered" in told[0]) == (4, 1, True)
    assert arrival.is_over()
