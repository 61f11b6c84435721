"""What pages read of workspaces and runs."""

import math
import os
import shutil

import pytest

from amlnb.live.series_frames import decode_frames
from amlnb.store.known_workspaces import key_of
from amlnb.store.workspace_dir import local_ids, open_directory
from amlnb.tracking.edits import add_edit
from amlnb.tracking.journal import JournalWriter


def ids(found):
    return [run["id"] for run in found["runs"]]


def test_what_serves_is_told(api):
    told = api.get("about")
    assert told["acts"] is True
    assert told["page"] == "/amlnb/studio/"


def test_the_workspace_of_the_folder_is_the_current_one(api, project, workspace, key):
    (project / "deep" / "down").mkdir(parents=True)
    for folder in ("", "deep/down", "/deep"):
        told = api.get("workspaces", folder=folder)["workspaces"]
        assert told[0] == {"key": key, "name": "test", "path": workspace.path, "current": True}


def test_a_workspace_that_was_used_anywhere_is_known(api, tmp_path, make_run):
    from amlnb.server.served import Served

    make_run("r1")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    told = Served(str(elsewhere)).workspaces()
    assert "test" in {each["name"] for each in told}
    assert not any(each["current"] for each in told)


def test_a_folder_that_leads_out_of_the_root_is_refused(api):
    status, told = api.refused("workspaces", folder="../../etc")
    assert status == 400
    assert "not below the root" in told["message"]


def test_a_link_below_the_root_is_followed_as_jupyter_does(api, project, workspace, tmp_path):
    elsewhere = open_directory(str(tmp_path / "elsewhere" / ".amlnb"), local_ids("elsewhere"))
    (project / "link").symlink_to(tmp_path / "elsewhere")
    told = api.get("workspaces", folder="link")["workspaces"]
    assert (told[0]["name"], told[0]["current"]) == ("elsewhere", True)
    assert told[0]["key"] == key_of(elsewhere.path)
    assert api.refused("workspaces", folder="link/../..")[0] == 400


def test_a_run_is_found_by_its_id(api, make_run, key):
    make_run("r1")
    assert api.get("find", run="r1")["workspace"]["key"] == key
    assert api.refused("find", run="no-such-run")[0] == 404


def test_a_workspace_that_cannot_be_read_hides_no_run_of_another_one(api, make_run, key, project, tmp_path):
    make_run("r1")
    broken = open_directory(str(tmp_path / "broken" / ".amlnb"), local_ids("broken"))
    (project / "broken").symlink_to(tmp_path / "broken")
    assert len(api.get("workspaces", folder="broken")["workspaces"]) >= 2  # it is known from now on
    os.rename(broken.runs, broken.runs + "-aside")
    (tmp_path / "broken" / ".amlnb" / "runs").write_text("no folder")
    assert api.get("find", run="r1", folder="broken")["workspace"]["key"] == key
    assert api.refused("find", run="no-such-run", folder="broken")[0] == 404


def test_the_runs_come_newest_first_and_in_pages(api, make_run, key):
    for number in range(5):
        make_run(f"r{number}", created=float(number), metrics={"loss": [1.0, 0.1 * number]})
    found = api.get(f"w/{key}/runs", limit=2)
    assert (ids(found), found["total"]) == (["r4", "r3"], 5)
    assert found["runs"][0]["number"] == 5
    assert ids(api.get(f"w/{key}/runs", limit=2, offset=4)) == ["r0"]
    assert found["best"]["loss"] == {"direction": "min", "value": 0.0, "run": "r0"}
    assert found["columns"]["metrics"] == ["loss"]


def test_a_failed_run_is_never_the_best(api, make_run, key):
    make_run("crashed", "Failed", metrics={"mse": [0.05], "only": [1.0]})
    make_run("good", metrics={"mse": [0.2]})
    make_run("better", metrics={"mse": [0.1]})
    found = api.get(f"w/{key}/runs")
    assert found["best"]["mse"] == {"direction": "min", "value": 0.1, "run": "better"}
    assert found["columns"]["metrics"] == ["mse", "only"]


