"""The table of runs that is kept between requests: it tells what the run directories tell, whatever happens to them."""

import os
import shutil
import time

import pytest

from amlnb.server.run_table import RunTable
from amlnb.store.index import Index
from amlnb.testing.store_contract import final
from amlnb.tracking.edits import add_edit
from amlnb.tracking.journal import JournalWriter
from amlnb.tracking.seal import seal
from tests.server.conftest import wait_until


@pytest.fixture
def table(workspace):
    return RunTable(workspace)


def listed(runs):
    return [(run.id, run.number, run.state, run.display_name, run.tags, run.metrics) for run in runs]


def shown(table):
    return listed(each.summary for each in table.look())


def told(workspace):
    return listed(Index(workspace).list_runs())


def test_it_says_what_the_index_says_through_a_runs_life(table, workspace, make_run):
    make_run("old", created=1, metrics={"loss": [1.0]})
    directory = make_run("new", state=None, created=2, metrics={"loss": [3.0]})
    assert shown(table) == told(workspace)
    writer = JournalWriter(directory, "1")
    writer.log_float("acc", 0.5, 0)
    writer.close()
    assert shown(table) == told(workspace)
    seal(directory, final("Completed"))
    assert shown(table) == told(workspace)
    add_edit(directory, {"op": "rename", "display_name": "best"})
    add_edit(directory, {"op": "tags", "tags": {"a": "1"}})
    assert shown(table) == told(workspace)
    make_run("between", created=1.5)
    assert shown(table) == told(workspace)
    shutil.rmtree(directory)
    assert shown(table) == told(workspace)


def test_edits_of_many_runs_that_have_ended_are_seen_in_turn(table, workspace, make_run, monkeypatch):
    monkeypatch.setattr("amlnb.server.run_table._IN_TURN", 3)
    directories = [make_run(f"r{number}", created=number) for number in range(20)]
    table.look()
    time.sleep(0.1)  # the folders' times are settled
    table.look()
    add_edit(directories[17], {"op": "rename", "display_name": "x"})
    for _ in range(20):
        table.look()
    assert shown(table) == told(workspace)


def test_a_version_stands_for_what_is_shown(table, make_run):
    directory = make_run("r")
    table.look()
    time.sleep(0.1)
    table.look()
    version = table.version
    table.look()
    assert table.version == version
    add_edit(directory, {"op": "archive"})
    table.touch("r")
    assert table.version == version + 1
    assert table.get("r").summary.archived


def test_a_run_that_cannot_be_read_comes_back_when_it_can(table, workspace, make_run):
    directory = make_run("r")
    record = os.path.join(directory, "run.json")
    os.rename(record, record + ".away")
    assert shown(table) == []
    assert list(table.unreadable) == [directory]
    os.rename(record + ".away", record)
    assert shown(table) == told(workspace)
    assert not table.unreadable


def test_an_empty_workspace_has_no_runs(table, workspace):
    assert table.runs() == ()
    shutil.rmtree(workspace.runs)
    assert table.look() == ()


def test_without_a_host_local_cache_runs_are_shown_all_the_same(table, make_run, monkeypatch):
    make_run("ended")
    make_run("going", state=None)
    make_run("new", state=None)
    monkeypatch.setenv("AMLNB_CACHE_DIR", "/proc/no-such-folder")
    assert {run[0] for run in shown(table)} == {"ended", "going", "new"}
    assert {run[0] for run in shown(table)} == {"ended", "going", "new"}
    assert not table.unreadable


def test_what_was_made_of_runs_that_have_changed_since_is_not_told_of_those_there_are_now(table, make_run):
    make_run("first")
    before = table.seen()
    make_run("second")
    table.look()
    assert table.facets(before.version, "count", lambda: len(before.runs)) == 1  # by who had seen them a moment ago
    now = table.seen()
    assert table.facets(now.version, "count", lambda: len(now.runs)) == 2
    assert table.facets(now.version, "count", lambda: 0) == 2


def test_a_table_is_read_ahead_once_and_quietly(table, make_run, workspace):
    make_run("r")
    table.read_ahead()
    table.read_ahead()
    wait_until(lambda: table.version)
    assert [each.summary.id for each in table.runs()] == ["r"]
    shutil.rmtree(workspace.path)
    RunTable(workspace).read_ahead()
