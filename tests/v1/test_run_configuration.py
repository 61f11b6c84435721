"""``RunConfiguration`` with its sections, ``ScriptRunConfig``, and the configurations of several processes."""

import contextlib
import functools
import inspect
import json
import os
import re
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from amlnb.api import run_configuration_file as files
from amlnb.api.compute import AmlCompute
from amlnb.api.conda_dependencies import CondaDependencies
from amlnb.api.distributed import (
    Gloo,
    Mpi,
    MpiConfiguration,
    Nccl,
    ParameterServer,
    PyTorchConfiguration,
    TensorflowConfiguration,
)
from amlnb.api.environment import Environment
from amlnb.api.environment_sections import DockerConfiguration
from amlnb.api.experiment import Experiment
from amlnb.api.run_configuration import RunConfiguration
from amlnb.api.run_configuration_sections import DataReferenceConfiguration
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.api.workspace import Workspace
from amlnb.core.run_definition import run_definition
from amlnb.engine.submit import prepare, submit
from amlnb.errors import (
    ExperimentExecutionException,
    NotServedException,
    RunConfigurationException,
    UserErrorException,
)
from amlnb.runner import launch
from amlnb.specs.run_spec import RunSpec

SECTIONS = (
    "history",
    "spark",
    "hdi",
    "amlcompute",
    "container_instance",
    "parallel_task",
    "mpi",
    "pytorch",
    "tensorflow",
)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Workspace.find_or_create(str(tmp_path))[0]


def spec_of(**config):
    return ScriptRunConfig(".", "train.py", **config).to_spec("e")


def log_of(run):
    with open(os.path.join(run.directory, "user_logs", "std_log.txt"), encoding="utf-8") as file:
        return file.read()


def test_defaults_are_v1s():
    config = ScriptRunConfig(".", "train.py").run_config
    assert (config.target, config.framework, config.communicator, config.node_count) == ("local", "Python", "None", 1)
    assert (config.max_run_duration_seconds, config.environment.name) == (2592000, "default-environment")
    assert config.history.directories_to_watch == ["logs"]
    assert spec_of().distributed is None
    assert spec_of().warnings == ()


@pytest.mark.parametrize("name", ["", *SECTIONS, "docker", "environment", "environment.python", "environment.docker"])
def test_an_attribute_that_does_not_exist_raises(name):
    config = RunConfiguration()
    for each in filter(None, name.split(".")):
        config = getattr(config, each)
    with pytest.raises(AttributeError, match="vm_sise"):
        config.vm_sise = "STANDARD_D2_V2"
    with pytest.raises(AttributeError, match="vm_sise"):
        _ = config.vm_sise


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("target", 3),
        ("target", ""),
        ("docker", True),
        ("environment", 3),
        ("framework", "Caffe"),
        ("communicator", "Smoke"),
        ("node_count", 0),
        ("node_count", "2"),
    ],
)
def test_wrong_values_are_refused_at_the_latest_when_submitted(name, value):
    with pytest.raises(RunConfigurationException, match=name):
        _submitted_with(name, value)


def _submitted_with(name, value):
    config = RunConfiguration()
    setattr(config, name, value)
    return spec_of(run_config=config)


def test_a_target_is_an_object_or_a_name(workspace):
    cluster = AmlCompute.create(workspace, "cpu-cluster", AmlCompute.provisioning_configuration(vm_size="X"))
    for given, name in ((cluster, "cpu-cluster"), ("gpu", "gpu"), (None, "local")):
        config = ScriptRunConfig(".", "train.py", compute_target=given)
        assert config.run_config.target == name
        config.run_config.target = cluster
        assert config.to_spec("e").target == "cpu-cluster"
        assert config.to_spec("e").target_is_soft


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        ("spark", "configuration", {"spark.app.name": "mine"}),
        ("history", "output_collection", False),
        ("amlcompute", "vm_size", "STANDARD_D2_V2"),
        ("container_instance", "cpu_cores", 4),
        ("hdi", "yarn_deploy_mode", "client"),
        ("parallel_task", "worker_count_per_node", 4),
    ],
)
def test_what_has_no_effect_is_told(name, attribute, value):
    config = RunConfiguration()
    setattr(getattr(config, name), attribute, value)
    (told,) = spec_of(run_config=config).warnings
    assert told == f"run_config.{name} has no effect here"


