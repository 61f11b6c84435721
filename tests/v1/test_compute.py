"""The compute targets of v1: names for this machine, machines by ssh, and those that need Azure."""

import copy
import json
import os
import pickle
import re
import threading

import pytest

from amlnb.api import compute, compute_machine, compute_target
from amlnb.api.compute import AmlCompute, ComputeInstance, ComputeTarget, RemoteCompute
from amlnb.api.experiment import Experiment
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.api.workspace import Workspace
from amlnb.engine import targets
from amlnb.errors import ComputeTargetException, NotServedException
from tests.v1.signatures import signature_of

COUNTS = ("idle", "leaving", "preempted", "preparing", "running", "unusable")


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Workspace.find_or_create(str(tmp_path))[0]


def made(workspace, name="cpu-cluster", **settings):
    config = AmlCompute.provisioning_configuration(**{"vm_size": "STANDARD_D2_V2", "max_nodes": 4, **settings})
    return ComputeTarget.create(workspace, name, config)


@pytest.mark.parametrize("cls", [ComputeTarget, AmlCompute, ComputeInstance, RemoteCompute])
@pytest.mark.parametrize("name", ["cpu-cluster", "local"])
def test_a_target_that_is_missing_is_told_as_v1_did(workspace, cls, name):
    with pytest.raises(ComputeTargetException) as raised:
        cls(workspace=workspace, name=name)
    assert raised.value.message.startswith("ComputeTargetNotFound")


def test_the_cell_of_the_notebooks(workspace, capsys):
    """Try, except, provision, create, wait; the second time it is found."""
    for found in (False, True):
        try:
            target = ComputeTarget(workspace=workspace, name="gpucluster")
            assert found
        except ComputeTargetException:
            assert not found
            config = AmlCompute.provisioning_configuration(vm_size="STANDARD_NC6", max_nodes=4)
            target = ComputeTarget.create(workspace, "gpucluster", config)
            target.wait_for_completion(show_output=True, min_node_count=None, timeout_in_minutes=20)
        assert type(target) is AmlCompute
        assert target.type == "AmlCompute"
    told = capsys.readouterr().out
    if not compute_machine.this_machine().gpus:
        assert "Warning: STANDARD_NC6 has GPUs, and this machine has no GPU" in told
    assert told.endswith(
        "Creating\nSucceeded\nAmlCompute wait for completion finished\n\n"
        "Minimum number of nodes requested have been provisioned\n"
    )


def test_the_status_of_a_cluster(workspace):
    target = made(workspace, min_nodes="1", max_nodes="4", idle_seconds_before_scaledown="300", tags={"a": "b"})
    status = target.get_status()
    told = status.serialize()
    assert set(told) == {
        "allocationState", "allocationStateTransitionTime", "creationTime", "currentNodeCount", "errors", "modifiedTime",
        "nodeStateCounts", "provisioningState", "provisioningStateTransitionTime", "scaleSettings", "targetNodeCount",
        "vmPriority", "vmSize",
    }  # fmt: skip
    assert (told["currentNodeCount"], told["targetNodeCount"], told["allocationState"]) == (1, 1, "Steady")
    assert (told["provisioningState"], told["vmPriority"], told["vmSize"]) == ("Succeeded", "Dedicated", "STANDARD_D2_V2")
    assert told["scaleSettings"] == {"minNodeCount": 1, "maxNodeCount": 4, "nodeIdleTimeBeforeScaleDown": "PT300S"}
    assert told["nodeStateCounts"] == {f"{name}NodeCount": int(name == "idle") for name in COUNTS}
    assert (status.current_node_count, status.scale_settings.maximum_node_count) == (1, 4)
    assert json.dumps(told)
    assert target.status.serialize() == told
    assert (target.provisioning_state, target.provisioning_errors, target.location) == ("Succeeded", None, "local")
    assert target.cluster_resource_id.endswith("/computes/cpu-cluster")
    assert (target.tags, target.vm_size, target.created_on == told["creationTime"]) == ({"a": "b"}, "STANDARD_D2_V2", True)
    assert target.serialize()["properties"]["computeType"] == "AmlCompute"
    assert repr(target).startswith("AmlCompute(workspace=Workspace.create(")


