"""``azureml.core.runconfig``: v1's place of `RunConfiguration`."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.conda_dependencies import CondaDependencies
    from amlnb.api.environment_sections import DEFAULT_CPU_IMAGE, DEFAULT_GPU_IMAGE, DockerConfiguration
    from amlnb.api.run_configuration import RunConfiguration

__all__ = [
    "DEFAULT_CPU_IMAGE",
    "DEFAULT_GPU_IMAGE",
    "CondaDependencies",
    "DockerConfiguration",
    "RunConfiguration",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "DEFAULT_CPU_IMAGE": "amlnb.api.environment_sections",
        "DEFAULT_GPU_IMAGE": "amlnb.api.environment_sections",
        "CondaDependencies": "amlnb.api.conda_dependencies",
        "DockerConfiguration": "amlnb.api.environment_sections",
        "RunConfiguration": "amlnb.api.run_configuration",
    },
)
