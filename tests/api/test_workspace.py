"""Where a workspace is found, and what is made where."""

import json
import os

import pytest

from amlnb import Experiment, Workspace
from amlnb.errors import ExperimentExecutionException, FormatError, UserErrorException

IDS = {"subscription_id": "s1", "resource_group": "g1", "workspace_name": "w1"}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user-data"))
    folder = tmp_path / "project" / "deep" / "down"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return tmp_path / "project"


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


@pytest.mark.parametrize(
    "name", [".azureml/config.json", ".azureml/project.json", "aml_config/config.json", "config.json"]
)
def test_v1s_configuration_is_found_upwards_and_the_data_are_beside_it(project, name):
    write(project / name, IDS)
    workspace = Workspace.from_config()
    assert (workspace.subscription_id, workspace.resource_group, workspace.name) == ("s1", "g1", "w1")
    assert workspace.directory.path == str(project / ".amlnb")
    assert isinstance(workspace.location, str)
    assert workspace.get_details()["name"] == "w1"


def test_a_plain_config_json_counts_only_with_a_workspace_name(project):
    write(project / "deep" / "config.json", {"learning_rate": 0.1})
    write(project / "config.json", IDS)
    assert Workspace.from_config().name == "w1"


def test_a_path_to_a_file_is_used_directly(project):
    write(project / "elsewhere" / "mine.json", IDS)
    workspace = Workspace.from_config(str(project / "elsewhere" / "mine.json"))
    assert workspace.directory.path == str(project / "elsewhere" / ".amlnb")


def test_our_own_folder_is_found_upwards(project):
    made, new = Workspace.find_or_create(str(project))
    assert new
    assert Workspace.from_config().directory.path == made.directory.path
    assert Workspace.find_or_create()[1] is False


def test_nothing_found_is_told_with_the_path(project):
    with pytest.raises(UserErrorException, match=str(project)):
        Workspace.from_config()


def test_amlnb_home_moves_the_data(project, tmp_path, monkeypatch):
    monkeypatch.setenv("AMLNB_HOME", str(tmp_path / "home"))
    write(project / ".azureml/config.json", IDS)
    assert Workspace.from_config().directory.path.startswith(str(tmp_path / "home"))


def test_amlnb_home_keeps_the_workspaces_of_two_folders_apart(project, tmp_path, monkeypatch):
    monkeypatch.setenv("AMLNB_HOME", str(tmp_path / "home"))
    for folder in ("one", "two"):
        (tmp_path / folder / "same").mkdir(parents=True)
    one, _ = Workspace.find_or_create(str(tmp_path / "one" / "same"))
    two, _ = Workspace.find_or_create(str(tmp_path / "two" / "same"))
    assert one.directory.path != two.directory.path
    assert Workspace.from_config(str(tmp_path / "one" / "same")).directory.path == one.directory.path
    assert not (tmp_path / "one" / "same" / ".amlnb").exists()


def test_a_workspace_by_its_names_lives_in_the_users_data(project, tmp_path):
    workspace = Workspace("s1", "g1", "www")
    assert workspace.directory.path.startswith(str(tmp_path / "user-data"))
    assert Workspace.get("www", subscription_id="s1", resource_group="g1").directory.path == workspace.directory.path
    with pytest.raises(UserErrorException, match="no workspace 'w2'"):
        Workspace.get("w2")


def test_create_then_write_config_then_from_config_is_one_workspace(project):
    made = Workspace.create("my-workspace")
    made.write_config()
    assert Workspace.from_config().directory.path == made.directory.path
    with pytest.raises(UserErrorException, match="exists"):
        Workspace.create("my-workspace")
    assert Workspace.create("my-workspace", exist_ok=True).name == "my-workspace"


@pytest.mark.parametrize("name", ["ab", "-abc", "a b c", "x" * 34])
def test_bad_names_of_workspaces_are_refused(project, name):
    with pytest.raises(UserErrorException, match="cannot be the name"):
        Workspace.create(name)


@pytest.mark.parametrize("name", ["", "-a", "a b", "ä", "a/b", "x" * 256])
def test_bad_names_of_experiments_are_refused(project, name):
    with pytest.raises(UserErrorException, match="cannot be the name"):
        Experiment(Workspace.find_or_create()[0], name)


def test_a_workspace_of_a_newer_format_is_refused(project):
    workspace, _ = Workspace.find_or_create()
    path = os.path.join(workspace.directory.path, "workspace.json")
    with open(path, encoding="ascii") as file:
        record = json.load(file)
    write(project / "deep" / "down" / ".amlnb" / "workspace.json", {**record, "format": 2})
    with pytest.raises(FormatError, match="format 2"):
        Workspace.from_config()


def test_the_portal_address_is_fixed_by_the_workspace_and_holds_no_secret(project):
    workspace, _ = Workspace.find_or_create()
    run = Experiment(workspace, "e").start_logging(snapshot_directory=None)
    run.complete()
    url = run.get_portal_url()
    assert url == f"{Workspace.from_config().portal_url}/runs/{run.id}"
    assert url.startswith("http://127.0.0.1:")
    assert "?" not in url


def test_experiments_are_listed_archived_and_reactivated(project):
    workspace, _ = Workspace.find_or_create()
    for name in ("b", "a"):
        Experiment(workspace, name).start_logging(snapshot_directory=None).complete()
    assert list(workspace.experiments) == ["a", "b"]
    assert list(workspace.experiments()) == ["a", "b"]  # the oldest v1 code calls it
    Experiment(workspace, "a").archive()
    assert [experiment.name for experiment in Experiment.list(workspace)] == ["b"]
    Experiment(workspace, "a").reactivate()
    assert [experiment.name for experiment in Experiment.list(workspace)] == ["a", "b"]


def test_a_run_is_found_by_whatever_the_command_line_takes(project):
    workspace, _ = Workspace.find_or_create()
    runs = [Experiment(workspace, "digits").start_logging(snapshot_directory=None) for _ in range(2)]
    for run in runs:
        run.complete()
    first, second = sorted(runs, key=lambda run: (run.get_details()["startTimeUtc"], run.id))
    assert workspace.get_run(first.id).id == first.id
    assert workspace.get_run(first.id.rpartition("_")[2]).id == first.id
    assert {workspace.get_run(f"digits#{number}").id for number in (1, 2)} == {first.id, second.id}
    assert workspace.get_run("last").id == workspace.get_run("digits#2").id
    with pytest.raises(UserErrorException, match="did you mean 'digits#"):
        workspace.get_run("digits#3")


def test_the_ways_to_a_workspace_are_told_where_there_is_none(project):
    with pytest.raises(UserErrorException) as told:
        Workspace.from_config()
    for way in ("%%submit", "amlnb submit", "write_config()"):
        assert way in told.value.hint


def test_a_run_that_cannot_be_written_says_where_and_what_to_do(project):
    """A file stands where the runs belong; a full or read-only disk is told the same way."""
    workspace = Workspace.find_or_create(str(project))[0]
    os.rmdir(workspace.directory.runs)
    with open(workspace.directory.runs, "w", encoding="ascii"):
        pass
    with pytest.raises(ExperimentExecutionException, match="could not be written to the workspace") as told:
        Experiment(workspace, "e").start_logging(snapshot_directory=None)
    assert "AMLNB_HOME" in str(told.value)
