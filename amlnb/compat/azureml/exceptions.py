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
    TrainingException,
    UserErrorException,
    WebserviceException,
)

AzureMLException = AmlnbError


class AuthenticationException(AzureMLException):
    """Signing in failed. Never raised: there is nothing to sign in to."""


class DiscoveryUrlNotFoundException(AzureMLException):
    """A service was not found. Never raised: there is none."""


class ExperimentValidationException(UserErrorException):
    """An experiment is not valid. Never raised: see UserErrorException."""


class ImageException(AzureMLException):
    """An image could not be made. Never raised: see EnvironmentBuildException of `amlnb.errors`."""


class ModelNotFoundException(UserErrorException):
    """A model was not found. Never raised, as in v1: that is a WebserviceException."""


class OptionalDependencyMissingException(AzureMLException):
    """A package is missing. Never raised: that is an ImportError."""


class ProjectSystemException(UserErrorException):
    """A workspace could not be read or made. Never raised: see UserErrorException."""


class ServiceException(AzureMLException):
    """A service failed. Never raised: there is none."""


class WorkspaceException(UserErrorException):
    """A workspace could not be used. Never raised: see UserErrorException."""


__all__ = [
    "ActivityFailedException",
    "AuthenticationException",
    "AzureMLException",
    "ComputeTargetException",
    "DiscoveryUrlNotFoundException",
    "ExperimentExecutionException",
    "ExperimentValidationException",
    "ImageException",
    "ModelNotFoundException",
    "ModelPathNotFoundException",
    "OptionalDependencyMissingException",
    "ProjectSystemException",
    "RunConfigurationException",
    "RunEnvironmentException",
    "ServiceException",
    "SnapshotException",
    "TrainingException",
    "UserErrorException",
    "WebserviceException",
    "WorkspaceException",
]
