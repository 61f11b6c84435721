"""``azureml.core.compute.amlcompute``: v1's place of `AmlCompute`."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.compute import AmlCompute, AmlComputeProvisioningConfiguration, AmlComputeStatus, ScaleSettings

__all__ = [
    "AmlCompute",
    "AmlComputeProvisioningConfiguration",
    "AmlComputeStatus",
    "ScaleSettings",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "AmlCompute": "amlnb.api.compute",
        "AmlComputeProvisioningConfiguration": "amlnb.api.compute",
        "AmlComputeStatus": "amlnb.api.compute",
        "ScaleSettings": "amlnb.api.compute",
    },
)
