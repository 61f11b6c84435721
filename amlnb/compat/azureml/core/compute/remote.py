"""``azureml.core.compute.remote``: v1's place of `RemoteCompute`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.compute_remote import RemoteCompute, RemoteComputeAttachConfiguration

__all__ = [
    "RemoteCompute",
    "RemoteComputeAttachConfiguration",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "RemoteCompute": "amlnb.api.compute_remote",
        "RemoteComputeAttachConfiguration": "amlnb.api.compute_remote",
    },
)