@pytest.mark.parametrize("name", ["data", "data_references", "output_data", "source_directory_data_store"])
def test_data_that_is_not_served_yet_is_refused(name):
    config = RunConfiguration()
    setattr(config, name, {"input": DataReferenceConfiguration()} if name != "source_directory_data_store" else "store")
    with pytest.raises(NotServedException, match=f"run_config.{name} is set"):
        spec_of(run_config=config)


def test_spark_is_refused_with_what_works():
    with pytest.raises(NotServedException, match="PySpark") as raised:
        spec_of(run_config=RunConfiguration(framework="pyspark"))
    assert "local pyspark" in raised.value.hint


def test_a_configuration_is_saved_and_loaded(tmp_path):
    config = RunConfiguration(
        "train.py", ["--rate", 0.1], "PyTorch", "Nccl", CondaDependencies.create(pip_packages=["numpy"])
    )
    config.target, config.node_count, config.max_run_duration_seconds = "gpu-cluster", 2, 60
    config.pytorch = PyTorchConfiguration("Gloo", 4, 2)
    config.environment.environment_variables = {"A": "b"}
    config.environment_variables = {"C": "d"}
    config.docker = DockerConfiguration(True, True, ["--cpus=2"], "8g")
    config.history.output_collection = False
    config.data_references["x"] = DataReferenceConfiguration("store", path_on_datastore="a")
    config.amlcompute.vm_size = "STANDARD_D2_V2"
    config.save(str(tmp_path), "mine")
    assert os.listdir(tmp_path / ".azureml") == ["mine.runconfig"]
    for again in (
        RunConfiguration.load(str(tmp_path), "mine"),
        RunConfiguration.load(str(tmp_path / ".azureml" / "mine.runconfig")),
    ):
        for name in (
            "script",
            "arguments",
            "framework",
            "communicator",
            "target",
            "node_count",
            "environment_variables",
        ):
            assert getattr(again, name) == getattr(config, name)
        assert (again.pytorch.communication_backend, again.pytorch.process_count) == ("gloo", 4)
        assert again.environment.to_document() == config.environment.to_document()
        assert again.docker.settings() == config.docker.settings()
        assert again.history.output_collection is False
        assert again.amlcompute.vm_size == "STANDARD_D2_V2"
        assert again.data_references["x"].path_on_datastore == "a"
    again.script = "other.py"
    again.save()
    assert RunConfiguration.load(str(tmp_path), "mine").script == "other.py"
    RunConfiguration.delete(str(tmp_path), "mine")
    assert os.listdir(tmp_path / ".azureml") == []


def test_v1s_own_files_are_read(tmp_path):
    (tmp_path / "aml_config").mkdir()
    (tmp_path / "aml_config" / "docker.runconfig").write_text(
        "script: train.py\narguments: []\ntarget: local\nframework: Python\ncommunicator: None\n"
        "environment:\n  environmentVariables: {EXAMPLE_ENV_VAR: EXAMPLE_VALUE}\n"
        "  python:\n    userManagedDependencies: false\n    interpreterPath: python\n"
        "  docker:\n    enabled: true\n    baseImage: mcr.microsoft.com/azureml/base:0.2.4\n"
        "history: {outputCollection: true}\nmpi: {processCountPerNode: 2}\ntensorflow: {workerCount: 1, parameterServerCount: 1}\n"
        "containerInstance: {region: , cpuCores: 1, memoryGb: 4}\n"
    )
    config = RunConfiguration.load(path=str(tmp_path), name="docker")
    assert (config.script, config.mpi.process_count_per_node, config.container_instance.memory_gb) == ("train.py", 2, 4)
    assert config.environment.docker.enabled


def test_identity_and_services_are_kept(tmp_path):
    config = RunConfiguration()
    config.identity, config.services = {"identityType": "AMLToken"}, {"a": {"port": 3}}
    config.save(str(tmp_path), "mine")
    again = RunConfiguration.load(str(tmp_path), "mine")
    assert (again.identity, again.services) == (config.identity, config.services)


def test_what_is_not_known_in_a_file_is_told(tmp_path, capsys):
    (tmp_path / "mine.runconfig").write_text(
        "script: train.py\nbatchai: {a: 1}\nhistory: {outputCollection: true, colour: 1}\n"
    )
    assert RunConfiguration.load(str(tmp_path), "mine").script == "train.py"
    assert "Warning: batchai, history.colour of the run configuration" in capsys.readouterr().out


