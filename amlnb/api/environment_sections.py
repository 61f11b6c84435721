"""The sections of an `Environment`, with v1's names. An attribute that does not exist raises: typos are errors."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from amlnb.api.conda_dependencies import CondaDependencies
from amlnb.core import coercion
from amlnb.errors import UserErrorException

# v1's images with no packages of their own: here packages are installed on the machine that runs them.
DEFAULT_CPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
DEFAULT_GPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.8-cudnn8-ubuntu22.04:latest"
_BASE_IMAGES = "mcr.microsoft.com/azureml/"
_WITH_PACKAGES = "curated/"
_OWN_PYTHON = "python"
_SHM_SIZE = "2g"


class ContainerRegistry:
    """Where a container image is: address and sign-in. User and password are kept in memory only.

    Attributes
    ----------
    address, username, password
        Of the registry.
    """

    __slots__ = ("address", "password", "username")

    def __init__(self) -> None:
        self.address: str | None = None
        self.username: str | None = None
        self.password: str | None = None

    def to_document(self) -> dict[str, Any]:
        """Its part of ``azureml_environment.json``, without user and password."""
        return {"address": self.address, "password": None, "registryIdentity": None, "username": None}


class PythonSection:
    """Which Python, and its packages.

    Attributes
    ----------
    user_managed_dependencies
        The Python of ``interpreter_path`` is used as it is, and nothing is installed.
    interpreter_path
        A Python; ``python`` is the workspace's own.
    conda_dependencies
        The packages.
    conda_dependencies_file
        Path of a conda environment file; given, it stands in place of ``conda_dependencies``.
    base_conda_environment
        Accepted.
    """

    __slots__ = (
        "_conda_dependencies",
        "base_conda_environment",
        "conda_dependencies_file",
        "interpreter_path",
        "user_managed_dependencies",
    )

    def __init__(self) -> None:
        self.user_managed_dependencies = False
        self.interpreter_path = _OWN_PYTHON
        self.conda_dependencies_file: str | None = None
        self.base_conda_environment: str | None = None
        self._conda_dependencies = CondaDependencies()

    @property
    def conda_dependencies(self) -> CondaDependencies:
        """The packages."""
        return self._conda_dependencies

    @conda_dependencies.setter
    def conda_dependencies(self, value: CondaDependencies | None) -> None:
        if not isinstance(value, CondaDependencies | None):
            raise UserErrorException(
                f"conda_dependencies is a {type(value).__name__}",
                hint="CondaDependencies.create(pip_packages=['numpy']) makes one",
            )
        self._conda_dependencies = CondaDependencies() if value is None else value

    @property
    def packages(self) -> CondaDependencies:
        """What is to be installed: of the file where one is given."""
        return (
            CondaDependencies(self.conda_dependencies_file)
            if self.conda_dependencies_file
            else (self._conda_dependencies)
        )

    @property
    def own_interpreter(self) -> str | None:
        """The Python that is used as it is; None for the workspace's own."""
        return None if self.interpreter_path in (_OWN_PYTHON, None, "") else str(self.interpreter_path)

    def to_document(self) -> dict[str, Any]:
        """Its part of ``azureml_environment.json``."""
        return {
            "baseCondaEnvironment": self.base_conda_environment,
            "condaDependencies": self._conda_dependencies.as_dict(),
            "condaDependenciesFile": self.conda_dependencies_file,
            "interpreterPath": self.interpreter_path,
            "userManagedDependencies": self.user_managed_dependencies,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> PythonSection:
        """Read what `to_document` made; what is missing is as by default."""
        found = cls()
        found.base_conda_environment = coercion.text(document.get("baseCondaEnvironment"))
        found.conda_dependencies_file = coercion.text(document.get("condaDependenciesFile"))
        found.interpreter_path = coercion.text(document.get("interpreterPath")) or _OWN_PYTHON
        found.user_managed_dependencies = bool(document.get("userManagedDependencies"))
        dependencies = coercion.mapping(document.get("condaDependencies"))
        if dependencies:
            found.conda_dependencies = CondaDependencies(_underlying_structure=dependencies)
        return found


class DockerSection:
    """The container of an environment.

    Attributes
    ----------
    base_image
        Its image. v1's own base images hold no packages: with one of them the packages are installed on the machine
        that runs them, in no container.
    base_dockerfile
        The text of a Dockerfile, or the path of one, in place of an image.
    base_image_registry
        A ContainerRegistry.
    platform, build_context, gpu_support, shared_volumes
        Accepted.
    """

    __slots__ = (
        "_arguments",
        "_enabled",
        "_shm_size",
        "base_dockerfile",
        "base_image",
        "base_image_registry",
        "build_context",
        "gpu_support",
        "platform",
        "shared_volumes",
    )

    def __init__(self) -> None:
        self.base_image: str | None = DEFAULT_CPU_IMAGE
        self.base_dockerfile: str | None = None
        self.base_image_registry = ContainerRegistry()
        self.build_context: Any = None
        self.platform: Any = None
        self.gpu_support = True
        self.shared_volumes = True
        self._enabled = False
        self._arguments: list[str] = []
        self._shm_size = _SHM_SIZE

    @property
    def enabled(self) -> bool:
        """Deprecated: see `DockerConfiguration`."""
        return self._enabled

    @enabled.setter
    def enabled(self, value: bool) -> None:
        _deprecated("enabled", "use_docker")
        self._enabled = bool(value)

    @property
    def arguments(self) -> list[str]:
        """Deprecated: see `DockerConfiguration`."""
        return self._arguments

    @arguments.setter
    def arguments(self, value: Sequence[str]) -> None:
        _deprecated("arguments", "arguments")
        self._arguments = list(value)

    @property
    def shm_size(self) -> str:
        """Deprecated: see `DockerConfiguration`."""
        return self._shm_size

    @shm_size.setter
    def shm_size(self, value: str) -> None:
        _deprecated("shm_size", "shm_size")
        self._shm_size = value

    @property
    def own_image(self) -> str | None:
        """The image, if it is none of v1's base images."""
        image = self.base_image or None
        if image is None or not image.startswith(_BASE_IMAGES):
            return image
        return image if image.removeprefix(_BASE_IMAGES).startswith(_WITH_PACKAGES) else None

    def to_document(self) -> dict[str, Any]:
        """Its part of ``azureml_environment.json``."""
        return {
            "arguments": list(self._arguments),
            "baseDockerfile": self.base_dockerfile,
            "baseImage": self.base_image,
            "baseImageRegistry": self.base_image_registry.to_document(),
            "buildContext": None,
            "enabled": self._enabled,
            "platform": {"architecture": "amd64", "os": "Linux"},
            "sharedVolumes": self.shared_volumes,
            "shmSize": self._shm_size,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> DockerSection:
        """Read what `to_document` made; what is missing is as by default."""
        found = cls()
        found.base_image = coercion.text(document.get("baseImage"))
        found.base_dockerfile = coercion.text(document.get("baseDockerfile"))
        registry = coercion.mapping(document.get("baseImageRegistry"))
        found.base_image_registry.address = coercion.text(registry.get("address"))
        found.shared_volumes = bool(document.get("sharedVolumes", True))
        found._enabled = bool(document.get("enabled"))
        found._arguments = coercion.texts(document.get("arguments"))
        found._shm_size = coercion.text(document.get("shmSize")) or _SHM_SIZE
        return found


class DockerConfiguration:
    """How a run uses containers, as v1 code says it.

    Whether a run is in a container is decided by its environment: one with an image or a Dockerfile is.

    Attributes
    ----------
    arguments
        More arguments for ``docker run``, each as it stands.
    shm_size
        Size of the container's shared memory, such as ``2g``.
    use_docker, shared_volumes
        Accepted.

    Raises
    ------
    UserErrorException
        The arguments are no list of texts.
    """

    __slots__ = ("arguments", "shared_volumes", "shm_size", "use_docker")

    def __init__(
        self,
        use_docker: bool = False,
        shared_volumes: bool = True,
        arguments: Sequence[str] | None = (),
        shm_size: str = _SHM_SIZE,
    ) -> None:
        arguments = arguments or ()
        if isinstance(arguments, str) or not all(isinstance(each, str) for each in arguments):
            raise UserErrorException(
                f"the arguments for docker are {arguments!r}", hint="give a list of texts: arguments=['--cpus=2']"
            )
        self.use_docker = use_docker
        self.shared_volumes = shared_volumes
        self.arguments = list(arguments)
        self.shm_size = shm_size

    def settings(self) -> dict[str, Any] | None:
        """What a run in a container is to be told; None where nothing was asked for."""
        if not self.arguments and self.shm_size == _SHM_SIZE:
            return None
        return {"arguments": list(self.arguments), "shm_size": self.shm_size}


class SparkPackage:
    """A package for Spark; accepted."""

    __slots__ = ("artifact", "group", "version")

    def __init__(self, group: str | None = None, artifact: str | None = None, version: str | None = None) -> None:
        self.group = group
        self.artifact = artifact
        self.version = version


class SparkSection:
    """Settings for Spark; accepted, without effect.

    Attributes
    ----------
    packages, precache_packages, repositories
        As in v1.
    """

    __slots__ = ("packages", "precache_packages", "repositories")

    def __init__(self) -> None:
        self.packages: list[Any] = []
        self.precache_packages = True
        self.repositories: list[str] = []


def _deprecated(name: str, new_name: str) -> None:
    warnings.warn(
        f"environment.docker.{name} is deprecated: give docker_runtime_config=DockerConfiguration({new_name}=...)",
        DeprecationWarning,
        stacklevel=3,
    )
