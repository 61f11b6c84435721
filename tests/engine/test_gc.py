"""Garbage collection: nothing that any run needs is lost, whatever happens at the same time."""

import os
import time

import pytest

from amlnb import host
from amlnb.core.manifest import decode
from amlnb.engine import delete, gc
from amlnb.engine.snapshot import take_snapshot
from amlnb.store.objects import ObjectStore
from amlnb.tracking import create

HOUR = 3600


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "source"
    folder.mkdir()
    for i in range(3):
        (folder / f"file{i}.py").write_text(f"# {i}")
    return folder


def submit(workspace, source, name):
    """What a submission does to objects and runs, without a run; the source counts as long unchanged."""
    objects = ObjectStore(workspace.directory.objects)
    snapshot = take_snapshot(source, objects, host.cache_dir(), now_ns=lambda: time.time_ns() + 10 * 10**9)
    record = {"id": name, "experiment": "e", "snapshot": snapshot.id, "git_diff": objects.put_bytes(b"diff"), "created": 1.0}
    return create.create_run(workspace.directory.runs, record)


def collect(workspace, *, dry_run=False, progress=lambda *_: None):
    return gc.collect_garbage(workspace.directory, dry_run=dry_run, progress=progress)


def everything(folder):
    return {
        os.path.join(top, name): os.lstat(os.path.join(top, name)).st_mtime_ns
        for top, folders, names in os.walk(folder)
        for name in folders + names
    }


def objects_of(workspace):
    root = workspace.directory.objects
    return {path for path in everything(root) if os.path.isfile(path) and "/.tmp/" not in path}


def grow_old(workspace, seconds=2 * HOUR):
    for path in everything(workspace.directory.path):
        os.utime(path, (time.time() - seconds,) * 2)


def is_whole(directory):
    """Everything that a run needs is there, with the right content."""
    from amlnb.store.run_record import read_record

    record = read_record(directory)
    objects = ObjectStore(os.path.join(os.path.dirname(os.path.dirname(directory)), "objects"))
    objects.read(record["git_diff"])
    for sha, _, _ in decode(objects.read(record["snapshot"]), record["snapshot"]).files.values():
        objects.read(sha)
    return True


def test_objects_of_deleted_runs_go_and_those_of_others_stay(workspace, source):
    first = submit(workspace, source, "first")
    (source / "file0.py").write_text("# changed")
    second = submit(workspace, source, "second")
    grow_old(workspace)
    assert collect(workspace).removed == {}
    delete.delete_run(first)
    report = collect(workspace)
    # Its manifest and the one file that only it had.
    assert report.removed[gc.OBJECTS][0] == 2
    assert report.kept == []
    assert is_whole(second)
    assert not os.path.exists(first)


def test_a_dry_run_tells_the_same_and_changes_nothing(workspace, source):
    delete.delete_run(submit(workspace, source, "gone"))
    os.makedirs(os.path.join(workspace.directory.runs, ".new-1234"))
    os.makedirs(os.path.join(workspace.directory.runs, ".deleted-1234", "work"))
    with open(os.path.join(workspace.directory.objects, ".tmp", "1-2"), "w", encoding="ascii") as file:
        file.write("half")
    grow_old(workspace)
    before = everything(workspace.directory.path)
    told = collect(workspace, dry_run=True)
    assert everything(workspace.directory.path) == before
    done = collect(workspace)
    assert done.removed == told.removed
    assert done.removed[gc.UNFINISHED_FILES] == [2, 4]
    assert done.removed[gc.DELETED_RUNS] == [1, 0]
    assert objects_of(workspace) == set()
    assert collect(workspace).removed == {}


def test_what_is_young_stays(workspace, source):
    delete.delete_run(submit(workspace, source, "gone"))
    os.makedirs(os.path.join(workspace.directory.runs, ".new-1234"))
    before = objects_of(workspace)
    assert collect(workspace).removed == {}
    assert objects_of(workspace) == before
    assert os.path.exists(os.path.join(workspace.directory.runs, ".new-1234"))


