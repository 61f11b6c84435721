"""``azureml.core.compute_target``: where the oldest code finds compute targets and their error."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.errors import ComputeTargetException

__all__ = [
    "ComputeTargetException",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "ComputeTargetException": "amlnb.errors",
    },
)
