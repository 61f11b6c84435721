"""``azureml.core.compute.remote``: v1's place of `RemoteCompute`."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.compute_remote import RemoteCompute, RemoteComputeAttachConfiguration

__all__ = [
    "RemoteCompute",
    "RemoteComputeAttachConfiguration",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "RemoteCompute": "amlnb.api.compute_remote",
        "RemoteComputeAttachConfiguration": "amlnb.api.compute_remote",
    },
)
