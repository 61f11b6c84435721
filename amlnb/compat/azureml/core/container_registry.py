"""``azureml.core.container_registry``: v1's place of `ContainerRegistry`."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.environment_sections import ContainerRegistry

__all__ = [
    "ContainerRegistry",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "ContainerRegistry": "amlnb.api.environment_sections",
    },
)