def test_another_case_of_a_key_is_the_same_key(tmp_path, capsys):
    text = (
        "amlCompute: {vmSize: X}\nparalleltask: {workerCountPerNode: 3}\npyTorch: {processCount: 2}\n"
        "history: {enableMLflowTracking: false}\nuseAbsolutePath: false\nsynapse:\namlk8sCompute: {a: 1}\n"
    )
    (tmp_path / "mine.runconfig").write_text(text)
    config = RunConfiguration.load(str(tmp_path), "mine")
    assert (config.amlcompute.vm_size, config.parallel_task.worker_count_per_node) == ("X", 3)
    assert (config.pytorch.process_count, config.history.enable_mlflow_tracking) == (2, False)
    assert "Warning: amlk8sCompute of the run configuration" in capsys.readouterr().out


def test_sparks_default_is_the_same_as_text_and_as_a_number(tmp_path):
    for given in ("1", 1):
        document = {
            "spark": {"configuration": {"spark.app.name": "Azure ML Experiment", "spark.yarn.maxAppAttempts": given}}
        }
        (tmp_path / "mine.runconfig").write_text(json.dumps(document))
        config = RunConfiguration.load(str(tmp_path), "mine")
        assert config.without_effect() == []
    config.save(str(tmp_path), "other")
    assert "spark.yarn.maxAppAttempts: 1\n" in (tmp_path / ".azureml" / "other.runconfig").read_text()


def test_where_there_is_no_file_that_is_the_hint(tmp_path):
    with pytest.raises(UserErrorException) as raised:
        RunConfiguration.load(str(tmp_path), "my")
    assert raised.value.hint == "it has none; run_config.save(path, name) writes one"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("history: 5", "history of the run configuration .* is 5"),
        ("targt: x", "has no targt"),
        ("history: {outputColection: true}", "has no history.outputColection"),
        ("mpi: {processCountPerNod: 2}", "has no mpi.processCountPerNod"),
        ("docker: {useDoker: true}", "has no docker.useDoker"),
        (None, "there is no run configuration 'mime'"),
        ("[1]", "is no run configuration"),
        ("a: [", "cannot be read"),
        ("target: [1]", "target is a list"),
        ("mpi: {processCountPerNode: many}", "process_count_per_node is 'many'"),
        ("environment: {name: 3}", "the name of an environment is 3"),
    ],
)
def test_a_file_that_is_none(tmp_path, text, told):
    RunConfiguration().save(str(tmp_path), "mine")
    if text is not None:
        (tmp_path / ".azureml" / "mime.runconfig").write_text(text)
    with pytest.raises(UserErrorException, match=told) as raised:
        RunConfiguration.load(str(tmp_path), "mime")
    if text is None:
        assert raised.value.hint == "did you mean 'mine'?"


def test_values_of_numpy_and_paths_are_saved_as_what_they_are(tmp_path):
    config = RunConfiguration("train.py", ["--rate", np.float32(0.5), "--n", np.int64(3)])
    config.environment_variables = {"A": np.str_("b")}
    config.max_run_duration_seconds = np.int64(60)
    config.data["x"] = (tmp_path, 1)
    config.save(str(tmp_path), "mine")
    again = RunConfiguration.load(str(tmp_path), "mine")
    assert (again.arguments, again.environment_variables) == (["--rate", 0.5, "--n", 3], {"A": "b"})
    assert (again.max_run_duration_seconds, again.data) == (60, {"x": [str(tmp_path), 1]})


def test_a_configuration_that_cannot_be_saved_leaves_the_file_as_it_was(tmp_path):
    config = RunConfiguration("train.py")
    config.save(str(tmp_path), "mine")
    config.script, config.data["x"] = "other.py", object()
    with pytest.raises(UserErrorException, match=r"cannot be saved: .*cannot represent an object"):
        config.save(str(tmp_path), "mine")
    with pytest.raises(UserErrorException, match=r"cannot be saved as .*: Not a directory"):
        RunConfiguration().save(str(tmp_path / ".azureml" / "mine.runconfig"), "mine")
    assert RunConfiguration.load(str(tmp_path), "mine").script == "train.py"
    assert os.listdir(tmp_path / ".azureml") == ["mine.runconfig"]


def test_a_folder_alone_is_no_place_to_be_saved_in(tmp_path):
    with pytest.raises(UserErrorException, match="has no name in the folder") as raised:
        RunConfiguration().save(str(tmp_path))
    assert raised.value.hint == "run_config.save(path='.', name='mine')"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("given", [{"path": "nowhere.runconfig"}, {"path": ".", "name": "x"}])
