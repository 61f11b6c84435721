"""``azureml.core.compute.amlcompute``: v1's place of `AmlCompute`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.compute_cluster import (
        AmlCompute,
        AmlComputeProvisioningConfiguration,
        AmlComputeStatus,
        ScaleSettings,
    )

__all__ = [
    "AmlCompute",
    "AmlComputeProvisioningConfiguration",
    "AmlComputeStatus",
    "ScaleSettings",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "AmlCompute": "amlnb.api.compute_cluster",
        "AmlComputeProvisioningConfiguration": "amlnb.api.compute_cluster",
        "AmlComputeStatus": "amlnb.api.compute_cluster",
        "ScaleSettings": "amlnb.api.compute_cluster",
    },
)
