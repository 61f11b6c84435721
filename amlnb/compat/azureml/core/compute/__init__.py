"""``azureml.core.compute``: v1's compute targets."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.compute import (
        AdlaCompute,
        AksCompute,
        AmlCompute,
        BatchAiCompute,
        BatchCompute,
        ComputeInstance,
        ComputeTarget,
        DatabricksCompute,
        DataFactoryCompute,
        DsvmCompute,
        HDInsightCompute,
        KubernetesCompute,
        KustoCompute,
        RemoteCompute,
        SynapseCompute,
    )

__all__ = [
    "AdlaCompute",
    "AksCompute",
    "AmlCompute",
    "BatchAiCompute",
    "BatchCompute",
    "ComputeInstance",
    "ComputeTarget",
    "DataFactoryCompute",
    "DatabricksCompute",
    "DsvmCompute",
    "HDInsightCompute",
    "KubernetesCompute",
    "KustoCompute",
    "RemoteCompute",
    "SynapseCompute",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "AdlaCompute": "amlnb.api.compute",
        "AksCompute": "amlnb.api.compute",
        "AmlCompute": "amlnb.api.compute",
        "BatchAiCompute": "amlnb.api.compute",
        "BatchCompute": "amlnb.api.compute",
        "ComputeInstance": "amlnb.api.compute",
        "ComputeTarget": "amlnb.api.compute",
        "DataFactoryCompute": "amlnb.api.compute",
        "DatabricksCompute": "amlnb.api.compute",
        "DsvmCompute": "amlnb.api.compute",
        "HDInsightCompute": "amlnb.api.compute",
        "KubernetesCompute": "amlnb.api.compute",
        "KustoCompute": "amlnb.api.compute",
        "RemoteCompute": "amlnb.api.compute",
        "SynapseCompute": "amlnb.api.compute",
    },
)
