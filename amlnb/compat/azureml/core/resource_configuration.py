"""``azureml.core.resource_configuration``: v1's place of `ResourceConfiguration`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.resource_configuration import ResourceConfiguration

__all__ = [
    "ResourceConfiguration",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "ResourceConfiguration": "amlnb.api.resource_configuration",
    },
)
