"""``azureml.core.runconfig``: v1's place of `RunConfiguration` and its sections."""

from __future__ import annotations

from azureml.not_served import names, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.conda_dependencies import CondaDependencies
    from amlnb.api.distributed import MpiConfiguration, PyTorchConfiguration, TensorflowConfiguration
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
    from amlnb.api.run_configuration_sections import (
        AmlComputeConfiguration,
        ContainerInstanceConfiguration,
        DataReferenceConfiguration,
        HdiConfiguration,
        HistoryConfiguration,
        ParallelTaskConfiguration,
        SparkConfiguration,
    )

__all__ = [
    "DEFAULT_CPU_IMAGE",
    "DEFAULT_GPU_IMAGE",
    "AmlComputeConfiguration",
    "CondaDependencies",
    "ContainerInstanceConfiguration",
    "ContainerRegistry",
    "DataReferenceConfiguration",
    "DockerConfiguration",
    "DockerSection",
    "Environment",
    "HdiConfiguration",
    "HistoryConfiguration",
    "MpiConfiguration",
    "ParallelTaskConfiguration",
    "PyTorchConfiguration",
    "PythonSection",
    "RunConfiguration",
    "SparkConfiguration",
    "SparkPackage",
    "SparkSection",
    "TensorflowConfiguration",
]
__all__ += names(__name__)  # noqa: PLE0605 - what stands for those that are not served

__getattr__, __dir__ = places(
    __name__,
    {
        "DEFAULT_CPU_IMAGE": "amlnb.api.environment_sections",
        "DEFAULT_GPU_IMAGE": "amlnb.api.environment_sections",
        "AmlComputeConfiguration": "amlnb.api.run_configuration_sections",
        "CondaDependencies": "amlnb.api.conda_dependencies",
        "ContainerInstanceConfiguration": "amlnb.api.run_configuration_sections",
        "ContainerRegistry": "amlnb.api.environment_sections",
        "DataReferenceConfiguration": "amlnb.api.run_configuration_sections",
        "DockerConfiguration": "amlnb.api.environment_sections",
        "DockerSection": "amlnb.api.environment_sections",
        "Environment": "amlnb.api.environment",
        "HdiConfiguration": "amlnb.api.run_configuration_sections",
        "HistoryConfiguration": "amlnb.api.run_configuration_sections",
        "MpiConfiguration": "amlnb.api.distributed",
        "ParallelTaskConfiguration": "amlnb.api.run_configuration_sections",
        "PyTorchConfiguration": "amlnb.api.distributed",
        "PythonSection": "amlnb.api.environment_sections",
        "RunConfiguration": "amlnb.api.run_configuration",
        "SparkConfiguration": "amlnb.api.run_configuration_sections",
        "SparkPackage": "amlnb.api.environment_sections",
        "SparkSection": "amlnb.api.environment_sections",
        "TensorflowConfiguration": "amlnb.api.distributed",
    },
)
