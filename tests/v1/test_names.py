"""Where v1 code imports from: every module and name is there, served or saying what it is."""

import contextlib
import importlib
import os
import subprocess
import sys

import pytest

from amlnb.engine.run_side import stage
from amlnb.errors import NotServedException
from amlnb.placeholders import LATER, NEVER, Placeholder
from azureml.exceptions import AzureMLException

SERVED = {
    "azureml.core": "Workspace Experiment Run Environment ScriptRunConfig RunConfiguration VERSION ContainerRegistry",
    "azureml.core.conda_dependencies": "CondaDependencies",
    "azureml.core.container_registry": "ContainerRegistry",
    "azureml.core.environment": "Environment CondaDependencies PythonSection DockerSection SparkSection ImageBuildDetails",
    "azureml.core.experiment": "Experiment",
    "azureml.core.authentication": "InteractiveLoginAuthentication ServicePrincipalAuthentication MsiAuthentication",
    "azureml.core.compute": "ComputeTarget AmlCompute ComputeInstance RemoteCompute",
    "azureml.core.compute.amlcompute": "AmlCompute",
    "azureml.core.compute_target": "ComputeTarget ComputeTargetException",
    "azureml.core.keyvault": "Keyvault",
    "azureml.core.model": "Model",
    "azureml.core.resource_configuration": "ResourceConfiguration",
    "azureml.core.run": "Run get_run _OfflineRun",
    "azureml.core.script_run": "ScriptRun",
    "azureml.train.dnn": "PyTorch TensorFlow Chainer Mpi Gloo Nccl ParameterServer",
    "azureml.train.estimator": "Estimator Mpi",
    "azureml.train.sklearn": "SKLearn",
    "azureml.train.widgets": "RunDetails",
    "azureml.core.runconfig": "RunConfiguration CondaDependencies DockerConfiguration DEFAULT_CPU_IMAGE DEFAULT_GPU_IMAGE",
    "azureml.core.script_run_config": "ScriptRunConfig",
    "azureml.core.workspace": "Workspace",
    "azureml.contrib.notebook": "NotebookRunConfig AzureMLNotebookHandler",
    "azureml.exceptions": "AzureMLException UserErrorException ComputeTargetException ActivityFailedException",
    "azureml.telemetry": "set_diagnostics_collection",
    "azureml.widgets": "RunDetails",
}
NOT_SERVED = {
    "azureml.automl.core.shared.constants": "Metric",
    "azureml.contrib.notebook": "NotebookRunnerStep",
    "azureml.contrib.tensorboard": "Tensorboard",
    "azureml.core": "Dataset Datastore Image Webservice",
    "azureml.core.dataset": "Dataset",
    "azureml.core.datastore": "Datastore",
    "azureml.core.image": "ContainerImage",
    "azureml.core.webservice": "AciWebservice Webservice LocalWebservice",
    "azureml.data": "OutputFileDatasetConfig FileDataset TabularDataset",
    "azureml.data.data_reference": "DataReference",
    "azureml.data.datapath": "DataPath DataPathComputeBinding",
    "azureml.data.dataset_consumption_config": "DatasetConsumptionConfig",
    "azureml.data.dataset_factory": "FileDatasetFactory",
    "azureml.interpret": "ExplanationClient",
    "azureml.mlflow": "register_model",
    "azureml.opendatasets": "MNIST Diabetes NycTlcGreen",
    "azureml.pipeline.core": "Pipeline PipelineData PipelineParameter",
    "azureml.pipeline.steps": "PythonScriptStep CommandStep HyperDriveStep ParallelRunStep",
    "azureml.tensorboard": "Tensorboard",
    "azureml.tensorboard.export": "export_to_tensorboard",
    "azureml.train.automl": "AutoMLConfig",
    "azureml.train.automl.run": "AutoMLRun",
    "azureml.train.hyperdrive": "HyperDriveConfig RandomParameterSampling BanditPolicy PrimaryMetricGoal choice uniform",
    "azureml.train.hyperdrive.runconfig": "HyperDriveConfig",
}


def _pairs(table):
    return [(module, name) for module, names in table.items() for name in names.split()]


@pytest.mark.parametrize(("module", "name"), _pairs(SERVED))
def test_a_name_that_is_served_is_where_v1_had_it(module, name):
    found = importlib.import_module(module)
    assert not isinstance(getattr(found, name), Placeholder)
    assert name in dir(found)