def test_a_file_that_is_not_there(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserErrorException, match="there is no run configuration"):
        RunConfiguration.load(**given)
    with pytest.raises(UserErrorException, match="no place to be saved in"):
        RunConfiguration().save()


@pytest.mark.parametrize(
    ("made", "framework", "communicator", "distributed", "processes"),
    [
        (
            MpiConfiguration(process_count_per_node=1, node_count=2), "Python", "IntelMpi",
            {"node_count": 2, "process_count_per_node": 1}, "2 processes on 2 nodes",
        ),
        (Mpi(4), "Python", "IntelMpi", {"node_count": 1, "process_count_per_node": 4}, "4 processes"),
        (PyTorchConfiguration(), "PyTorch", "nccl", {"node_count": 1, "process_count": None}, None),
        (PyTorchConfiguration("Gloo", 4, 2), "PyTorch", "gloo", {"node_count": 2, "process_count": 4}, "4 processes on 2 nodes"),
        (PyTorchConfiguration(node_count=2), "PyTorch", "nccl", {"node_count": 2, "process_count": None}, "2 processes on 2"),
        (Nccl(), "PyTorch", "nccl", {"node_count": 1, "process_count": None}, None),
        (Gloo(), "PyTorch", "gloo", {"node_count": 1, "process_count": None}, None),
        (
            TensorflowConfiguration(worker_count=2, parameter_server_count=1), "TensorFlow", "ParameterServer",
            {"node_count": 2, "worker_count": 2, "parameter_server_count": 1}, "3 processes on 2 nodes",
        ),
        (
            ParameterServer(1, 0), "TensorFlow", "ParameterServer",
            {"node_count": 1, "worker_count": 1, "parameter_server_count": 0}, None,
        ),
    ],
)  # fmt: skip
def test_several_processes(made, framework, communicator, distributed, processes):
    config = ScriptRunConfig(".", "train.py", distributed_job_config=made)
    assert (config.run_config.framework, config.run_config.communicator) == (framework, communicator)
    assert config.run_config.node_count == distributed["node_count"]
    spec = config.to_spec("e")
    assert spec.distributed == {"framework": framework, "communicator": communicator, **distributed}
    assert spec.depends == json.dumps([spec.distributed], sort_keys=True)
    assert [told.startswith(processes or "") for told in spec.warnings] == [True] * (processes is not None)


def test_the_old_way_to_ask_for_several_processes():
    config = RunConfiguration(framework="python", communicator="IntelMpi")
    config.node_count, config.mpi.process_count_per_node = 2, 3
    asked = {"framework": "Python", "communicator": "IntelMpi", "node_count": 2, "process_count_per_node": 3}
    assert spec_of(run_config=config).distributed == asked
    config = RunConfiguration()
    config.node_count = 2
    assert "2 processes on 2 nodes" in spec_of(run_config=config).warnings[0]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: ScriptRunConfig(".", "train.py", distributed_job_config="mpi"), "distributed_job_config is a str"),
        (lambda: PyTorchConfiguration("smoke"), "communication_backend is 'smoke'"),
        (lambda: PyTorchConfiguration(process_count=0), "process_count is 0"),
        (lambda: MpiConfiguration(node_count="2"), "node_count is '2'"),
        (lambda: TensorflowConfiguration(worker_count=True), "worker_count is True"),
        (lambda: ScriptRunConfig(".", "train.py", docker_runtime_config={}), "docker_runtime_config is a dict"),
    ],
)
def test_what_is_no_configuration_of_processes(make, told):
    with pytest.raises(RunConfigurationException, match=told):
        make()


