"""What v1 code asks of a workspace."""

import inspect
import json
import os

import pytest

from amlnb.api.authentication import InteractiveLoginAuthentication
from amlnb.api.compute import AmlCompute, ComputeTarget, RemoteCompute
from amlnb.api.experiment import Experiment
from amlnb.api.model import Model
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.api.workspace import Workspace
from amlnb.errors import NotServedException, UserErrorException

IDS = {"subscription_id": "s1", "resource_group": "g1", "workspace_name": "www"}


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user-data"))
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def workspace(project):
    return Workspace.find_or_create(str(project))[0]


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [
        (".azureml/config.json", ".azureml/project.json"),
        (".azureml/project.json", "aml_config/config.json"),
        ("aml_config/config.json", "aml_config/project.json"),
        ("aml_config/project.json", "config.json"),
    ],
)
def test_the_order_of_the_search(project, nearer, farther):
    write(project / nearer, IDS)
    write(project / farther, {**IDS, "workspace_name": "other"})
    assert Workspace.from_config(auth=InteractiveLoginAuthentication()).name == "www"
    assert Workspace.from_config(path=str(project / farther)).name == "other"


def test_what_scripts_print_is_text(workspace):
    assert "name " + workspace.name + workspace.location + workspace.resource_group + workspace.subscription_id


def test_details_have_v1s_keys(project):
    made = Workspace.create("my-workspace", tags={"a": "b"}, friendly_name="Mine", location="eastus", sku="basic")
    details = Workspace.get("my-workspace").get_details()
    assert set(details) >= {
        "id", "name", "location", "type", "tags", "workspaceid", "description", "friendlyName", "creationTime",
        "containerRegistry", "keyVault", "applicationInsights", "identityPrincipalId", "identityTenantId", "identityType",
        "storageAccount", "sku", "hbiWorkspace", "imageBuildCompute",
    }  # fmt: skip
    assert (details["tags"], details["friendlyName"], details["location"]) == ({"a": "b"}, "Mine", "local")
    assert details["workspaceid"] == made._workspace_id != ""
    assert json.dumps(details)


def test_the_cells_of_the_configuration_notebook(project):
    """Try to open, write the configuration, or create."""
    try:
        workspace = Workspace(subscription_id="s1", resource_group="g1", workspace_name="w-1")
    except UserErrorException:
        pytest.fail("a workspace of whatever names opens")
    workspace.write_config()
    with open(project / ".azureml" / "config.json") as file:
        assert json.load(file) == {"subscription_id": "s1", "resource_group": "g1", "workspace_name": "w-1"}
    again = Workspace.create(
        name="w-1", subscription_id="s1", resource_group="g1", location="westus2", create_resource_group=True, exist_ok=True
    )
    assert again.directory.path == workspace.directory.path == Workspace.from_config().directory.path


@pytest.mark.parametrize(
    "opened",
    [
        lambda: Workspace("s1", "g1", "www"),
        lambda: Workspace.get("www", subscription_id="s1", resource_group="g1"),
        lambda: Workspace.get("www"),
        lambda: Workspace.create("www", subscription_id="s1", resource_group="g1", exist_ok=True),
    ],
)
@pytest.mark.parametrize("is_made", [True, False])
def test_by_the_names_of_the_configuration_beside_it_is_the_same_workspace(project, monkeypatch, opened, is_made):
    write(project / ".azureml/config.json", IDS)
    if is_made:
        Workspace.from_config()
    (project / "below").mkdir()
    monkeypatch.chdir(project / "below")
    assert opened().directory.path == str(project / ".amlnb")
    assert Workspace("s1", "g1", "other").directory.path.startswith(os.environ["XDG_DATA_HOME"])


def test_in_a_run_whose_source_has_the_configuration_it_is_the_runs_own_workspace(project):
    write(project / ".azureml/config.json", IDS)
    (project / "train.py").write_text(
        "from amlnb import Run, Workspace\n"
        "found = [Workspace.from_config(), Workspace('s1', 'g1', 'www'), Run.get_context().experiment.workspace]\n"
        "print({each.directory.path for each in found})"
    )
    workspace = Workspace.from_config()
    run = Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py"))
    run.wait_for_completion()
    with open(os.path.join(run.directory, "user_logs", "std_log.txt")) as file:
        assert file.read() == f"{ {workspace.directory.path} }\n"


def test_a_configuration_that_is_broken_is_no_obstacle_to_another_workspace(project):
    (project / "config.json").write_text('{"workspace_name": 3}')
    assert Workspace("s1", "g1", "www").name == "www"


def test_where_the_configuration_is_written(workspace, project):
    workspace.write_config(path=str(project / "below"), file_name="mine.json")
    assert os.listdir(project / "below" / ".azureml") == ["mine.json"]
    found = Workspace.from_config(path=str(project / "below"), _file_name=".azureml/mine.json")
    assert found.name == workspace.name


