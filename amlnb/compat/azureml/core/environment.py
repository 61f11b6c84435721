"""``azureml.core.environment``: v1's place of `Environment` and its sections."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.conda_dependencies import CondaDependencies
    from amlnb.api.environment import Environment
    from amlnb.api.environment_build import ImageBuildDetails
    from amlnb.api.environment_sections import (
        DEFAULT_CPU_IMAGE,
        DEFAULT_GPU_IMAGE,
        ContainerRegistry,
        DockerSection,
        PythonSection,
        SparkPackage,
        SparkSection,
    )

__all__ = [
    "DEFAULT_CPU_IMAGE",
    "DEFAULT_GPU_IMAGE",
    "CondaDependencies",
    "ContainerRegistry",
    "DockerSection",
    "Environment",
    "ImageBuildDetails",
    "PythonSection",
    "SparkPackage",
    "SparkSection",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "DEFAULT_CPU_IMAGE": "amlnb.api.environment_sections",
        "DEFAULT_GPU_IMAGE": "amlnb.api.environment_sections",
        "CondaDependencies": "amlnb.api.conda_dependencies",
        "ContainerRegistry": "amlnb.api.environment_sections",
        "DockerSection": "amlnb.api.environment_sections",
        "Environment": "amlnb.api.environment",
        "ImageBuildDetails": "amlnb.api.environment_build",
        "PythonSection": "amlnb.api.environment_sections",
        "SparkPackage": "amlnb.api.environment_sections",
        "SparkSection": "amlnb.api.environment_sections",
    },
)