@pytest.mark.parametrize(
    ("sort", "descending", "expected"),
    [
        ("metrics.loss", 0, ["b", "a", "c"]),
        ("metrics.loss", 1, ["a", "b", "c"]),
        ("parameters.lr", 0, ["a", "b", "c"]),
        ("created", 0, ["a", "b", "c"]),
        ("number", 1, ["c", "b", "a"]),
        ("state", 0, ["b", "a", "c"]),
    ],
)
def test_runs_are_sorted_and_those_without_a_value_stand_last(api, make_run, key, sort, descending, expected):
    make_run("a", created=1, metrics={"loss": [2.0]}, definition={"arguments": ["--lr", "2"]})
    make_run("b", created=2, metrics={"loss": [1.0]}, definition={"arguments": ["--lr", "10"]})
    make_run("c", created=3, state="Failed", metrics={"loss": [math.nan]})
    assert ids(api.get(f"w/{key}/runs", sort=sort, descending=descending)) == expected


def test_a_query_chooses_and_a_misspelt_name_is_told(api, make_run, key):
    make_run("a", metrics={"loss": [0.5]})
    make_run("b", metrics={"loss": [1.5]})
    assert ids(api.get(f"w/{key}/runs", query='loss < 1 and state == "Completed"')) == ["a"]
    status, told = api.refused(f"w/{key}/runs", query="los < 1")
    assert status == 400
    assert told["hint"] == "did you mean loss?"


def test_a_search_finds_words_anywhere(api, make_run, key):
    make_run("a", tags={"dataset": "digits"})
    make_run("b", display_name="Second one")
    assert ids(api.get(f"w/{key}/runs", search="DIGITS")) == ["a"]
    assert ids(api.get(f"w/{key}/runs", search="one second")) == ["b"]


def test_archived_runs_and_children_come_where_they_are_asked_for(api, make_run, key):
    make_run("parent", created=1)
    make_run("child", created=2, parent="parent")
    add_edit(make_run("old", created=3), {"op": "archive"})
    assert ids(api.get(f"w/{key}/runs")) == ["parent"]
    assert ids(api.get(f"w/{key}/runs", archived=1)) == ["old", "parent"]
    assert ids(api.get(f"w/{key}/runs", parent="parent")) == ["child"]
    assert api.get(f"w/{key}/runs/parent")["children"] == 1


def test_groups_have_mean_and_spread(api, make_run, key):
    for number, lr in enumerate(["0.1", "0.1", "0.2"]):
        make_run(f"r{number}", metrics={"loss": [float(number)]}, definition={"arguments": ["--lr", lr]})
    groups = api.get(f"w/{key}/groups", by="parameters.lr")["groups"]
    assert [(each["value"], each["runs"]) for each in groups] == [("0.1", 2), ("0.2", 1)]
    assert groups[0]["metrics"]["loss"]["mean"] == 0.5
    assert groups[1]["metrics"]["loss"]["low"] == groups[1]["metrics"]["loss"]["high"] == 2.0


def test_experiments_count_their_runs(api, make_run, key):
    make_run("a", experiment="one", created=1)
    make_run("b", state=None, experiment="two", created=2)
    make_run("child", experiment="two", created=3, parent="b")
    found = api.get(f"w/{key}/experiments")["experiments"]
    assert [(each["name"], each["runs"], each["running"]) for each in found] == [("two", 1, 1), ("one", 1, 0)]


def test_what_changes_is_seen_by_the_next_request(api, make_run, key, workspace):
    directory = make_run("a", metrics={"loss": [1.0]})
    assert api.get(f"w/{key}/runs/a")["name"] is None
    add_edit(directory, {"op": "rename", "display_name": "best"})
    assert api.get(f"w/{key}/runs/a")["name"] == "best"
    make_run("b")
    assert api.get(f"w/{key}/runs/b")["number"] == 2


def test_a_run_that_cannot_be_read_is_counted_and_hides_no_other(api, make_run, key):
    make_run("a")
    with open(f"{make_run('b')}/run.json", "w") as file:
        file.write("{")
    found = api.get(f"w/{key}/runs")
    assert (ids(found), found["unreadable"]) == (["a"], 1)


def test_numbers_that_json_lacks_stand_as_text(api, make_run, key):
    make_run("a", metrics={"loss": [math.inf, math.nan]})
    assert api.get(f"w/{key}/runs/a")["metrics"]["loss"] == {"count": 2, "last": "NaN", "min": "NaN", "max": "NaN"}


