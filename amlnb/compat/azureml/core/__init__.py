"""The core names of v1."""

from __future__ import annotations

from amlnb.version import __version__ as VERSION  # noqa: N812 - v1's name for it
from azureml.not_served import names, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.compute import ComputeTarget
    from amlnb.api.environment import Environment
    from amlnb.api.environment_sections import ContainerRegistry
    from amlnb.api.experiment import Experiment
    from amlnb.api.keyvault import Keyvault
    from amlnb.api.model import Model
    from amlnb.api.run import Run, get_run
    from amlnb.api.run import Run as ScriptRun
    from amlnb.api.run_configuration import RunConfiguration
    from amlnb.api.script_run_config import ScriptRunConfig
    from amlnb.api.workspace import Workspace

__all__ = [
    "VERSION",
    "ComputeTarget",
    "ContainerRegistry",
    "Environment",
    "Experiment",
    "Keyvault",
    "Model",
    "Run",
    "RunConfiguration",
    "ScriptRun",
    "ScriptRunConfig",
    "Workspace",
    "get_run",
]
__all__ += names(__name__)  # noqa: PLE0605 - what stands for those that are not served

__getattr__, __dir__ = places(
    __name__,
    {
        "ComputeTarget": "amlnb.api.compute",
        "ContainerRegistry": "amlnb.api.environment_sections",
        "Environment": "amlnb.api.environment",
        "Experiment": "amlnb.api.experiment",
        "Keyvault": "amlnb.api.keyvault",
        "Model": "amlnb.api.model",
        "Run": "amlnb.api.run",
        "RunConfiguration": "amlnb.api.run_configuration",
        "ScriptRun": "amlnb.api.run:Run",
        "ScriptRunConfig": "amlnb.api.script_run_config",
        "Workspace": "amlnb.api.workspace",
        "get_run": "amlnb.api.run",
    },
)