SHOW = "import os, json, sys; print(json.dumps([dict(os.environ), sys.argv[1:]]))"


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (None, {}),
        (
            PyTorchConfiguration(process_count=4, node_count=2),
            {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "NODE_RANK": "0", "MASTER_ADDR": "127.0.0.1",
             "AZUREML_FRAMEWORK": "PyTorch", "AZUREML_COMMUNICATOR": "nccl"},
        ),
        (
            MpiConfiguration(2),
            {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_LOCAL_RANK": "0",
             "OMPI_COMM_WORLD_LOCAL_SIZE": "1", "NODE_RANK": "0", "MASTER_ADDR": None, "WORLD_SIZE": None},
        ),
    ],
)  # fmt: skip
def test_a_job_of_one_process_has_its_variables(workspace, tmp_path, made, expected):
    (tmp_path / "train.py").write_text(SHOW)
    arguments = [
        "$RANK",
        "tcp://$MASTER_ADDR:${MASTER_PORT}/x",
        "--rank=$NODE_RANK",
        "$(touch x)`touch x`;$NONE $5 a$$b",
    ]
    config = ScriptRunConfig(".", "train.py", arguments, distributed_job_config=made)
    run = Experiment(workspace, "e").submit(config)
    run.wait_for_completion()
    environ, given = json.loads(log_of(run))
    assert {name: environ.get(name) for name in expected} == expected
    assert ("RANK" in environ, "OMPI_COMM_WORLD_RANK" in environ) == (
        "RANK" in expected,
        "OMPI_COMM_WORLD_RANK" in expected,
    )
    assert given[3] == "$(touch x)`touch x`;$NONE $5 a$$b"
    assert not (tmp_path / "x").exists()
    if made is None:
        assert given[:3] == ["$RANK", "tcp://$MASTER_ADDR:${MASTER_PORT}/x", "--rank=$NODE_RANK"]
        return
    if isinstance(made, MpiConfiguration):
        assert given[:3] == ["$RANK", "tcp://$MASTER_ADDR:${MASTER_PORT}/x", "--rank=0"]
        address, _, port = environ["AZ_BATCH_MASTER_NODE"].partition(":")
        assert (address, environ["AZ_BATCHAI_MPI_MASTER_NODE"], port.isdigit()) == ("127.0.0.1", "127.0.0.1", True)
        return
    assert 1024 <= int(environ["MASTER_PORT"]) < 65536
    assert given[1:3] == [f"tcp://127.0.0.1:{environ['MASTER_PORT']}/x", "--rank=0"]
    definition = run.get_details()["runDefinition"]
    assert definition["arguments"] == arguments


def test_tensorflow_gets_its_cluster_of_one(workspace, tmp_path):
    (tmp_path / "train.py").write_text("import os; print(os.environ['TF_CONFIG'])")
    config = ScriptRunConfig(".", "train.py", distributed_job_config=TensorflowConfiguration(2, 1))
    run = Experiment(workspace, "e").submit(config)
    run.wait_for_completion()
    told = json.loads(log_of(run))
    assert (told["task"], told["environment"]) == ({"type": "worker", "index": 0}, "cloud")
    assert list(told["cluster"]) == ["worker"]
    assert told["cluster"]["worker"][0].startswith("127.0.0.1:")


def test_the_definition_of_a_run_in_v1s_words(workspace, tmp_path):
    (tmp_path / "train.py").write_text("")
    made = PyTorchConfiguration("Gloo", 4, 2)
    config = ScriptRunConfig(".", "train.py", ["--n", 3], compute_target="gpu-cluster", distributed_job_config=made)
    config.run_config.environment_variables["A"] = "b"
    run = Experiment(workspace, "e").submit(config)
    told = run.get_details()["runDefinition"]
    assert (told["script"], told["arguments"], told["target"]) == ("train.py", ["--n", 3], "gpu-cluster")
    assert (told["framework"], told["communicator"], told["nodeCount"]) == ("PyTorch", "gloo", 2)
    assert told["pyTorch"] == {"communicationBackend": "gloo", "processCount": 4}
    assert (told["environmentVariables"], told["maxRunDurationSeconds"]) == ({"A": "b"}, 2592000)
    assert told["docker"] == {"useDocker": False, "sharedVolumes": True, "shmSize": "2g", "arguments": []}
    assert "environment" in told
    assert json.dumps(told)
    run.wait_for_completion()


@pytest.mark.parametrize(
    "record", [{}, {"definition": None}, {"definition": {"distributed": 3, "docker": [], "arguments": 3}}]
)
def test_a_damaged_record_costs_nothing_else(record):
    assert run_definition(record)["framework"] == "Python"


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (["python train.py --epochs 30"], "['--epochs', '30']"),
        (["python", "train.py", "--epochs", 30], "['--epochs', '30']"),
        ("python train.py $GREETING && echo done", "['hello']\ndone"),
    ],
)
def test_a_command_is_a_shells(workspace, tmp_path, command, printed):
    (tmp_path / "train.py").write_text("import sys; print(sys.argv[1:])")
    config = ScriptRunConfig(".", command=command)
    config.run_config.environment_variables = {
        "GREETING": "hello",
        "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
    }
    run = Experiment(workspace, "e").submit(config)
    run.wait_for_completion()
    assert log_of(run).strip() == printed