def test_what_runs_under_a_clusters_name_keeps_its_node_busy(workspace, tmp_path):
    (tmp_path / "wait.py").write_text("import os, time\nwhile not os.path.exists('../../../../go'): time.sleep(0.01)")
    target = made(workspace)
    assert (target.get_status().current_node_count, target.list_nodes()) == (0, [])
    run = Experiment(workspace, "e").submit(ScriptRunConfig(".", "wait.py", compute_target=target))
    assert [each.id for each in target.get_active_runs(type="azureml.scriptrun")] == [run.id]
    assert list(target.get_active_runs(tags={"a": "b"})) == []
    (node,) = target.list_nodes()
    assert (node["nodeState"], node["runId"]) == ("running", run.id)
    assert target.get_status().serialize()["nodeStateCounts"]["runningNodeCount"] == 1
    (tmp_path / "go").touch()
    details = run.wait_for_completion()
    assert (details["status"], details["target"], details["warnings"]) == ("Completed", "cpu-cluster", [])
    assert list(target.get_active_runs()) == []


def test_a_cluster_is_changed_and_deleted(workspace, capsys):
    target = made(workspace)
    target.update(min_nodes=0, max_nodes=8, idle_seconds_before_scaledown=60)
    assert AmlCompute(workspace, "cpu-cluster").scale_settings.maximum_node_count == 8
    with pytest.raises(ComputeTargetException, match="min_nodes is 9"):
        target.update(min_nodes=9)
    with pytest.raises(ComputeTargetException, match="cannot be detached"):
        target.detach()
    target.add_identity("SystemAssigned")
    assert "identity_type has no effect" in capsys.readouterr().out
    target.delete()
    target.wait_for_completion(show_output=True, is_delete_operation=True)
    assert capsys.readouterr().out.startswith("Deleting\n")
    assert target.provisioning_state == "Deleting"
    assert list(ComputeTarget.list(workspace)) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"max_nodes": "many"}, "max_nodes is 'many'"),
        ({"min_nodes": -1}, "min_nodes is -1"),
        ({"min_nodes": True}, "min_nodes is True"),
        ({"min_nodes": 3, "max_nodes": 2}, "min_nodes is 3, and max_nodes is 2"),
        ({"idle_seconds_before_scaledown": 1.5}, "idle_seconds_before_scaledown is 1.5"),
        ({"vm_priority": "cheap"}, "vm_priority is 'cheap'"),
    ],
)
def test_numbers_that_are_none(given, told):
    with pytest.raises(ComputeTargetException, match=told):
        AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", **given)


def test_what_only_a_cloud_has_is_told_and_no_password_is_kept(workspace, capsys):
    target = made(workspace, vnet_name="mine", subnet_name="below", admin_username="me", admin_user_password="secret-word")
    assert (
        "Warning: admin_username, admin_user_password, vnet_name, subnet_name have no effect: there is no cloud"
        in capsys.readouterr().out
    )
    with open(os.path.join(workspace.directory.targets, f"{target.name}.json")) as file:
        assert "secret-word" not in file.read()
    with pytest.raises(TypeError, match="max_node"):
        AmlCompute.provisioning_configuration(max_node=3)


@pytest.mark.parametrize("name", ["local", "a b", "", "a" * 300, 3])
def test_names_that_no_target_can_have(workspace, name):
    with pytest.raises(ComputeTargetException, match="cannot be the name"):
        made(workspace, name)


def test_what_is_no_configuration(workspace):
    with pytest.raises(ComputeTargetException, match="provisioning_configuration is a dict"):
        ComputeTarget.create(workspace, "x", {})
    with pytest.raises(ComputeTargetException, match="attach_configuration is a str"):
        ComputeTarget.attach(workspace, "x", "box")
    with pytest.raises(ComputeTargetException, match="workspace is a str"):
        ComputeTarget("mine", "x")


