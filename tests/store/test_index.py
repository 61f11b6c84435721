"""The index is only a cache: deleted, damaged, locked, unusable or shared, it costs time and never a run."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from amlnb.core import layout
from amlnb.store.index import Index
from amlnb.store.workspace_dir import local_ids, open_directory
from amlnb.testing.store_contract import final, record
from amlnb.tracking.create import create_run
from amlnb.tracking.edits import add_edit
from amlnb.tracking.journal import JournalWriter
from amlnb.tracking.seal import seal


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    monkeypatch.setenv("AMLNB_CACHE_DIR", str(cache))
    return open_directory(str(tmp_path / "project" / ".amlnb"), local_ids("test"))


@pytest.fixture
def runs(workspace):
    """Three runs: one sealed, one running, one that nobody has begun."""
    made = [create_run(workspace.runs, record(f"r{number}", created=float(number))) for number in range(3)]
    for directory in made[:2]:
        writer = JournalWriter(directory, "0")
        writer.log_float("loss", 0.5)
        writer.write_event({"t": "state", "attempt": 1, "phase": "Running", "time": 1.0})
        writer.close()
    seal(made[0], final("Completed"))
    return made


STATES = {"r0": "Completed", "r1": "Running", "r2": "NotStarted"}


def listed(workspace):
    return {run.id: run.state for run in Index(workspace).list_runs()}


def damage_header(path):
    with open(path, "r+b") as file:
        file.write(b"garbage!" * 10)


def damage_pages(path):
    """The header, and so the version, stays."""
    with open(path, "r+b") as file:
        size = os.path.getsize(path)
        file.seek(4096)
        file.write(os.urandom(size - 4096))


def cut(path):
    os.truncate(path, os.path.getsize(path) // 2)


def empty(path):
    os.truncate(path, 0)


def other_tables(path):
    os.unlink(path)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE runs (x)")
    connection.close()


def our_version_without_tables(path):
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE runs")
    connection.close()


def damaged_row(path):
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET summary = '{'")
    connection.close()


def strange_row(path):
    with sqlite3.connect(path) as connection:
        connection.execute("""UPDATE runs SET summary = '{"x": 1}'""")
    connection.close()


def folder_in_its_place(path):
    os.unlink(path)
    os.mkdir(path)


@pytest.mark.parametrize(
    "damage",
    [
        os.unlink, damage_header, damage_pages, cut, empty, other_tables, our_version_without_tables, damaged_row,
        strange_row, folder_in_its_place,
    ],
)  # fmt: skip
def test_whatever_happens_to_the_file_the_runs_are_listed(workspace, runs, damage):
    assert listed(workspace) == STATES
    damage(Index(workspace).path)
    for _ in range(2):
        assert listed(workspace) == STATES


def test_the_file_is_replaced_while_an_index_is_in_use(workspace, runs):
    index = Index(workspace)
    assert len(index.list_runs()) == 3
    damage_pages(index.path)
    assert len(index.list_runs()) == 3
    index.delete()
    assert len(index.list_runs()) == 3
    assert index.rebuild() == 3


def test_a_cache_folder_that_cannot_be_used_costs_only_time(workspace, runs, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AMLNB_CACHE_DIR", str(tmp_path / "file"))
    assert listed(workspace) == STATES


def test_a_full_cache_costs_only_time(workspace, runs):
    """A limit on the size of files is a full disk that needs no root."""
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))\n"
        "from amlnb.store.index import Index; from amlnb.store.workspace_dir import open_directory\n"
        "print(len(Index(open_directory(sys.argv[1])).list_runs()))"
    )
    # -B: under the limit, Python would leave behind byte code that is cut.
    assert subprocess.check_output([sys.executable, "-B", "-c", program, workspace.path], text=True) == "3\n"


def test_a_lock_that_is_never_given_back_costs_only_time(workspace, runs, monkeypatch):
    monkeypatch.setattr("amlnb.store.index._LOCK_WAIT_S", 0.05)
    assert listed(workspace) == STATES
    holder = sqlite3.connect(Index(workspace).path)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        assert listed(workspace) == STATES
    finally:
        holder.close()


def test_a_run_that_was_removed_is_gone_and_one_that_came_back_is_there(workspace, runs, tmp_path):
    assert listed(workspace) == STATES
    shutil.move(runs[0], tmp_path / "aside")
    assert "r0" not in listed(workspace)
    shutil.move(tmp_path / "aside", runs[0])
    assert listed(workspace) == STATES


def test_edits_after_the_seal_are_seen_however_fast_they_come(workspace, runs):
    """Time stamps of files are coarser than that."""
    index = Index(workspace)
    for number in range(50):
        add_edit(runs[0], {"op": "tags", "tags": {"n": str(number)}})
        assert index.list_runs(run_id="r0")[0].tags == {"n": str(number)}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is damaged: it holds no format, run id and experiment"),
        (b"\xff\xfe\0", "is damaged"),
        (b"[" * 100_000, "is damaged"),
        (b'{"format": 2, "id": "x", "experiment": "y"}', "has format 2, and this amlnb reads up to 1"),
        (None, "is not a run directory: it has no run.json"),
    ],
)
def test_a_run_that_cannot_be_read_is_told_and_its_old_row_is_not_shown(workspace, runs, content, told):
    index = Index(workspace)
    assert len(index.list_runs()) == 3
    path = os.path.join(runs[2], layout.RUN_JSON)
    os.unlink(path)
    if content is not None:
        with open(path, "wb") as file:
            file.write(content)
    for each in (index, Index(workspace)):
        readable = {run.id for run in each.list_runs()}
        if each is index:  # which has read the record while it was whole
            assert readable >= {"r0", "r1"}
            continue
        assert readable == {"r0", "r1"}
        assert list(each.unreadable) == [runs[2]]
        assert told in each.unreadable[runs[2]]
        assert "\nhint: " in each.unreadable[runs[2]]


@pytest.mark.parametrize("name", ["README", "a-folder", "²\udcff"])
def test_what_is_no_run_is_told(workspace, runs, name):
    path = os.path.join(workspace.runs, name)
    if name == "README":
        with open(path, "w", encoding="ascii") as file:
            file.write("hello")
    else:
        os.mkdir(path)
    index = Index(workspace)
    assert {run.id for run in index.list_runs()} == {"r0", "r1", "r2"}
    assert [os.path.basename(directory) for directory in index.unreadable] == [name]


@pytest.mark.parametrize(
    "damaged", [b"", b"garbage", b"{}", b'{"state": "Sleeping"}', b'{"format": 2, "state": "Completed"}']
)
def test_a_run_whose_end_cannot_be_understood_is_listed_and_says_so(workspace, runs, damaged):
    with open(os.path.join(runs[0], layout.FINAL_JSON), "wb") as file:
        file.write(damaged)
    found = {run.id: run for run in Index(workspace).list_runs()}
    assert found["r0"].state == "NotResponding"
    assert found["r0"].metrics["loss"]["last"] == 0.5


def test_a_workspace_that_was_copied_or_moved_lists_its_runs_where_they_are(workspace, runs, tmp_path):
    assert listed(workspace) == STATES
    before = {run.id: run for run in Index(workspace).list_runs()}
    for place in ("copied", "again"):
        copy = shutil.copytree(workspace.path, tmp_path / place / ".amlnb")
        found = Index(open_directory(str(copy))).list_runs()
        assert {run.id: run.state for run in found} == STATES
        assert all(run.directory.startswith(str(copy)) for run in found)
        assert [run.metrics for run in found] == [before[run.id].metrics for run in found]
    with open(Index(workspace).path, "rb") as file:
        assert str(tmp_path).encode() not in file.read()


def test_processes_that_list_at_once_all_see_all(workspace, runs):
    program = (
        "import sys; from amlnb.store.index import Index; from amlnb.store.workspace_dir import open_directory\n"
        "workspace = open_directory(sys.argv[1])\n"
        "for _ in range(15):\n"
        "    if sys.argv[2] == 'deletes': Index(workspace).delete()\n"
        "    index = Index(workspace)\n"
        "    assert sorted(run.id for run in index.list_runs()) == ['r0', 'r1', 'r2'], index.unreadable\n"
        "    assert not index.unreadable"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", program, workspace.path, what], stderr=subprocess.PIPE, text=True)
        for what in ("lists", "deletes", "lists", "deletes")
    ]
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors


def test_a_thousand_runs(workspace):
    for number in range(1000):
        directory = create_run(workspace.runs, record(f"r{number}", experiment=f"e{number % 3}", created=float(number)))
        with open(os.path.join(directory, layout.FINAL_JSON), "w", encoding="ascii") as file:
            json.dump({**final("Completed"), "format": 1, "sizes": {}}, file)
    index = Index(workspace)
    assert [run.id for run in index.list_runs()] == [f"r{number}" for number in reversed(range(1000))]
    assert [run.number for run in index.list_runs("e1")] == list(range(333, 0, -1))
    assert Index(workspace).list_runs(run_id="r999")[0].number == 334