def test_a_young_manifest_keeps_its_old_contents(workspace, source):
    """A submission of unchanged source marks only its manifest before its run is there."""
    directory = submit(workspace, source, "gone")
    delete.delete_run(directory)
    grow_old(workspace)
    take_snapshot(source, ObjectStore(workspace.directory.objects), host.cache_dir())
    collect(workspace)
    assert len(objects_of(workspace)) == 4


@pytest.mark.parametrize("moment", range(14))
def test_a_submission_at_any_moment_of_a_collection_stays_whole(workspace, source, moment):
    """The source is unchanged since a run that was deleted, so the submission relies on what is being collected."""
    delete.delete_run(submit(workspace, source, "gone"))
    grow_old(workspace)
    made = []
    steps = 0

    def step(*_):
        nonlocal steps
        if steps == moment:
            made.append(submit(workspace, source, "new"))
        steps += 1

    collect(workspace, progress=step)
    if not made:
        assert moment >= steps
        return
    assert is_whole(made[0])
    collect(workspace)
    assert is_whole(made[0])


def test_an_object_that_a_killed_collection_had_moved_aside_comes_back(workspace, source):
    directory = submit(workspace, source, "kept")
    grow_old(workspace)
    path = min(objects_of(workspace))
    sha = os.path.basename(os.path.dirname(path)) + os.path.basename(path)
    os.rename(path, os.path.join(workspace.directory.objects, ".tmp", f"gc-{sha}"))
    assert collect(workspace).removed == {}
    assert is_whole(directory)


@pytest.mark.parametrize("text", ["{", '{"format": 99, "id": "x", "experiment": "e"}'])
def test_while_a_run_cannot_be_read_no_object_goes(workspace, source, text):
    delete.delete_run(submit(workspace, source, "gone"))
    unreadable = submit(workspace, source, "unreadable")
    with open(os.path.join(unreadable, "run.json"), "w", encoding="ascii") as file:
        file.write(text)
    grow_old(workspace)
    report = collect(workspace)
    assert gc.OBJECTS not in report.removed
    assert "run.json" in report.kept[0]
    assert len(objects_of(workspace)) == 5


def test_a_run_whose_objects_are_missing_is_no_obstacle(workspace, source):
    directory = submit(workspace, source, "kept")
    delete.delete_run(submit(workspace, source, "gone"))
    for path in objects_of(workspace):
        os.unlink(path)
    grow_old(workspace)
    assert collect(workspace).kept == []
    assert os.path.exists(directory)


def test_stale_caches_of_this_host_go_and_the_run_side_in_use_stays(workspace, own_cache):
    def made(*names, days):
        path = os.path.join(own_cache, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write("12345")
        for each in (path, os.path.dirname(path)):
            os.utime(each, (time.time() - days * 86400,) * 2)
        return path

    old = [made("snapshots", "old.json", days=100), made("index", "old.sqlite", days=100), made("run-side", "aaaa", "x.py", days=3)]
    new = [made("snapshots", "new.json", days=1), made("index", "new.sqlite", days=1), made("run-side", "bbbb", "x.py", days=1)]
    report = collect(workspace)
    assert report.kept == []
    assert report.bytes == 15
    assert [os.path.exists(path) for path in old] == [False] * 3
    assert [os.path.exists(path) for path in new] == [True] * 3


def test_run_sides_stay_while_a_courier_is_at_work(run_script, workspace, own_cache):
    for name in ("aaaa", "bbbb"):
        os.makedirs(os.path.join(own_cache, "run-side", name))
    run = run_script("pass")
    run.wait_for_completion()
    report = collect(workspace)
    assert "courier" in report.kept[0]
    assert os.path.exists(os.path.join(own_cache, "run-side", "aaaa"))


@pytest.fixture
def run_script(request):
    """The `submit` of conftest, which stands for something else here."""
    return request.getfixturevalue("submit")