def test_script_arguments_and_command_may_stand_in_the_run_configuration():
    config = RunConfiguration(script="train.py", arguments=["--a", 1])
    spec = ScriptRunConfig(".", run_config=config).to_spec("e")
    assert (spec.script, spec.arguments, spec.command) == ("train.py", ("--a", 1), None)
    spec = ScriptRunConfig(".", run_config=RunConfiguration(command=["echo", "hello"])).to_spec("e")
    assert (spec.script, spec.command) == (None, "echo hello")


@pytest.mark.parametrize("command", ["echo a", ["echo", "a"]])
def test_a_command_has_no_arguments_beside_it(command):
    with pytest.raises(RunConfigurationException, match=r"a command was given, and arguments beside it: \['--lr'"):
        ScriptRunConfig(".", command=command, arguments=["--lr"])
    with pytest.raises(RunConfigurationException, match="arguments beside it"):
        ScriptRunConfig(".", run_config=RunConfiguration(command=command, arguments=["--lr"])).to_spec("e")
    with pytest.raises(RunConfigurationException, match="arguments beside it"):
        ScriptRunConfig(".", command=command, run_config=RunConfiguration(arguments=["--lr"])).to_spec("e")


def test_a_path_is_a_script_and_a_source_directory(workspace, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("print('hello')")
    run = Experiment(workspace, "e").submit(ScriptRunConfig(tmp_path / "src", Path("train.py")))
    run.wait_for_completion()
    assert log_of(run) == "hello\n"
    assert run.get_details()["runDefinition"]["script"] == "train.py"
    assert RunConfiguration(script=Path("train.py")).script == "train.py"


def test_what_a_record_cannot_hold_leaves_nothing_behind(workspace, tmp_path):
    (tmp_path / "train.py").write_text("")
    for given in ({"script": Path("train.py")}, {"script": "train.py", "arguments": (b"x",)}):
        with pytest.raises(UserErrorException, match=r"is PosixPath|is a bytes"):
            submit(RunSpec("e", str(tmp_path), **given), workspace.directory)
    assert os.listdir(workspace.directory.runs) == []


def _set(**given):
    config = RunConfiguration("train.py")
    for name, value in given.items():
        *sections, attribute = name.split("__")
        setattr(functools.reduce(getattr, sections, config), attribute, value)
    return ScriptRunConfig(".", run_config=config).to_spec("e")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: spec_of(arguments={"--lr": 0.1}), "arguments is {'--lr': 0.1}, a dict"),
        (lambda: spec_of(arguments=b"ab"), "arguments is b'ab', a bytes"),
        (lambda: spec_of(arguments="--lr 0.1"), "arguments is '--lr 0.1', a str"),
        (lambda: spec_of(arguments=5), "arguments is 5, a int"),
        (lambda: spec_of(arguments=[np.arange(3)]), r"the argument array([0, 1, 2]) is a ndarray"),
        (lambda: spec_of(arguments=[b"a"]), "the argument b'a' is a bytes"),
        (lambda: RunConfiguration("train.py", "--lr 0.1"), "arguments is '--lr 0.1', a str"),
        (lambda: RunConfiguration(5), "script is 5, a int"),
        (lambda: _set(arguments="--lr 0.1"), "arguments is '--lr 0.1', a str"),
        (lambda: ScriptRunConfig(5, "a.py"), "source_directory is 5, a int"),
        (lambda: ScriptRunConfig(".", 5), "script is 5, a int"),
        (lambda: ScriptRunConfig(".", command=5), "command is 5, a int"),
        (lambda: ScriptRunConfig(".", command=["echo", {}]), "the argument {} is a dict"),
        (lambda: spec_of(max_run_duration_seconds="x"), "max_run_duration_seconds is 'x', a str"),
        (lambda: spec_of(max_run_duration_seconds=0), "max_run_duration_seconds is 0"),
        (lambda: spec_of(max_run_duration_seconds=float("nan")), "max_run_duration_seconds is nan"),
        (lambda: spec_of(max_run_duration_seconds=True), "max_run_duration_seconds is True"),
        (lambda: _set(max_run_duration_seconds=[1]), "max_run_duration_seconds is [1], a list"),
        (lambda: _set(environment_variables=5), "environment_variables is 5, a int"),
        (lambda: _set(pytorch__process_count="x", communicator="nccl"), "process_count is 'x'"),
        (
            lambda: _set(environment__python__user_managed_dependencies="yes"),
            "user_managed_dependencies is 'yes', a str",
        ),
        (lambda: spec_of(docker_runtime_config=DockerConfiguration(use_docker="yes")), "use_docker is 'yes', a str"),
        (lambda: ScriptRunConfig(".", "a.py").to_spec("e", ["a"]), "tags is ['a'], a list"),
        (lambda: ScriptRunConfig(".", "a.py").to_spec("e", "a"), "tags is 'a', a str"),
    ],
)
def test_values_of_the_wrong_type_are_told(call, told):
    with pytest.raises(RunConfigurationException) as raised:
        call()
    assert told in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize(("given", "limit_s"), [("3600", 3600), (1.5, 1.5), (np.int64(60), 60), (None, None)])
