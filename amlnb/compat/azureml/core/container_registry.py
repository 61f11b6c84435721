"""``azureml.core.container_registry``: v1's place of `ContainerRegistry`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.environment_sections import ContainerRegistry

__all__ = [
    "ContainerRegistry",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "ContainerRegistry": "amlnb.api.environment_sections",
    },
)
