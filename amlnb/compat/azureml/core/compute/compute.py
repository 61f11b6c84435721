"""``azureml.core.compute.compute``: v1's place of `ComputeTarget`."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.compute import ComputeTarget

__all__ = [
    "ComputeTarget",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "ComputeTarget": "amlnb.api.compute",
    },
)