def test_a_time_limit_is_a_number_or_its_text(given, limit_s):
    assert spec_of(max_run_duration_seconds=given).timeout_s == limit_s
    assert _set(max_run_duration_seconds=given).timeout_s == limit_s


def test_no_environment_variables_are_none():
    assert _set(environment_variables=None).environment_variables == {}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"auto_prepare_environment": False}, "run_config.auto_prepare_environment has no effect here"),
        ({"prepare_environment": False}, "run_config.prepare_environment has no effect here"),
        ({"credential_passthrough": True}, "run_config.credential_passthrough has no effect here"),
        ({"auto_prepare_environment": True, "prepare_environment": True}, None),
        (
            {"mpi__process_count_per_node": 4},
            (
                "run_config.mpi.process_count_per_node has no effect: the communicator is None; "
                "hint: run_config.communicator = 'IntelMpi'"
            ),
        ),
        (
            {"tensorflow__worker_count": 4},
            (
                "run_config.tensorflow.worker_count has no effect: the communicator is None; "
                "hint: run_config.communicator = 'ParameterServer'"
            ),
        ),
        (
            {"pytorch__process_count": 4},
            "run_config.pytorch.process_count has no effect: the communicator is None; hint: run_config.communicator = 'nccl'",
        ),
    ],
)
def test_a_setting_that_is_not_asked_for_is_told(given, told):
    assert _set(**given).warnings == (() if told is None else (told,))


def test_what_a_communicator_asks_for_is_no_setting_without_effect():
    for given in (
        {"mpi__process_count_per_node": 4, "communicator": "IntelMpi"},
        {"mpi__process_count_per_node": 4, "node_count": 2},
        {"tensorflow__worker_count": 4, "communicator": "ParameterServer"},
        {"pytorch__process_count": 4, "communicator": "gloo"},
    ):
        assert [told for told in _set(**given).warnings if "has no effect" in told] == []


def test_what_code_set_is_told_again_in_the_definition(workspace, tmp_path):
    (tmp_path / "train.py").write_text("")
    config = RunConfiguration("train.py")
    config.history.directories_to_watch = ["mine"]
    config.spark.configuration["spark.app.name"] = "mine"
    config.amlcompute.vm_size = "STANDARD_D2_V2"
    config.container_instance.cpu_cores = np.int64(4)
    config.priority, config.credential_passthrough, config.identity = 3, True, {"identityType": "AMLToken"}
    config.parallel_task.terminal_exit_codes = {object}
    record = prepare(ScriptRunConfig(".", run_config=config).to_spec("e"), workspace.directory).record
    told = run_definition(json.loads(json.dumps(record)))
    assert told["history"] == {"outputCollection": True, "directoriesToWatch": ["mine"], "enableMLflowTracking": True}
    assert told["spark"]["configuration"]["spark.app.name"] == "mine"
    assert (told["amlCompute"]["vmSize"], told["amlCompute"]["clusterMaxNodeCount"]) == ("STANDARD_D2_V2", 1)
    assert told["containerInstance"] == {"region": None, "cpuCores": 4, "memoryGb": 3.5}
    assert told["hdi"] == {"yarnDeployMode": "Cluster"}
    assert (told["priority"], told["credentialPassthrough"], told["identity"]) == (
        3,
        True,
        {"identityType": "AMLToken"},
    )
    defaults = run_definition({})
    assert (defaults["priority"], defaults["credentialPassthrough"], defaults["identity"]) == (None, False, None)