def test_another_class_does_not_take_the_name(workspace):
    made(workspace)
    with pytest.raises(ComputeTargetException, match="already, of the class AmlCompute"):
        ComputeTarget.attach(workspace, "cpu-cluster", RemoteCompute.attach_configuration(username="me", address="box"))
    with pytest.raises(ComputeTargetException, match="is of the class AmlCompute, not ComputeInstance"):
        ComputeInstance(workspace, "cpu-cluster")
    assert made(workspace, max_nodes=9).scale_settings.maximum_node_count == 9


def test_sizes():
    sizes = AmlCompute.supported_vmsizes(workspace=None)
    assert all(set(each) == {"name", "vCPUs", "gpus", "memoryGB", "maxResourceVolumeMB"} for each in sizes)
    assert {each["name"] for each in sizes} >= {"Standard_NC6", "Standard_D2_v2"}
    assert all(compute_machine.has_gpu(each["name"]) == bool(each["gpus"]) for each in sizes)
    assert ComputeInstance.supported_vmsizes(workspace=None) == sizes


def test_a_compute_instance(workspace, capsys):
    config = ComputeInstance.provisioning_configuration(vm_size="STANDARD_DS3_V2", ssh_public_access=False)
    instance = ComputeInstance.create(workspace, "mine", config)
    instance.wait_for_completion(show_output=True)
    assert "Succeeded" in capsys.readouterr().out
    assert type(ComputeTarget(workspace, "mine")) is ComputeInstance
    assert (instance.type, instance.get_status().state, instance.applications) == ("ComputeInstance", "Running", [])
    instance.stop(wait_for_completion=True, show_output=True)
    assert ComputeInstance(workspace, "mine").get_status().serialize()["state"] == "Stopped"
    instance.start()
    instance.restart(show_output=True)
    assert instance.get_status().state == "Running"
    instance.delete(wait_for_completion=True, show_output=True)
    assert capsys.readouterr().out == "Stopped\nRunning\nDeleting\n"


def test_a_machine_by_ssh(workspace, tmp_path):
    key = tmp_path / "id_test"
    key.touch()
    config = RemoteCompute.attach_configuration(
        address="127.0.0.1", ssh_port=1, username="me", password=None, private_key_file=str(key)
    )
    attached = ComputeTarget.attach(workspace, "cpudsvm", config)
    attached.wait_for_completion(show_output=True)
    assert targets.read(workspace.directory.path, "cpudsvm") == {
        "kind": "ssh", "host": "127.0.0.1", "user": "me", "port": 1, "options": {"IdentityFile": str(key)},
    }  # fmt: skip
    found = RemoteCompute(workspace, name="cpudsvm")
    assert (type(found), found.type, found.address, found.ssh_port, found.username) == (
        RemoteCompute, "VirtualMachine", "127.0.0.1", 1, "me",
    )  # fmt: skip
    with pytest.raises(ComputeTargetException, match="cannot be deleted"):
        found.delete()
    found.detach()
    assert targets.names(workspace.directory.path) == ["local"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"address": "box", "password": "secret-word"}, "amlnb connects by ssh keys only"),
        ({"address": "box", "private_key_passphrase": "secret-word"}, "amlnb keeps none"),
        ({"address": "box", "private_key_file": "/nowhere/id"}, "there is no private key '/nowhere/id'"),
        ({"address": "box", "ssh_port": "many"}, "ssh_port is 'many'"),
        ({"resource_id": "/subscriptions/x"}, "'/subscriptions/x' is a name in a cloud"),
        ({}, "the address of the machine is missing"),
    ],
)
def test_what_ssh_cannot_reach_by(given, told):
    with pytest.raises(ComputeTargetException, match=told) as raised:
        RemoteCompute.attach_configuration(username="me", **given)
    assert "secret-word" not in str(raised.value)


