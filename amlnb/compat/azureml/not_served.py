"""What v1 had and amlnb does not serve: modules and names that can be imported, whose calls say what to do instead."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Callable, Optional, Tuple

# Whether amlnb will have it.
_LATER, _NEVER = True, False

_DATA = (_LATER, "read the files by their path: runs on this machine see the same files as the notebook")
_PIPELINE = (_LATER, "submit the steps one after the other, each after wait_for_completion()")
_SWEEP = (_LATER, "submit one run for each value, and compare them with amlnb.compare(...)")
_MLFLOW = (_LATER, "log with run.log(...)")
_TENSORBOARD = (_LATER, "%compare shows the curves; TensorBoard itself reads event files in outputs/ of the runs")
_DEPLOY = (_NEVER, "fetch a model with Model(ws, name).download() and load it in a web framework such as FastAPI")
_AUTOML = (_NEVER, "submit a script that searches itself, with scikit-learn's RandomizedSearchCV, FLAML or Optuna")
_SPARK = (_NEVER, "submit a script that uses pandas, polars or a local pyspark")
_STORE = (_NEVER, "read the data in the script with the client library of that store")
_EXPLAIN = (_NEVER, "use shap or interpret-community in the script, and keep the outcome with run.upload_file")
_NOTHING = (_NEVER, "leave it out")

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
    "azureml.core.webservice": _DEPLOY,
    "azureml.data": _DATA,
    "azureml.datadrift": _NOTHING,
    "azureml.dataprep": _DATA,
    "azureml.explain": _EXPLAIN,
    "azureml.fsspec": _DATA,
    "azureml.interpret": _EXPLAIN,
    "azureml.mlflow": _MLFLOW,
    "azureml.monitoring": _DEPLOY,
    "azureml.opendatasets": _DATA,
    "azureml.pipeline": _PIPELINE,
    "azureml.responsibleai": _EXPLAIN,
    "azureml.studio": _NOTHING,
    "azureml.tensorboard": _TENSORBOARD,
    "azureml.train.automl": _AUTOML,
    "azureml.train.hyperdrive": _SWEEP,
    "azureml.train.timeseries": _AUTOML,
}
# Names in modules that are served.
_NAMES = {
    "azureml.contrib.notebook": {"NotebookRunnerStep": _PIPELINE},
    "azureml.core": {
        "Dataset": _DATA,
        "Datastore": _DATA,
        "Image": _DEPLOY,
        "KubernetesNamespace": _DEPLOY,
        "LinkedService": _SPARK,
        "SynapseWorkspaceLinkedServiceConfiguration": _SPARK,
        "Webservice": _DEPLOY,
    },
    "azureml.core.model": {"InferenceConfig": _DEPLOY, "ModelPackage": _DEPLOY},
}


def lookup(module: str) -> Callable[[str], Any]:
    """Return what finds the names of a module that is served which are not: for `amlnb.lazy.exports`."""

    def find(name: str) -> Any:
        why = _NAMES.get(module, {}).get(name)
        return None if why is None else _placeholder(name, module, *why)

    return find


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
        why = reason(name)

        def getattr_(asked: str) -> Any:
            if why is None or asked.startswith("_"):
                raise AttributeError(f"module {name!r} has no attribute {asked!r}")
            vars(module)[asked] = found = _placeholder(asked, name, *why)
            return found

        if why is not None:
            vars(module)["amlnb_hint"] = why[1]
        module.__doc__ = f"``{name}`` of v1, which amlnb does not serve."
        vars(module)["__getattr__"] = getattr_


def _placeholder(name: str, module: str, comes_later: bool, hint: str) -> Any:
    from amlnb.placeholders import LATER, NEVER, placeholder  # few scripts come here

    return placeholder(name, module, LATER if comes_later else NEVER, hint)
