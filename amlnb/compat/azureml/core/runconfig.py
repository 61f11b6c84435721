"""``azureml.core.runconfig``: v1's place of `RunConfiguration` and its sections."""

from __future__ import annotations

from amlnb.lazy import exports
from azureml.not_served import lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.conda_dependencies import CondaDependencies
    from amlnb.api.environment import Environment
    from amlnb.api.environment_sections import (
        DEFAULT_CPU_IMAGE,
        DEFAULT_GPU_IMAGE,
        ContainerRegistry,
        DockerConfiguration,
        DockerSection,
        PythonSection,
        SparkPackage,
        SparkSection,
    )
    from amlnb.api.run_configuration import RunConfiguration

__all__ = [
    "DEFAULT_CPU_IMAGE",
    "DEFAULT_GPU_IMAGE",
    "CondaDependencies",
    "ContainerRegistry",
    "DockerConfiguration",
    "DockerSection",
    "Environment",
    "PythonSection",
    "RunConfiguration",
    "SparkPackage",
    "SparkSection",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "DEFAULT_CPU_IMAGE": "amlnb.api.environment_sections",
        "DEFAULT_GPU_IMAGE": "amlnb.api.environment_sections",
        "CondaDependencies": "amlnb.api.conda_dependencies",
        "ContainerRegistry": "amlnb.api.environment_sections",
        "DockerConfiguration": "amlnb.api.environment_sections",
        "DockerSection": "amlnb.api.environment_sections",
        "Environment": "amlnb.api.environment",
        "PythonSection": "amlnb.api.environment_sections",
        "RunConfiguration": "amlnb.api.run_configuration",
        "SparkPackage": "amlnb.api.environment_sections",
        "SparkSection": "amlnb.api.environment_sections",
    },
    lookup(__name__),
)