def test_a_machine_that_does_not_answer_is_attached_and_told(workspace, capsys):
    config = RemoteCompute.attach_configuration(username="me", address="127.0.0.1", ssh_port=1)
    attached = ComputeTarget.attach(workspace, "box", config)
    told = "Warning: me@127.0.0.1:1 cannot be reached: "
    assert capsys.readouterr().out.startswith(told)
    attached.wait_for_completion(show_output=True)
    out = capsys.readouterr().out
    assert out.startswith(told)
    assert out.endswith("runs on box wait until it answers\nFailed\nProvisioning operation finished, operation 'Failed'\n")
    assert attached.provisioning_state == "Failed"
    (error,) = attached.provisioning_errors
    assert error["error"]["code"] == "BackendUnavailable"
    assert error["error"]["message"].startswith("me@127.0.0.1:1 cannot be reached")
    found = RemoteCompute(workspace, "box")  # was not asked
    assert (found.provisioning_state, found.provisioning_errors) == ("Succeeded", None)


def test_where_there_is_no_ssh_that_is_told(workspace, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    ComputeTarget.attach(workspace, "box", RemoteCompute.attach_configuration(username="me", address="127.0.0.1"))
    assert "ssh cannot be started" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (lambda: RemoteCompute.attach_configuration(username="me", address="a b"), "'a b' is not the name or address"),
        (lambda: None, "attach_configuration is a NoneType"),
    ],
)
def test_after_an_attach_that_failed_runs_of_that_name_are_refused(workspace, config, told):
    with open("train.py", "w"):
        pass
    with pytest.raises(ComputeTargetException, match=told):
        ComputeTarget.attach(workspace, "box", config())
    with pytest.raises(ComputeTargetException, match="'box' could not be attached, so its runs have no machine") as raised:
        Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py", compute_target="box"))
    assert told in raised.value.message
    with pytest.raises(ComputeTargetException, match="ComputeTargetNotFound"):
        ComputeTarget(workspace, "box")
    assert targets.names(workspace.directory.path) == ["local"]
    targets.remove(workspace.directory.path, "box")
    assert targets.resolve(workspace.directory.path, "box", soft=True)[0] == {"kind": "local"}
    targets.refuse(workspace.directory.path, "box", "x")
    made(workspace, "box")
    assert os.listdir(workspace.directory.targets) == ["box.json"]


def test_a_target_is_copied_and_pickled(workspace):
    target = made(workspace)
    target.delete()
    for again in (copy.copy(target), copy.deepcopy(target), pickle.loads(pickle.dumps(target))):
        assert type(again) is AmlCompute
        assert (again.name, again.vm_size, again.provisioning_state) == ("cpu-cluster", "STANDARD_D2_V2", "Deleting")
        assert again.workspace.name == workspace.name


def test_a_definition_that_is_damaged_is_told_and_made_again(workspace):
    made(workspace)
    path = os.path.join(workspace.directory.targets, "cpu-cluster.json")
    with open(path, "w") as file:
        file.write("{")
    with pytest.raises(ComputeTargetException, match="is damaged") as raised:
        ComputeTarget(workspace, "cpu-cluster")
    assert "'amlnb target remove cpu-cluster' takes it away" in raised.value.hint
    assert made(workspace).vm_size == "STANDARD_D2_V2"


def test_of_many_who_change_a_target_at_once_its_definition_stays_whole(workspace):
    data = workspace.directory.path

    def write(number):
        for _ in range(20):
            targets.write(data, "box", {"kind": "ssh", "host": "x" * (number * 500 + 1)})

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert targets.read(data, "box")["kind"] == "ssh"
    assert os.listdir(workspace.directory.targets) == ["box.json"]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: AmlCompute.provisioning_configuration(location="westus"), "location has no effect"),
        (lambda: AmlCompute.provisioning_configuration(location="local"), ""),
        (lambda: AmlCompute.provisioning_configuration(enable_node_public_ip=False), "enable_node_public_ip has no effect"),
        (
            lambda: AmlCompute.provisioning_configuration(remote_login_port_public_access="Enabled"),
            "remote_login_port_public_access has no effect",
        ),
        (
            lambda: ComputeInstance.provisioning_configuration(assigned_user_object_id="a", assigned_user_tenant_id="b"),
            "assigned_user_object_id, assigned_user_tenant_id have no effect",
        ),
        (
            lambda: RemoteCompute.attach_configuration(username="me", address="box", resource_id="/x", vm_name="vm"),
            "vm_name, resource_id have no effect",
        ),
        (AmlCompute.provisioning_configuration, ""),
    ],
)
def test_every_setting_without_effect_is_told(capsys, call, told):
    call()
    assert capsys.readouterr().out == (f"Warning: {told}: there is no cloud\n" if told else "")