@pytest.mark.parametrize(
    ("asked", "count"),
    [({}, 1), ({"communicator": "nccl"}, 1), ({"parameter_server_count": 0}, 0), ({"parameter_server_count": 3}, 3)],
)
def test_parameter_servers_are_one_where_nothing_is_said_of_them(asked, count):
    told = run_definition({"definition": {"distributed": asked}})
    assert told["tensorflow"]["parameterServerCount"] == count


@pytest.mark.parametrize("argument", [{"a": 1}, [1], object(), None])
def test_an_argument_that_is_no_scalar_is_refused(argument):
    with pytest.raises(UserErrorException, match="arguments are str, int, float or bool"):
        ScriptRunConfig(".", "train.py", arguments=["--x", argument])


def test_scalars_are_kept_as_they_are(tmp_path):
    numpy = pytest.importorskip("numpy")
    given = ["--a", 1, 0.5, True, numpy.int64(3), tmp_path]
    assert spec_of(arguments=given).arguments == ("--a", 1, 0.5, True, 3, str(tmp_path))


def test_a_script_that_is_missing_is_told_at_submission(workspace):
    with pytest.raises(ExperimentExecutionException, match=r"there is no script 'train\.py'"):
        Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py"))


def test_misspelt_keywords_are_pythons_own_error():
    with pytest.raises(TypeError, match="enviroment"):
        ScriptRunConfig(".", "train.py", enviroment=Environment("x"))


def test_docker_is_asked_for_as_before_there_was_a_configuration_of_it():
    made = Environment.from_docker_image("x", "mine:1")
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        made.docker.enabled = True
    with pytest.warns(DeprecationWarning, match="is deprecated"):
        made.docker.arguments = ["--cpus=2"]
    config = RunConfiguration()
    config.environment = Environment("y")
    config._environment = made
    assert spec_of(run_config=config).docker == {"arguments": ["--cpus=2"], "shm_size": "2g"}


def test_no_arguments_of_docker_are_none():
    assert DockerConfiguration(arguments=None).settings() is None


@hypothesis.given(
    text=st.text(st.sampled_from("$ab{}_1 `()\\;")),
    environ=st.dictionaries(st.sampled_from(["a", "b", "ab", "a_1"]), st.sampled_from(["x", "$a", "`b`", "$(b)", ""])),
)
def test_variables_are_expanded_once_and_nothing_else_is(text, environ):
    found = launch._expanded(text, environ)
    parts = re.split(r"(\$[A-Za-z0-9_]+|\$\{[A-Za-z0-9_]+\})", text)
    assert found == "".join(environ.get(part.strip("${}"), part) if part[:1] == "$" else part for part in parts)


@pytest.mark.parametrize("arguments", ["--cpus=2", [2]])
def test_arguments_of_docker_are_texts(arguments):
    with pytest.raises(UserErrorException, match="the arguments for docker are"):
        DockerConfiguration(arguments=arguments)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (RunConfiguration, ("script arguments framework communicator conda_dependencies _history_enabled _path _name command")),
        (
            ScriptRunConfig,
            ("source_directory script arguments run_config _telemetry_values compute_target environment "
             "distributed_job_config resume_from max_run_duration_seconds command docker_runtime_config"),
        ),
        (MpiConfiguration, "process_count_per_node node_count"),
        (PyTorchConfiguration, "communication_backend process_count node_count"),
        (TensorflowConfiguration, "worker_count parameter_server_count"),
        (DockerConfiguration, "use_docker shared_volumes arguments shm_size"),
        (Mpi, "process_count_per_node"),
        (ParameterServer, "worker_count parameter_server_count"),
        (Gloo, ""),
        (Nccl, ""),
        (RunConfiguration.load, "path name"),
    ],
)  # fmt: skip
def test_signatures_are_v1s(call, names):
    assert list(inspect.signature(call).parameters) == names.split()


KEYS = (
    "script",
    "arguments",
    "target",
    "environment",
    "docker",
    "mpi",
    "spark",
    "history",
    "dataReferences",
    "data",
    "priority",
    "batchai",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["x", "useDocker", "configuration", "name"]) | st.integers(), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@hypothesis.settings(max_examples=150)
@hypothesis.given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3))
def test_whatever_a_file_holds_only_our_errors_are_raised(document):
    with contextlib.suppress(UserErrorException):
        config = RunConfiguration()
        files.fill(config, document, "mine.runconfig")
        ScriptRunConfig(".", "train.py", run_config=config).to_spec("e")
        document_of = files.document_of(config)
        json.dumps(files.plain(document_of), default=str)
