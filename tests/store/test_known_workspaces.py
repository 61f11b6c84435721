"""Which workspaces this user has made runs in: kept when a run is made, told as long as they are there."""

import json
import os
import shutil

import pytest

from amlnb.store import known_workspaces
from amlnb.store.workspace_dir import local_ids, open_directory


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("AMLNB_CACHE_DIR", str(tmp_path / "cache"))
    return open_directory(str(tmp_path / "project" / ".amlnb"), local_ids("p"))


def test_a_workspace_is_known_once_a_run_is_made_in_it(data):
    assert known_workspaces.known() == {}
    data.make_experiment("e")
    key = known_workspaces.key_of(data.path)
    assert known_workspaces.known() == {key: data.path}
    assert known_workspaces.find(key) == data.path


def test_a_link_to_a_workspace_is_the_same_workspace(data, tmp_path):
    (tmp_path / "link").symlink_to(os.path.dirname(data.path))
    assert known_workspaces.key_of(str(tmp_path / "link" / ".amlnb")) == known_workspaces.key_of(data.path)


def test_one_that_is_gone_or_became_another_is_not_told(data, tmp_path):
    data.make_experiment("e")
    key = known_workspaces.key_of(data.path)
    path = os.path.join(os.environ["AMLNB_CACHE_DIR"], "workspaces", f"{key}.json")
    with open(path, "w") as file:
        json.dump({"path": str(tmp_path)}, file)
    assert known_workspaces.known() == {}
    os.unlink(path)
    data.make_experiment("e")
    shutil.rmtree(data.path)
    assert known_workspaces.known() == {}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"path": 3}', "{"])
def test_a_damaged_file_is_passed_over_and_written_again_when_it_is_gone(data, content):
    data.make_experiment("e")
    key = known_workspaces.key_of(data.path)
    path = os.path.join(os.environ["AMLNB_CACHE_DIR"], "workspaces", f"{key}.json")
    with open(path, "w") as file:
        file.write(content)
    assert known_workspaces.known() == {}
    os.unlink(path)
    data.make_experiment("e")
    assert known_workspaces.known() == {key: data.path}


@pytest.mark.parametrize("key", ["", "../../x", "0123456789AB", "0123456789abc", "x" * 12])
def test_what_is_no_key_finds_nothing(data, key):
    assert known_workspaces.find(key) is None


def test_without_a_cache_nothing_is_known_and_runs_are_made_all_the_same(data, monkeypatch):
    monkeypatch.setenv("AMLNB_CACHE_DIR", "/proc/no-such-folder")
    data.make_experiment("e")
    assert known_workspaces.known() == {}
    assert known_workspaces.find("0123456789ab") is None