def test_an_address_that_is_none_is_refused_when_it_is_attached(workspace):
    config = RemoteCompute.attach_configuration(username="me", address="-oProxyCommand=x")
    with pytest.raises(ComputeTargetException, match="is not the name or address of a host"):
        ComputeTarget.attach(workspace, "x", config)


@pytest.mark.parametrize(
    "name",
    ["AdlaCompute", "AksCompute", "BatchAiCompute", "BatchCompute", "DsvmCompute", "DataFactoryCompute", "DatabricksCompute", "HDInsightCompute",
     "KubernetesCompute", "KustoCompute", "SynapseCompute"],
)  # fmt: skip
@pytest.mark.parametrize("call", ["provisioning_configuration", "attach_configuration", "__call__"])
def test_what_needs_azure_says_so_and_what_works(name, call):
    cls = getattr(compute, name)
    with pytest.raises(NotServedException, match="needs Azure") as raised:
        cls("workspace", "name") if call == "__call__" else getattr(cls, call)()
    assert raised.value.hint


def test_a_name_for_this_machine_without_more_is_a_cluster(workspace):
    targets.write(workspace.directory.path, "mine", {"kind": "local"})
    found = ComputeTarget(workspace, "mine")
    assert type(found) is AmlCompute
    assert found.get_status().serialize()["scaleSettings"]["maxNodeCount"] == 4
    with pytest.raises(ComputeTargetException, match="have no class"):
        compute_target._class_of({"kind": "slurm"})


def test_targets_of_the_workspace(workspace):
    made(workspace)
    targets.write(workspace.directory.path, "box", {"kind": "ssh", "host": "box"})
    with open(os.path.join(workspace.directory.targets, "broken.json"), "w") as file:
        file.write("{")
    assert {each.name: type(each) for each in ComputeTarget.list(workspace)} == {"box": RemoteCompute, "cpu-cluster": AmlCompute}


OF_A_CLUSTER = (
    "(vm_size='', vm_priority='dedicated', min_nodes=0, max_nodes=None, idle_seconds_before_scaledown=1800, "
    "admin_username=None, admin_user_password=None, admin_user_ssh_key=None, vnet_resourcegroup_name=None, "
    "vnet_name=None, subnet_name=None, tags=None, description=None, remote_login_port_public_access='NotSpecified', "
    "identity_type=None, identity_id=None, location=None, enable_node_public_ip=True)"
)
OF_AN_INSTANCE = (
    "(vm_size='', ssh_public_access=False, admin_user_ssh_public_key=None, vnet_resourcegroup_name=None, "
    "vnet_name=None, subnet_name=None, tags=None, description=None, assigned_user_object_id=None, "
    "assigned_user_tenant_id=None)"
)
OF_A_MACHINE = (
    "(username, subscription_id=None, resource_group=None, vm_name=None, resource_id=None, address=None, "
    "ssh_port=22, password='', private_key_file='', private_key_passphrase='')"
)


@pytest.mark.parametrize(
    ("call", "signature"),
    [
        (ComputeTarget, "(workspace, name)"),
        (ComputeTarget.create, "(workspace, name, provisioning_configuration)"),
        (ComputeTarget.attach, "(workspace, name, attach_configuration)"),
        (ComputeTarget.wait_for_completion, "(show_output=False, is_delete_operation=False)"),
        (
            AmlCompute.wait_for_completion,
            "(show_output=False, min_node_count=None, timeout_in_minutes=25, is_delete_operation=False)",
        ),
        (AmlCompute.supported_vmsizes, "(workspace, location=None)"),
        (AmlCompute.provisioning_configuration, OF_A_CLUSTER),
        (ComputeInstance.provisioning_configuration, OF_AN_INSTANCE),
        (RemoteCompute.attach_configuration, OF_A_MACHINE),
    ],
)
def test_signatures_are_v1s(call, signature):
    assert re.sub(" -> .*", "", signature_of(call)) == signature
