"""The errors under the names that code written for v1 catches."""

from __future__ import annotations

from amlnb.errors import (
    ActivityFailedException,
    AmlnbError,
    ComputeTargetException,
    ExperimentExecutionException,
    ModelPathNotFoundException,
    RunConfigurationException,
    RunEnvironmentException,
    SnapshotException,
    UserErrorException,
    WebserviceException,
)

AzureMLException = AmlnbError

__all__ = [
    "ActivityFailedException",
    "AzureMLException",
    "ComputeTargetException",
    "ExperimentExecutionException",
    "ModelPathNotFoundException",
    "RunConfigurationException",
    "RunEnvironmentException",
    "SnapshotException",
    "UserErrorException",
    "WebserviceException",
]
