"""What v1 had and amlnb does not serve: modules and names that can be imported, whose calls say what to do instead."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Callable, List, Optional, Tuple

# Whether amlnb will have it.
_LATER, _NEVER = True, False

_DATA = (_LATER, "read the files by their path: runs on this machine see the same files as the notebook")
_OPEN_DATA = (_LATER, "fetch the data set from where it is published, and read its files by their path")
_PIPELINE = (_LATER, "submit the steps one after the other, each after wait_for_completion()")
_SWEEP = (_LATER, "submit one run for each value, and compare them with amlnb.compare(...)")
_MLFLOW = (_LATER, "log with run.log(...)")
_TENSORBOARD = (_LATER, "%compare shows the curves; TensorBoard itself reads event files in outputs/ of the runs")
_LOAD_IT = "fetch a model with Model(ws, name).download() and load it in a web framework such as FastAPI"
_LOCAL_DEPLOY = (_LATER, _LOAD_IT)
_DEPLOY = (_NEVER, _LOAD_IT)
_AUTOML = (_NEVER, "submit a script that searches itself, with scikit-learn's RandomizedSearchCV, FLAML or Optuna")
_SPARK = (_NEVER, "submit a script that uses pandas, polars or a local pyspark")
_STORE = (_NEVER, "read the data in the script with the client library of that store")
_EXPLAIN = (_NEVER, "use shap or interpret-community in the script, and keep the outcome with run.upload_file")
_NOTHING = (_NEVER, "leave it out")
_WORKSPACE = (_NEVER, "Workspace.from_config() finds the project's workspace")

# Modules, those below them too.
_MODULES = {
    "azureml.accel": _DEPLOY,
    "azureml.automl": _AUTOML,
    "azureml.contrib": _NOTHING,
    "azureml.contrib.automl": _AUTOML,
    "azureml.contrib.dataset": _DATA,
    "azureml.contrib.explain": _EXPLAIN,
    "azureml.contrib.fairness": _EXPLAIN,
    "azureml.contrib.functions": _DEPLOY,
    "azureml.contrib.interpret": _EXPLAIN,
    "azureml.contrib.mir": _DEPLOY,
    "azureml.contrib.pipeline": _PIPELINE,
    "azureml.contrib.services": _DEPLOY,
    "azureml.contrib.tensorboard": _TENSORBOARD,
    "azureml.contrib.train": _NOTHING,
    "azureml.core.dataset": _DATA,
    "azureml.core.datastore": _DATA,
    "azureml.core.image": _DEPLOY,
    "azureml.core.linked_service": _SPARK,
    "azureml.core.private_endpoint": _NOTHING,
    "azureml.core.profile": _DEPLOY,
    "azureml.core.project": _WORKSPACE,
    "azureml.core.webservice": _DEPLOY,
    "azureml.data": _DATA,
    "azureml.datadrift": _NOTHING,
    "azureml.dataprep": _DATA,
    "azureml.explain": _EXPLAIN,
    "azureml.fsspec": _DATA,
    "azureml.interpret": _EXPLAIN,
    "azureml.mlflow": _MLFLOW,
    "azureml.monitoring": _DEPLOY,
    "azureml.opendatasets": _OPEN_DATA,
    "azureml.pipeline": _PIPELINE,
    "azureml.responsibleai": _EXPLAIN,
    "azureml.studio": _NOTHING,
    "azureml.tensorboard": _TENSORBOARD,
    "azureml.train.automl": _AUTOML,
    "azureml.train.hyperdrive": _SWEEP,
    "azureml.train.timeseries": _AUTOML,
}
# Names that a module's reason does not hold for: in modules that are served all that are not. What ``import *`` gives.
_NAMES = {
    "azureml.contrib.notebook": {"NotebookRunnerStep": _PIPELINE},
    "azureml.core": {
        "Dataset": _DATA,
        "Datastore": _DATA,
        "Image": _DEPLOY,
        "KubernetesNamespace": _DEPLOY,
        "LinkedService": _SPARK,
        "SynapseWorkspaceLinkedServiceConfiguration": _SPARK,
        "Webservice": _LOCAL_DEPLOY,
    },
    "azureml.core.model": {"InferenceConfig": _LOCAL_DEPLOY, "ModelPackage": _DEPLOY},
    "azureml.core.runconfig": {
        "Data": _DATA,
        "DataConfiguration": _DATA,
        "DataPath": _DATA,
        "OutputData": _DATA,
        "SourceDirectoryDataStore": _DATA,
    },
    "azureml.core.webservice": {"LocalWebservice": _LOCAL_DEPLOY, "Webservice": _LOCAL_DEPLOY},
    "azureml.pipeline.core": dict.fromkeys(
        (
            "Pipeline", "PipelineData", "PipelineDataset", "PipelineEndpoint", "PipelineParameter", "PipelineRun",
            "PortDataReference", "PublishedPipeline", "Schedule", "ScheduleRecurrence", "StepRun", "StepSequence",
            "TrainingOutput",
        ),
        _PIPELINE,
    ),
    "azureml.pipeline.steps": {
        **dict.fromkeys(
            (
                "CommandStep", "DataTransferStep", "EstimatorStep", "HyperDriveStep", "HyperDriveStepRun", "ModuleStep",
                "MpiStep", "ParallelRunConfig", "ParallelRunStep", "PythonScriptStep", "RScriptStep",
            ),
            _PIPELINE,
        ),
        "AdlaStep": _STORE,
        "AutoMLStep": _AUTOML,
        "AzureBatchStep": _PIPELINE,
        "DatabricksStep": _SPARK,
        "KustoStep": _STORE,
        "SynapseSparkStep": _SPARK,
    },
    "azureml.train.hyperdrive": dict.fromkeys(
        (
            "BanditPolicy", "BayesianParameterSampling", "GridParameterSampling", "HyperDriveConfig", "HyperDriveRun",
            "HyperDriveRunConfig", "MedianStoppingPolicy", "NoTerminationPolicy", "PrimaryMetricGoal",
            "RandomParameterSampling", "TruncationSelectionPolicy", "choice", "lognormal", "loguniform", "normal",
            "qlognormal", "qloguniform", "qnormal", "quniform", "randint", "uniform",
        ),
        _SWEEP,
    ),
}  # fmt: skip


def places(module: str, homes: dict[str, str]) -> Tuple[Callable[[str], Any], Callable[[], List[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a module of v1: `amlnb.lazy.exports`, and what stands for other names.

    In a job that has only what scripts log with, the others can be imported too, and say so when they are called: many
    a script imports what it does not use.
    """
    others = _NAMES.get(module, {})
    served, served_names = exports(module, homes, lambda name: _told(module, name) if name in others else None)

    def getattr_(name: str) -> Any:
        try:
            return served(name)
        except ImportError as error:
            from amlnb.placeholders import stand_in

            why, _, hint = str(error).partition("\nhint: ")
            return stand_in(name, module, why.partition(" ")[2], hint)

    return getattr_, lambda: sorted({*served_names(), *others})


