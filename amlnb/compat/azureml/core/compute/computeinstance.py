"""``azureml.core.compute.computeinstance``: v1's place of `ComputeInstance`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.compute_instance import (
        ComputeInstance,
        ComputeInstanceProvisioningConfiguration,
        ComputeInstanceStatus,
    )

__all__ = [
    "ComputeInstance",
    "ComputeInstanceProvisioningConfiguration",
    "ComputeInstanceStatus",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "ComputeInstance": "amlnb.api.compute_instance",
        "ComputeInstanceProvisioningConfiguration": "amlnb.api.compute_instance",
        "ComputeInstanceStatus": "amlnb.api.compute_instance",
    },
)
