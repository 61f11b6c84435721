"""``Environment``: which Python a run has, and which packages, as v1 code writes it."""

from __future__ import annotations

import copy
import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from amlnb.api import environment_document, environment_specs
from amlnb.api.conda_dependencies import CONDA_FILE_NAME, PYTHON_DEFAULT_VERSION, CondaDependencies
from amlnb.api.environment_sections import ContainerRegistry, DockerSection, PythonSection, SparkSection
from amlnb.core import coercion
from amlnb.errors import EnvironmentBuildException, UserErrorException
from amlnb.specs.environment_spec import CONTAINER, EXISTING, EnvironmentSpec
from amlnb.store.workspace_dir import WorkspaceDirectory

if TYPE_CHECKING:
    from amlnb.api.environment_build import ImageBuildDetails
    from amlnb.environments.registered import Registered

_LATEST = "latest"


class WorkspaceHandle(Protocol):
    """What an environment needs of its workspace."""

    directory: WorkspaceDirectory


class Environment:
    """An environment. It is built when the first run needs it, and kept for those after it.

    Assigning an attribute that does not exist raises AttributeError, as in v1: typos are errors.

    Parameters
    ----------
    name
        Any text. To be registered it must not begin with ``AzureML`` or ``Microsoft``.
    strict
        A pin that cannot be met is an error. Without it the nearest is taken, which is told, and a version of Python
        means the workspace's own.

    Attributes
    ----------
    version
        Of a registered or a given environment; else None.
    python, docker
        `PythonSection`, `DockerSection`.
    environment_variables
        Environment variables of the run.
    inferencing_stack_version, spark, r
        Accepted.
    """

    __slots__ = (
        "_beyond",
        "_made_of",
        "docker",
        "environment_variables",
        "inferencing_stack_version",
        "name",
        "python",
        "r",
        "spark",
        "strict",
        "version",
    )

    def __init__(self, name: str, *, strict: bool = False) -> None:
        self.name = _text(name, "the name of an environment")
        self.version: str | None = None
        self.python = PythonSection()
        self.docker = DockerSection()
        self.spark = SparkSection()
        self.r: Any = None
        self.environment_variables: dict[str, str] = dict(environment_specs.EXAMPLE_VARIABLES)
        self.inferencing_stack_version: str | None = None
        self.strict = strict
        # What its sections cannot say: constraints, credentials, notes.
        self._beyond = EnvironmentSpec(python_is_soft=True)
        # While it is as this document says, it is this specification.
        self._made_of: tuple[Mapping[str, Any], EnvironmentSpec] | None = None

    @classmethod
    def from_conda_specification(cls, name: str, file_path: str) -> Environment:
        """Make one of a conda environment file.

        Raises
        ------
        UserErrorException, FormatError
            The file is not there, or is none.
        """
        found = cls(name)
        found.python.conda_dependencies = CondaDependencies(file_path)
        if found.python.conda_dependencies.python_version is None:
            found.python.conda_dependencies.set_python_version(PYTHON_DEFAULT_VERSION)
        found._beyond = dataclasses.replace(found._beyond, origin=os.path.basename(file_path))
        return found

    @classmethod
    def from_pip_requirements(cls, name: str, file_path: str, pip_version: str | None = None) -> Environment:
        """Make one of a requirements file; files that it names are read too.

        Parameters
        ----------
        name
            Name of the environment.
        file_path
            The file.
        pip_version
            Accepted: packages are installed by uv.

        Raises
        ------
        UserErrorException
            The file is not there, or a line of it cannot be understood.
        """
        from amlnb.environments import requirements_text

        spec = requirements_text.read(file_path, os.environ).specification(os.path.basename(file_path))
        return cls.from_spec(dataclasses.replace(spec, name=name))

    @classmethod
    def from_existing_conda_environment(cls, name: str, conda_environment_name: str) -> Environment | None:
        """Make one that uses a conda environment of this machine as it is; None if there is none of that name."""
        from amlnb.environments.existing import find_conda

        try:
            prefix = find_conda(conda_environment_name, os.environ)
        except EnvironmentBuildException as error:
            print(error)
            return None
        return cls.from_spec(EnvironmentSpec(name=name, interpreter=prefix))

    @classmethod
    def from_docker_image(
        cls,
        name: str,
        image: str,
        container_registry: ContainerRegistry | None = None,
        conda_specification: str | None = None,
        pip_requirements: str | None = None,
    ) -> Environment:
        """Make one of a container image; packages of a conda or requirements file are added to the image's Python."""
        found = cls._of_container(name, conda_specification, pip_requirements)
        found.docker.base_image = _text(image, "the image")
        if container_registry is not None:
            found.docker.base_image_registry = container_registry
        return found

    @classmethod
    def from_dockerfile(
        cls,
        name: str,
        dockerfile: str,
        conda_specification: str | None = None,
        pip_requirements: str | None = None,
    ) -> Environment:
        """Make one of a Dockerfile, given by its path or its text; otherwise as `from_docker_image`."""
        found = cls._of_container(name, conda_specification, pip_requirements)
        found.docker.base_image = None
        found.docker.base_dockerfile = _text(dockerfile, "the Dockerfile")
        return found

    @classmethod
    def _of_container(cls, name: str, conda_specification: str | None, pip_requirements: str | None) -> Environment:
        if conda_specification is not None and pip_requirements is not None:
            raise UserErrorException(
                "conda_specification and pip_requirements were both given",
                hint="one file says which packages are added",
            )
        if conda_specification is not None:
            return cls.from_conda_specification(name, conda_specification)
        if pip_requirements is not None:
            return cls.from_pip_requirements(name, pip_requirements)
        found = cls(name)
        found.python.user_managed_dependencies = True
        return found

    @classmethod
    def from_spec(cls, spec: EnvironmentSpec) -> Environment:
        """Make one of a specification, as `to_spec` makes it."""
        if spec.document:
            found = cls._of_document(spec.document)
            found.version, found.strict = spec.version, spec.strict
            found.environment_variables = dict(spec.variables)
            found._made_of = (found.to_document(), spec)
            return found
        found = cls(spec.name or spec.origin or "environment", strict=spec.strict)
        found.version = spec.version
        found.environment_variables = dict(spec.variables)
        found.docker.base_dockerfile = spec.dockerfile
        if spec.image or spec.dockerfile:
            found.docker.base_image = spec.image
        found.python.interpreter_path = spec.interpreter or found.python.interpreter_path
        found.python.conda_dependencies = environment_specs.conda_dependencies(spec)
        found.python.user_managed_dependencies = spec.kind in {EXISTING, CONTAINER}
        found._beyond = environment_specs.beyond_sections(spec)
        found._made_of = (found.to_document(), spec)
        return found

    def to_spec(self) -> EnvironmentSpec:
        """Make the value that a run is submitted with.

        Raises
        ------
        UserErrorException
            A package, an option or a file it names cannot be used.
        """
        if self._made_of is not None and self.to_document() == self._made_of[0]:
            return self._made_of[1]
        base = dataclasses.replace(
            self._beyond,
            name=self.name,
            origin=self._beyond.origin or f"the environment {self.name!r}",
            strict=self.strict,
            variables=environment_specs.variables(self.environment_variables),
        )
        made = environment_specs.specification(base, self.python, self.docker)
        return dataclasses.replace(made, document=environment_document.kept(self.to_document(), self.python))

    @property
    def is_default(self) -> bool:
        """Nothing was asked for but what v1 gives to every environment."""
        return self.to_document() == Environment(self.name).to_document()

    def clone(self, new_name: str) -> Environment:
        """A copy under another name."""
        found = copy.deepcopy(self)
        found.name = _text(new_name, "the name of an environment")
        found.version = None
        return found

    def register(self, workspace: WorkspaceHandle) -> Environment:
        """Keep it in the workspace under its name and the next version; the newest one if that is the same.

        User and password of an address are not kept.

        Raises
        ------
        UserErrorException
            Its name begins with ``AzureML`` or ``Microsoft``; or it cannot be used.
        """
        from amlnb.environments import registered

        document, spec = environment_document.without_credentials(self.to_document()), self.to_spec()
        kept = registered.register(workspace.directory.path, self.name, document, spec)
        return self._of_registered(kept, spec.credentials)

    @classmethod
    def get(
        cls, workspace: WorkspaceHandle, name: str, version: str | int | None = None, label: str | None = None
    ) -> Environment:
        """A registered environment, or a given one (``AzureML-...``).

        Parameters
        ----------
        workspace
            The workspace.
        name
            Its name.
        version
            Its version; without one the newest.
        label
            Only ``Latest``, which is the newest.

        Raises
        ------
        UserErrorException
            There is none of that name or version.
        """
        if label is not None and (version is not None or label.lower() != _LATEST):
            raise UserErrorException(
                f"label is {label!r}, with version {version!r}", hint="give either a version or label='Latest'"
            )
        from amlnb.environments import curated, registered

        given = curated.curated(name)
        if given is not None:
            return cls.from_spec(given)
        data = workspace.directory.path
        kept = registered.get(data, name, None if version is None else str(version))
        if kept is None:
            raise UserErrorException(*registered.not_found(data, name, version))
        return cls._of_registered(kept)

    @classmethod
    def list(cls, workspace: WorkspaceHandle) -> dict[str, Environment]:
        """The newest version of each registered environment, and those that are given, by their names."""
        from amlnb.environments import curated, registered

        kept = registered.every(workspace.directory.path, on_damaged=print)
        found = {one.name: cls._of_registered(one) for one in kept}
        given = {name: curated.curated(name) for name in curated.names()}
        return found | {name: cls.from_spec(spec) for name, spec in given.items() if spec is not None}

    @classmethod
    def _of_registered(cls, kept: Registered, credentials: Mapping[str, str] | None = None) -> Environment:
        found = cls._of_document(kept.document)
        found._made_of = (kept.document, dataclasses.replace(kept.spec, credentials=credentials or {}))
        return found

    def build(self, workspace: WorkspaceHandle, image_build_compute: Any = None) -> ImageBuildDetails:
        """Build it on this machine, ahead of the first run; returns at once.

        Returns
        -------
        ImageBuildDetails
            ``wait_for_completion(show_output=True)`` waits for it and shows its log.
        """
        from amlnb.api.environment_build import ImageBuildDetails

        return ImageBuildDetails(self.to_spec(), workspace.directory.path)

    def build_local(self, workspace: WorkspaceHandle, platform: Any = None, **kwargs: Any) -> ImageBuildDetails:
        """The same as `build`: every build is local."""
        return self.build(workspace)

    def get_image_details(self, workspace: WorkspaceHandle) -> dict[str, Any]:
        """What is built of it on this machine."""
        from amlnb.api.environment_build import details

        return details(self.to_spec(), workspace.directory.path)

    def save_to_directory(self, path: str, overwrite: bool = False) -> None:
        """Write ``azureml_environment.json`` and ``conda_dependencies.yml`` into a folder.

        Raises
        ------
        UserErrorException
            They are there, and ``overwrite`` is not set.
        """
        texts = {environment_document.FILE_NAME: environment_document.to_text(self.to_document())}
        if not self.python.user_managed_dependencies:
            texts[CONDA_FILE_NAME] = self.python.packages.serialize_to_string()
        environment_document.write(path, texts, overwrite=overwrite)

    @classmethod
    def load_from_directory(cls, path: str) -> Environment:
        """Read what `save_to_directory` wrote.

        Raises
        ------
        UserErrorException
            It is not there, or is damaged.
        """
        return cls._of_document(environment_document.read(path))

    def to_document(self) -> dict[str, Any]:
        """What ``azureml_environment.json`` holds; ``amlnb`` is our addition to it, where it is needed."""
        ours = environment_document.beyond_document(self._beyond, strict=self.strict)
        document: dict[str, Any] = {
            "assetId": None,
            "docker": self.docker.to_document(),
            "environmentVariables": dict(self.environment_variables),
            "inferencingStackVersion": self.inferencing_stack_version,
            "name": self.name,
            "python": self.python.to_document(),
            "r": None,
            "spark": {"packages": [], "precachePackages": self.spark.precache_packages, "repositories": []},
            "version": self.version,
        }
        return {**document, "amlnb": ours} if ours else document

    @classmethod
    def _of_document(cls, document: Mapping[str, Any]) -> Environment:
        ours = coercion.mapping(document.get("amlnb"))
        found = cls(document["name"], strict=bool(ours.get("strict")))
        found.version = coercion.text(document.get("version"))
        found.docker = DockerSection.from_document(coercion.mapping(document.get("docker")))
        found.python = PythonSection.from_document(coercion.mapping(document.get("python")))
        found.environment_variables = coercion.scalar_texts(document.get("environmentVariables"))
        found.inferencing_stack_version = coercion.text(document.get("inferencingStackVersion"))
        found._beyond = environment_document.beyond(ours)
        return found

    def __repr__(self) -> str:
        return environment_document.to_text(environment_document.without_credentials(self.to_document()))


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UserErrorException(f"{what} is {value!r}", hint="give a text that is not empty")
    return value
