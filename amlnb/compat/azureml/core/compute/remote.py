"""``azureml.core.compute.remote``: v1's place of `RemoteCompute`."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.compute import RemoteCompute

__all__ = [
    "RemoteCompute",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "RemoteCompute": "amlnb.api.compute",
    },
)