def test_series_come_in_the_order_of_their_names_with_neighbours(api, make_run, key):
    make_run("a", metrics={"loss": [float(number) for number in range(1000)], "acc": [1.0]})
    path = f"w/{key}/runs/a/series"
    found = decode_frames(api.ask("GET", path, name=["acc", "nothing", "loss"], points=100).data)
    assert [len(frame.value) for frame in found[:2]] == [1, 0]
    assert 80 <= len(found[2].value) <= 100
    assert [frame.sampled for frame in found] == [False, False, True]
    assert [frame.metric for frame in found] == [0, 1, 2]
    part = decode_frames(api.ask("GET", path, name="loss", low=10.5, high=20).data)[0]
    assert part.step.tolist() == list(range(10, 22))
    between = decode_frames(api.ask("GET", path, name="loss", low=10.2, high=10.8).data)[0]
    assert between.step.tolist() == [10, 11]


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ({}, "give 1 to 50"),
        ({"name": "loss", "points": "many"}, "whole number"),
        ({"name": "loss", "points": 7}, "whole number"),
        ({"name": "loss", "low": "nan"}, "a number"),
        ({"name": "loss", "low": 2, "high": 1}, "lower one"),
        ({"name": "loss", "axis": "steps"}, "one of step, time"),
        ({"name": "loss", "axes": "step"}, "did you mean 'axis'"),
        ({"name": ["loss"], "low": [1, 2]}, "once"),
    ],
)
def test_what_is_wrong_with_a_request_is_told(api, make_run, key, query, hint):
    make_run("a", metrics={"loss": [1.0]})
    status, told = api.refused(f"w/{key}/runs/a/series", **query)
    assert status == 400
    assert hint in told["hint"]


@pytest.mark.parametrize(
    "path", ["w/0123456789ab/runs", "w/..%2f..%2f/runs", "w/x/runs/r", "w/0123456789ab/experiments"]
)
def test_a_workspace_that_is_not_served_is_not_there(api, path):
    assert api.refused(path)[0] == 404


def test_how_far_a_running_run_is_is_told(api, make_run, key):
    directory = make_run("r", state=None)
    assert api.get(f"w/{key}/runs/r")["progress"] is None
    os.makedirs(os.path.join(directory, "user_logs"))
    with open(os.path.join(directory, "user_logs", "std_log.txt"), "w") as file:
        file.write(" 45%|####5     | 45/100 [00:12<00:14,  3.87it/s]\n")
    assert api.get(f"w/{key}/runs/r")["progress"]["done"] == 45


def test_what_was_sampled_of_the_machine_is_a_series_too(api, make_run, key):
    directory = make_run("r")
    writer = JournalWriter(directory, "runner", folder="system")
    writer.log_float("cpu_percent", 50.0, 0)
    writer.close()
    assert api.get(f"w/{key}/runs/r/metrics")["system"]["cpu_percent"]["last"] == 50.0
    frame = decode_frames(api.ask("GET", f"w/{key}/runs/r/series", name="cpu_percent", system=1).data)[0]
    assert frame.value.tolist() == [50.0]


def test_of_a_workspace_that_was_deleted_nothing_is_kept(api, served, key, workspace, make_run):
    make_run("r1")
    assert api.get(f"w/{key}/runs")["total"] == 1
    before = served.table(key)
    shutil.rmtree(workspace.path)
    status, told = api.refused(f"w/{key}/runs")
    assert (status, told["message"]) == (404, f"there is no workspace {key!r} here")
    open_directory(workspace.path, local_ids("test"))
    assert served.table(key) is not before
    assert api.get(f"w/{key}/runs")["total"] == 0


@pytest.mark.parametrize("route", ["runs", "groups"])
@pytest.mark.parametrize("column", ["speed", "metrics.", "files.x"])
def test_a_column_that_there_is_not_is_told_with_those_there_are(api, make_run, key, route, column):
    make_run("r")
    asked = {"sort": column} if route == "runs" else {"by": column}
    status, told = api.refused(f"w/{key}/{route}", **asked)
    assert (status, told["message"]) == (400, f"there is no column {column!r}")
    assert "metrics.NAME" in told["hint"]


def test_runs_are_grouped_and_sorted_by_how_long_they_took(api, make_run, key):
    make_run("r", started=100.0)
    (group,) = api.get(f"w/{key}/groups", by="elapsed")["groups"]
    assert group["ids"] == ids(api.get(f"w/{key}/runs", sort="elapsed")) == ["r"]
