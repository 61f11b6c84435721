"""The environments of v1's estimators: a framework's packages as they exist today, and what was added to them."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from amlnb.api.conda_dependencies import CondaDependencies
from amlnb.api.environment import Environment
from amlnb.api.environment_sections import ContainerRegistry
from amlnb.environments import curated
from amlnb.errors import TrainingException

_WHOLE_VERSION = re.compile(r"\d+(\.\d+)*([.\w+-]*)?\Z")
# What an environment definition stands in place of.
_OF_ENVIRONMENT = (
    *("custom_docker_base_image", "custom_docker_image", "image_registry_details", "user_managed", "conda_packages"),
    *("pip_packages", "conda_dependencies_file_path", "pip_requirements_file_path", "conda_dependencies_file"),
    *("pip_requirements_file", "environment_variables", "framework_version"),
)


@dataclass(frozen=True)
class Packages:
    """The framework of an estimator.

    Attributes
    ----------
    name
        As people call it.
    known, default
        Versions that v1 had, and the one it took.
    environment
        Name of the given environment with this framework; ``{}`` is the version.
    is_fixed
        Whatever version is asked for, there is one that works today.
    """

    name: str
    known: tuple[str, ...]
    default: str
    environment: str
    is_fixed: bool = False

    def version(self, asked: object) -> str:
        """The version to take.

        Raises
        ------
        TrainingException
            What is asked for is none.
        """
        if asked is None:
            return self.default
        if not isinstance(asked, str) or not _WHOLE_VERSION.match(asked):
            raise TrainingException(
                f"framework_version is {asked!r}", hint=f"give a text, such as framework_version={self.default!r}"
            )
        return asked

    def requirements(self, version: str) -> tuple[str, ...]:
        """Requirements that stand for a version."""
        taken = version if version in self.known else self.default
        spec = curated.curated(self.environment.format(taken))
        assert spec is not None  # noqa: S101 - a name of ours
        if version == taken or self.is_fixed:
            return spec.pip
        package = spec.pip[0].partition("==")[0]
        pin = version if version.count(".") > 1 else f"{version}.*"
        return (f"{package}=={pin}", *spec.pip[1:])


def environment_of(
    given: Mapping[str, Any], packages: Packages | None, version: str | None, folder: str, name: str
) -> tuple[Environment, list[str]]:
    """The environment of an estimator, and what there is to tell of it.

    Parameters
    ----------
    given
        Parameters of the estimator.
    packages, version
        Its framework, and the version of that; None for none.
    folder
        Its source directory.
    name
        What the environment is called.

    Raises
    ------
    TrainingException
        A value cannot be used.
    """
    definition = given["environment_definition"]
    if definition is not None:
        return _defined(definition), _left_out(given)
    found = Environment(name if version is None else f"{name}-{version}")
    found.environment_variables.update(given["environment_variables"] or {})
    notes = _take_image(found, given)
    if given["user_managed"]:
        found.python.user_managed_dependencies = True
        return found, notes
    dependencies = _of_file(_one_of(given, "conda_dependencies_file"), folder)
    if packages is not None and version is not None:
        requirements = packages.requirements(version)
        for each in requirements:
            dependencies.add_pip_package(each)
        told = f"{packages.name} {version} stands for {', '.join(requirements)}"
        found._beyond = replace(found._beyond, news=(told,))
        if packages.is_fixed and not requirements[0].endswith(f"=={version}"):
            notes.append(f"{packages.name} {version} was asked for; {requirements[0]}, its last version, is taken")
        if version not in packages.known:
            notes.append(
                f"{packages.name} {version} is not among the versions of v1's own: {', '.join(packages.known)}"
            )
    _add(dependencies, given, folder)
    found.python.conda_dependencies = dependencies
    return found, notes


def _add(dependencies: CondaDependencies, given: Mapping[str, Any], folder: str) -> None:
    """Add the packages that were given, which go before those of the framework."""
    for package in _texts(given, "conda_packages"):
        dependencies.add_conda_package(package)
    path = _one_of(given, "pip_requirements_file")
    if path is not None:
        read = Environment.from_pip_requirements("requirements", _path(path, folder)).python.conda_dependencies
        for option in read.pip_options:
            dependencies.set_pip_option(option)
        for package in read.pip_packages:
            dependencies.add_pip_package(package)
    for package in _texts(given, "pip_packages"):
        dependencies.add_pip_package(package)


def _take_image(environment: Environment, given: Mapping[str, Any]) -> list[str]:
    image = given["custom_docker_image"] or given.get("custom_docker_base_image")
    if not image:
        return []
    if not given["use_docker"]:
        return [f"the image {image!r} is left out: use_docker is False"]
    environment.docker.base_image = str(image)
    registry = given["image_registry_details"]
    if registry is not None:
        if not isinstance(registry, ContainerRegistry):
            raise TrainingException(
                f"image_registry_details is a {type(registry).__name__}", hint="give a ContainerRegistry"
            )
        environment.docker.base_image_registry = registry
    return []


def _defined(definition: object) -> Environment:
    if not isinstance(definition, Environment):
        raise TrainingException(f"environment_definition is a {type(definition).__name__}", hint="give an Environment")
    return definition


def _left_out(given: Mapping[str, Any]) -> list[str]:
    names = [name for name in _OF_ENVIRONMENT if given.get(name)]
    if not names:
        return []
    were = "was" if len(names) == 1 else "were"
    return [f"{' and '.join(names)} {were} ignored: environment_definition was given too"]


def _of_file(path: str | None, folder: str) -> CondaDependencies:
    if path is not None:
        return CondaDependencies(_path(path, folder))
    found = CondaDependencies()
    for each in [*found.pip_packages]:  # v1's own, which nobody asked for
        found.remove_pip_package(each)
    return found


def _one_of(given: Mapping[str, Any], name: str) -> str | None:
    """A file, under its name or its older one."""
    new, old = given[name], given[f"{name}_path"]
    if new and old:
        raise TrainingException(f"{name} and {name}_path were both given", hint=f"leave {name}_path out")
    return new or old or None


def _path(path: str, folder: str) -> str:
    """A file of the source directory; one of the working directory where that has none."""
    inside = os.path.join(folder, path)
    return inside if os.path.exists(inside) else path


def _texts(given: Mapping[str, Any], name: str) -> list[str]:
    value = given[name] or []
    if isinstance(value, str) or not all(isinstance(each, str) for each in value):
        raise TrainingException(f"{name} is {value!r}", hint=f"give a list of texts: {name}=['numpy']")
    return list(value)