@pytest.mark.parametrize("name", ["ab", "-abc", "_abc", "a b c", "äöü", "a.b.c", "x" * 34, 123, None, "abc\n"])
def test_names_that_no_workspace_can_have(project, name):
    with pytest.raises(UserErrorException, match="cannot be the name"):
        Workspace.create(name)
    with pytest.raises(UserErrorException, match=r"cannot be the name|workspace_name is"):
        Workspace("s1", "g1", name)
    assert not os.path.exists(os.environ["XDG_DATA_HOME"])


@pytest.mark.parametrize("given", [(None, "g1", "www"), ("s1", None, "www"), ("s1", "g1", None), ("", "g1", "www"), (3, "g", "www")])
def test_names_are_texts(project, given):
    with pytest.raises(UserErrorException, match=r"subscription_id is|resource_group is|workspace_name is"):
        Workspace(*given)


def test_a_workspace_that_is_made_by_its_names_is_told_once(project, capsys):
    made = Workspace("s1", "g1", "www", tags={"a": 1})
    assert capsys.readouterr().err == f"amlnb: made the workspace 'www' in {made.directory.path!r}\n"
    assert Workspace("s1", "g1", "www").get_details()["tags"] == {"a": "1"}
    assert capsys.readouterr().err == ""


def test_a_configured_workspace_opens_whatever_its_name_is(project):
    write(project / ".azureml/config.json", {**IDS, "workspace_name": "w1"})
    assert Workspace("s1", "g1", "w1").directory.path == str(project / ".amlnb")


@pytest.mark.parametrize("place", [".azureml", "aml_config", ""])
def test_a_configuration_of_another_name_is_looked_for_upwards(project, place):
    write(project / place / "mine.json", IDS)
    (project / "below" / "deep").mkdir(parents=True)
    assert Workspace.from_config(path=str(project / "below" / "deep"), _file_name="mine.json").name == "www"
    assert Workspace.from_config(_file_name="mine.json").name == "www"
    with pytest.raises(UserErrorException, match=r"there is no '\.azureml/other\.json' in"):
        Workspace.from_config(_file_name="other.json")


@pytest.mark.parametrize("path", ["nowhere", "nowhere/config.json", "/no/where"])
def test_a_path_that_does_not_exist_is_named(project, path):
    write(project / ".azureml/config.json", IDS)
    with pytest.raises(UserErrorException, match=f"the path '{path}' does not exist"):
        Workspace.from_config(path)


def test_a_workspace_is_changed(workspace, capsys):
    workspace.update(tags={"a": 1}, description="Ours")
    details = workspace.update(friendly_name="Mine", image_build_compute="cpu-cluster")
    assert capsys.readouterr().out == "Warning: image_build_compute has no effect: there is no cloud\n"
    assert (details["tags"], details["description"], details["friendlyName"]) == ({"a": "1"}, "Ours", "Mine")
    assert workspace.update(tags={})["tags"] == {}
    with pytest.raises(UserErrorException, match=r"tags is \['a'\], a list"):
        workspace.update(tags=["a"])
    workspace.sync_keys()
    assert "sync_keys has no effect" in capsys.readouterr().out
    assert workspace.private_endpoints == {}


def test_what_only_a_cloud_has_is_told_when_a_workspace_is_made(project, capsys):
    Workspace.create("mine", storage_account="s", hbi_workspace=True, private_endpoint_config=object(), location="eastus")
    told = "Warning: storage_account, hbi_workspace, private_endpoint_config have no effect: there is no cloud\n"
    assert capsys.readouterr().out == told
    with pytest.raises(UserErrorException, match="tags is 'a', a str"):
        Workspace.create("other", tags="a")
    assert list(Workspace.list(None)) == ["mine"]


def test_workspaces_are_listed_and_found_by_name(project):
    Workspace.create("one", subscription_id="s1", resource_group="g1")
    Workspace.create("one", subscription_id="s1", resource_group="g2")
    Workspace.create("two", subscription_id="s2", resource_group="g1")
    assert {name: len(found) for name, found in Workspace.list(None).items()} == {"one": 2, "two": 1}
    assert set(Workspace.list("s2")) == {"two"}
    assert {name: len(found) for name, found in Workspace.list("s1", resource_group="g2").items()} == {"one": 1}
    assert Workspace.get("two").subscription_id == "s2"
    assert Workspace.get(name="one", subscription_id="s1", resource_group="g2").resource_group == "g2"
    with pytest.raises(UserErrorException, match="there are 2 workspaces 'one'"):
        Workspace.get("one")
    with pytest.raises(UserErrorException, match="there is no workspace 'three'"):
        Workspace.get("three")


