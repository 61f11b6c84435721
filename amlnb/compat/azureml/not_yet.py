"""Names of v1 that amlnb does not have yet, and what to do without them: said when they are imported."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

_COMPUTE = "give a target by its name, compute_target='local' or one that 'amlnb target add' made"
_DATA = "read the files by their path"
_MODEL = "keep the file under outputs/ and fetch it with run.download_file(...)"
_SIGN_IN = "there is no cloud and nothing to sign in to; leave it out"
_DEPLOY = "amlnb trains and keeps models, and serves none"
_TRAIN = "in place of an estimator use ScriptRunConfig; in place of a sweep submit one run for each value"
_PIPELINE = "submit the steps one after the other, each after wait_for_completion()"

# Of azureml.core: name -> hint.
MISSING = {
    "AmlCompute": _COMPUTE,
    "ComputeTarget": _COMPUTE,
    "Dataset": _DATA,
    "Datastore": _DATA,
    "Keyvault": _SIGN_IN,
    "Model": _MODEL,
    "Webservice": _DEPLOY,
}

# Modules, those below them too -> hint.
_MODULES = {
    "azureml.core.authentication": _SIGN_IN,
    "azureml.core.compute": _COMPUTE,
    "azureml.core.compute_target": _COMPUTE,
    "azureml.core.dataset": _DATA,
    "azureml.core.datastore": _DATA,
    "azureml.core.image": _DEPLOY,
    "azureml.core.keyvault": _SIGN_IN,
    "azureml.core.model": _MODEL,
    "azureml.core.webservice": _DEPLOY,
    "azureml.data": _DATA,
    "azureml.pipeline": _PIPELINE,
    "azureml.train": _TRAIN,
}


def hint_for(module: str) -> Optional[str]:
    """What to do without a module of v1; None if it is none that is known to be missing."""
    while "." in module:
        if module in _MODULES:
            return _MODULES[module]
        module = module.rpartition(".")[0]
    return None


class Finder:
    """Asked last, when nobody has found a module: says of a module of v1 that it is not there yet."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> None:
        """Find nothing.

        Raises
        ------
        ModuleNotFoundError
            It is a module of v1 that amlnb does not have.
        """
        hint = hint_for(name) if name.startswith("azureml.") else None
        if hint is not None:
            raise ModuleNotFoundError(f"{name} is not in amlnb yet.\nhint: {hint}", name=name)