@pytest.mark.parametrize(("module", "name"), _pairs(NOT_SERVED))
def test_a_name_that_is_not_served_can_be_imported_and_says_so_when_it_is_called(module, name):
    found = getattr(importlib.import_module(module), name)
    assert getattr(importlib.import_module(module), name) is found
    with pytest.raises(NotServedException) as raised:
        found("anything", at="all")
    assert raised.value.message in (f"{name} of {module} {LATER}", f"{name} of {module} {NEVER}")
    assert raised.value.hint


def test_what_stands_for_a_class_can_be_handed_around():
    dataset = importlib.import_module("azureml.core").Dataset
    assert not isinstance(3, dataset)
    assert repr(dataset) == f"<azureml.core.Dataset: {LATER}>"
    assert not hasattr(dataset, "_repr_html_")
    goal = importlib.import_module("azureml.train.hyperdrive").PrimaryMetricGoal.MAXIMIZE
    assert goal is not None
    with pytest.raises(NotServedException, match=r"Dataset\.Tabular\.from_delimited_files of azureml\.core is not"):
        dataset.Tabular.from_delimited_files(path="x.csv")


def test_a_wrong_name_is_python_s_own_affair():
    core = importlib.import_module("azureml.core")
    assert not hasattr(core, "Nope")
    assert not hasattr(importlib.import_module("azureml.data"), "_private")
    for module in ("azureml.nope", "azureml.core.nope"):
        with pytest.raises(ModuleNotFoundError, match=rf"^No module named '{module}'$"):
            importlib.import_module(module)


@pytest.mark.parametrize("module", ["constants", "snapshots_client"])
def test_the_limit_of_snapshots_is_set_where_v1_code_sets_it(module, monkeypatch):
    monkeypatch.setenv("AMLNB_SNAPSHOT_MAX_BYTES", "1")
    found = importlib.import_module(f"azureml._restclient.{module}")
    assert found.SNAPSHOT_MAX_SIZE_BYTES == 300 * 1024 * 1024
    monkeypatch.setattr(found, "SNAPSHOT_MAX_SIZE_BYTES", 2e9)
    assert os.environ["AMLNB_SNAPSHOT_MAX_BYTES"] == "2000000000"


def test_nothing_is_collected():
    telemetry = importlib.import_module("azureml.telemetry")
    assert telemetry.set_diagnostics_collection(send_diagnostics=True) is None
    assert telemetry.set_diagnostics_collection(False) is None


def test_import_star_gives_what_is_not_served_too():
    names = {}
    exec("from azureml.core import *\nfrom azureml.pipeline.steps import *", names)
    assert {"Workspace", "Dataset", "PythonScriptStep"} <= set(names)


def test_errors_of_what_is_not_served_can_be_caught():
    missing = importlib.import_module("azureml.data.dataset_error_handling").DatasetExecutionError
    assert issubclass(missing, AzureMLException)
    with contextlib.suppress(missing):
        pass


def test_in_a_job_the_rest_can_be_imported_and_says_so_when_it_is_called(tmp_path):
    """Many a script imports what it does not use."""
    code = (
        f"import sys; sys.path = [{stage(str(tmp_path))!r}, *[p for p in sys.path if 'site-packages' not in p]]\n"
        "from azureml.core import Workspace, Experiment, Environment, Run\nfrom azureml.widgets import RunDetails\n"
        "from azureml.core.compute_target import ComputeTargetException\nfrom azureml.train.dnn import PyTorch\n"
        "Run.get_context().log('a', 1)\ntry:\n    Workspace.from_config()\nexcept Exception as error:\n    print(error.message, error.hint, sep='|')"
    )
    told = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == (
        "Workspace.from_config of azureml.core cannot be used in this environment: only the part of amlnb that scripts "
        "log with is here (no 'amlnb.api.workspace').|install amlnb here, under Python 3.11 or newer; 'Run' works everywhere"
    )


def test_importing_what_is_not_served_loads_nothing():
    code = (
        "import sys; from azureml.core import Dataset; from azureml.train.hyperdrive import choice; "
        "print([m for m in ('numpy', 'amlnb.api', 'logging') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