def test_a_workspace_is_deleted_whole(project):
    workspace = Workspace.create("mine")
    (project / "wait.py").write_text("import time; time.sleep(600)")
    workspace.get_default_keyvault().set_secret("key", "value")
    run = Experiment(workspace, "e").submit(ScriptRunConfig(".", "wait.py"))
    with pytest.raises(UserErrorException, match="cannot be deleted"):
        workspace.delete(delete_dependent_resources=True)
    run.cancel()
    run.wait_for_completion(raise_on_error=False)
    workspace.delete(delete_dependent_resources=True, no_wait=True)
    assert not os.path.exists(workspace.directory.path)
    again = Workspace.create("mine")
    assert again.get_default_keyvault().list_secrets() == []


def test_compute_targets_are_a_dict_that_may_be_called(workspace):
    config = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=4)
    ComputeTarget.create(workspace, Workspace.DEFAULT_CPU_CLUSTER_NAME, config)
    ComputeTarget.attach(workspace, "box", RemoteCompute.attach_configuration(username="me", address="box"))
    for found in (workspace.compute_targets, workspace.compute_targets()):
        assert {name: type(target) for name, target in found.items()} == {"box": RemoteCompute, "cpu-cluster": AmlCompute}
    found = workspace.compute_targets["cpu-cluster"]
    assert found.type == "AmlCompute"
    assert "local" not in workspace.compute_targets
    assert workspace.get_default_compute_target("CPU").name == "cpu-cluster"
    assert workspace.get_default_compute_target("gpu") is None
    with pytest.raises(UserErrorException, match="type of a compute target is 'TPU'"):
        workspace.get_default_compute_target("TPU")


def test_a_workspace_is_made_with_its_clusters(project):
    made = Workspace.create("mine", default_cpu_compute_target=Workspace.DEFAULT_CPU_CLUSTER_CONFIGURATION)
    assert list(made.compute_targets) == ["cpu-cluster"]
    assert Workspace.DEFAULT_GPU_CLUSTER_CONFIGURATION.vm_size == "STANDARD_NC6"


def test_models_are_a_dict_of_the_newest_and_called_a_list(workspace, project):
    (project / "a.txt").write_text("a")
    for number in range(2):
        Model.register(workspace=workspace, model_path="a.txt", model_name="a", tags={"area": "x"} if number else {})
    Model.register(workspace=workspace, model_path="a.txt", model_name="b")
    assert {name: model.version for name, model in workspace.models.items()} == {"a": 2, "b": 1}
    assert sorted((model.name, model.version) for model in workspace.models()) == [("a", 1), ("a", 2), ("b", 1)]
    assert [(model.name, model.version) for model in workspace.models(tags=["area"])] == [("a", 2)]
    assert {model.version for model in workspace.models(name="a")} == {1, 2}


@pytest.mark.parametrize("name", ["webservices", "images", "datastores", "datasets"])
def test_what_there_is_none_of(workspace, name):
    found = getattr(workspace, name)
    assert (dict(found), dict(found()), list(found.items())) == ({}, {}, [])
    assert ("x" in found, found.get("x"), len(found)) == (False, None, 0)
    with pytest.raises(NotServedException, match=rf"Workspace\.{name}\['x'\]") as raised:
        found["x"]
    assert raised.value.hint


@pytest.mark.parametrize(
    "call",
    [
        lambda workspace: workspace.get_default_datastore(),
        lambda workspace: workspace.set_default_datastore("workspaceblobstore"),
        lambda workspace: workspace.get_mlflow_tracking_uri(),
    ],
)
def test_what_is_not_served_yet_says_so(workspace, call):
    with pytest.raises(NotServedException, match="is not served by amlnb yet") as raised:
        call(workspace)
    assert raised.value.hint


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (Workspace.from_config, "path auth _logger _file_name"),
        (
            Workspace,
            "subscription_id resource_group workspace_name auth _location _disable_service_check _workspace_id sku tags _cloud",
        ),
        (
            Workspace.create,
            ("name auth subscription_id resource_group location create_resource_group sku tags friendly_name storage_account "
             "key_vault app_insights container_registry adb_workspace primary_user_assigned_identity cmk_keyvault "
             "resource_cmk_uri hbi_workspace default_cpu_compute_target default_gpu_compute_target private_endpoint_config "
             "private_endpoint_auto_approval exist_ok show_output user_assigned_identity_for_cmk_encryption "
             "system_datastores_auth_mode v1_legacy_mode"),
        ),
        (Workspace.write_config, "self path file_name"),
        (Workspace.delete, "self delete_dependent_resources no_wait"),
        (Workspace.set_default_datastore, "self name"),
        (Workspace.get_mlflow_tracking_uri, "self _with_auth"),
    ],
)  # fmt: skip
def test_signatures_are_v1s(call, names):
    assert list(inspect.signature(call).parameters) == names.split()


def test_misspelt_keywords_are_pythons_own_error():
    with pytest.raises(TypeError, match="exists_ok"):
        Workspace.create("mine", exists_ok=True)
    with pytest.raises(TypeError, match="workspace"):
        Workspace(subscription_id="s", resource_group="g", workspace="w")