def names(module: str) -> List[str]:
    """Names of a module that are not served, for its ``__all__``."""
    return sorted(_NAMES.get(module, ()))


def reason(module: str, name: Optional[str] = None) -> Optional[Tuple[bool, str]]:
    """Whether a module, or a name of one, that is not served will be, and what to do until then; None for others."""
    if name is not None and name in _NAMES.get(module, {}):
        return _NAMES[module][name]
    while module not in _MODULES and "." in module:
        module = module.rpartition(".")[0]
    return _MODULES.get(module)


class Finder:
    """Asked last, when nobody has found a module: makes those of v1 that are not served.

    Every public name of theirs is there, and says what it is when it is called.
    """

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> Optional[ModuleSpec]:
        """Find a module of v1 that is not served; none of another name."""
        if not name.startswith("azureml.") or reason(name) is None:
            return None
        # Importing ModuleSpec by its name costs a script a millisecond; a class serves as its own loader.
        return type(__spec__)(name, cls, is_package=True)  # type: ignore[arg-type]

    @classmethod
    def create_module(cls, spec: ModuleSpec) -> None:
        """Leave it to Python."""

    @classmethod
    def exec_module(cls, module: ModuleType) -> None:
        """Give it its names."""
        name = module.__name__
        getattr_, _ = exports(name, {}, lambda asked: _told(name, asked))
        why = reason(name)
        vars(module).update(
            __all__=names(name),
            __dir__=lambda: names(name),
            __doc__=f"``{name}`` of v1, which amlnb does not serve.",
            __getattr__=getattr_,
            amlnb_hint="" if why is None else why[1],
        )


def _told(module: str, name: str) -> Any:
    why = reason(module, name)
    if why is None or name.startswith("_"):
        return None
    from amlnb.placeholders import LATER, NEVER, stand_in  # few scripts come here

    comes_later, hint = why
    return stand_in(name, module, LATER if comes_later else NEVER, hint)
