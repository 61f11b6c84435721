"""``azureml.core.compute.compute``: v1's place of `ComputeTarget`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.compute import ComputeTarget

__all__ = [
    "ComputeTarget",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "ComputeTarget": "amlnb.api.compute",
    },
)
