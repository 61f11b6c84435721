"""The classes of compute targets, and those of v1 that are not served: with them all, each is known by its name."""

from __future__ import annotations

from amlnb.api.compute_cluster import (
    AmlCompute,
    AmlComputeProvisioningConfiguration,
    AmlComputeStatus,
    ScaleSettings,
)
from amlnb.api.compute_instance import ComputeInstance, ComputeInstanceStatus
from amlnb.api.compute_remote import RemoteCompute
from amlnb.api.compute_target import ComputeTarget
from amlnb.placeholders import NEVER, placeholder

__all__ = [
    "AdlaCompute",
    "AksCompute",
    "AmlCompute",
    "AmlComputeProvisioningConfiguration",
    "AmlComputeStatus",
    "BatchAiCompute",
    "BatchCompute",
    "ComputeInstance",
    "ComputeInstanceStatus",
    "ComputeTarget",
    "DataFactoryCompute",
    "DatabricksCompute",
    "DsvmCompute",
    "HDInsightCompute",
    "KubernetesCompute",
    "KustoCompute",
    "RemoteCompute",
    "ScaleSettings",
    "SynapseCompute",
]

_MODULE = "azureml.core.compute"
_SPARK = "submit a script that uses a local pyspark, polars or pandas, with AmlCompute or RemoteCompute as its target"
_STORE = "read the data in the script with the client library of that store"
_CLUSTER = "submit runs to this machine (AmlCompute), or to another one by ssh (RemoteCompute)"
_DEPLOY = "fetch a model with Model(ws, name).download() and serve it with a web framework such as FastAPI"
_COPY = "copy files in a script, with the client library of their store"

AdlaCompute = placeholder("AdlaCompute", _MODULE, NEVER, _STORE)
AksCompute = placeholder("AksCompute", _MODULE, NEVER, _DEPLOY)
# Of 2018: what became AmlCompute, and a machine that is attached.
BatchAiCompute = placeholder("BatchAiCompute", _MODULE, NEVER, _CLUSTER)
DsvmCompute = placeholder("DsvmCompute", _MODULE, NEVER, _CLUSTER)
BatchCompute = placeholder("BatchCompute", _MODULE, NEVER, _CLUSTER)
DataFactoryCompute = placeholder("DataFactoryCompute", _MODULE, NEVER, _COPY)
DatabricksCompute = placeholder("DatabricksCompute", _MODULE, NEVER, _SPARK)
HDInsightCompute = placeholder("HDInsightCompute", _MODULE, NEVER, _SPARK)
KubernetesCompute = placeholder("KubernetesCompute", _MODULE, NEVER, _CLUSTER)
KustoCompute = placeholder("KustoCompute", _MODULE, NEVER, _STORE)
SynapseCompute = placeholder("SynapseCompute", _MODULE, NEVER, _SPARK)
