"""From the sections of an `Environment` to an `EnvironmentSpec`, and back."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import sys
from collections.abc import Iterable, Mapping

from amlnb.api.conda_dependencies import DEFAULT_PYTHON, PYTHON_DEFAULT_VERSION, CondaDependencies
from amlnb.api.environment_sections import DockerSection, PythonSection
from amlnb.errors import UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec

# v1 gives it to every environment; nobody asked for it.
EXAMPLE_VARIABLES = {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}
_OWN_PYTHON = ".".join(map(str, sys.version_info[:2]))
_DEFAULT_PYTHONS = (DEFAULT_PYTHON, PYTHON_DEFAULT_VERSION)
_FROM = re.compile(r"\s*(#[^\n]*\n\s*)*(FROM|ARG)\s", re.IGNORECASE)


def specification(base: EnvironmentSpec, python: PythonSection, docker: DockerSection) -> EnvironmentSpec:
    """What sections ask for.

    Parameters
    ----------
    base
        All that the sections do not say: name, variables, constraints, credentials.
    python, docker
        The sections.

    Raises
    ------
    UserErrorException
        They contradict each other, or a package or file that they name cannot be used.
    """
    packages = base if python.user_managed_dependencies else _packages(base, python.packages)
    if docker.base_dockerfile or docker.own_image:
        return _container(packages, docker)
    if python.user_managed_dependencies:
        return dataclasses.replace(base, interpreter=python.own_interpreter)
    return packages


def beyond_sections(spec: EnvironmentSpec) -> EnvironmentSpec:
    """What the sections of an `Environment` do not say of a specification."""
    return EnvironmentSpec(
        origin=spec.origin,
        python_is_soft=spec.python_is_soft or spec.python is None,
        constraints=spec.constraints,
        use_conda=spec.use_conda,
        notes=spec.notes,
        news=spec.news,
        credentials=spec.credentials,
    )


def conda_dependencies(spec: EnvironmentSpec) -> CondaDependencies:
    """The packages of a specification, as v1 writes them."""
    python = [f"python={spec.python}" if spec.python[:1].isdigit() else f"python{spec.python}"] if spec.python else []
    return CondaDependencies(
        _underlying_structure={
            "name": "project_environment",
            "dependencies": [*python, *spec.conda, {"pip": [*spec.pip_options, *spec.pip]}],
            "channels": list(spec.channels),
        }
    )


def variables(given: Mapping[str, str]) -> dict[str, str]:
    """Environment variables of an environment, but for v1's example."""
    told = {str(name): str(value) for name, value in given.items()}
    return {name: value for name, value in told.items() if EXAMPLE_VARIABLES.get(name) != value}


def _packages(base: EnvironmentSpec, packages: CondaDependencies) -> EnvironmentSpec:
    from amlnb.environments import conda_text

    read = conda_text.parse(packages.serialize_to_string(), base.origin, packages.folder, os.environ)
    notes = [*base.notes, *read.notes]
    is_soft = base.python_is_soft and not base.strict
    # A default is nobody's wish, not even where all wishes bind.
    python = None if base.python_is_soft and read.python in _DEFAULT_PYTHONS else read.python
    if is_soft and not (read.pip or read.conda):
        notes = [_told_own(python)] if python and not python.startswith(_OWN_PYTHON) else []
        python = None
    return dataclasses.replace(
        base,
        python=python,
        python_is_soft=is_soft and python is not None,
        pip=read.pip,
        pip_options=read.pip_options,
        constraints=tuple(dict.fromkeys([*base.constraints, *read.constraints])),
        conda=read.conda,
        channels=read.channels,
        variables={**read.variables, **base.variables},
        notes=tuple(dict.fromkeys(notes)),
        news=tuple(dict.fromkeys([*base.news, *read.news])),
        credentials={**base.credentials, **read.credentials},
    )


def _told_own(python: str) -> str:
    return f"Python {python} and no package is asked for: the run has the workspace's own Python, {_OWN_PYTHON}"


def _container(spec: EnvironmentSpec, docker: DockerSection) -> EnvironmentSpec:
    """A container, with the packages of a specification added to the Python of its image."""
    if docker.base_dockerfile and docker.own_image:
        raise UserErrorException(
            f"docker.base_image ({docker.base_image!r}) and docker.base_dockerfile were both given",
            hint="set one of them to None",
        )
    from amlnb.environments import specifications

    registry = docker.base_image_registry
    image, dockerfile = docker.own_image, None
    credentials = dict(spec.credentials)
    if image and registry.address:
        host = registry.address.removeprefix("https://").rstrip("/")
        image = image if image.startswith(f"{host}/") else f"{host}/{image}"
        if registry.username:
            credentials[host] = f"{registry.username}:{registry.password or ''}"
    if image:
        image = specifications.of_image(image).image
    if docker.base_dockerfile:
        dockerfile = dockerfile_text(docker.base_dockerfile)
    if spec.pip or spec.conda:
        lines, spec = _installed(spec)
        dockerfile = f"{dockerfile.rstrip() if dockerfile else f'FROM {image}'}\n{lines}\n"
        image = None
    return dataclasses.replace(
        spec,
        python=None,
        python_is_soft=False,
        image=image,
        dockerfile=dockerfile,
        pip=(),
        pip_options=(),
        conda=(),
        channels=(),
        constraints=(),
        credentials=credentials,
    )


def _installed(spec: EnvironmentSpec) -> tuple[str, EnvironmentSpec]:
    """The line of a Dockerfile that installs packages; and the specification with what there is to tell of them."""
    from amlnb.environments import conda_translation

    translated = conda_translation.translate(spec)
    if translated.untranslatable:
        raise UserErrorException(
            f"{', '.join(translated.untranslatable)} cannot be added to an image: pip has no such package",
            hint="install it by a line of the Dockerfile: Environment.from_dockerfile(name, dockerfile)",
        )
    wanted = [*translated.requirements, *spec.pip]
    local = [each for each in wanted if each.removeprefix("-e ").startswith("/")]
    if local:
        raise UserErrorException(
            f"{local[0]!r} cannot be added to an image: it is a path of this machine",
            hint="add it beside the script: what the source directory holds can be imported",
        )
    lines = [*spec.pip_options, *wanted]
    command = f"{_written(lines, 'requirements')} && python3 -m pip install --no-cache-dir -r /tmp/requirements.txt"
    if spec.constraints:
        command = f"{_written(spec.constraints, 'constraints')} && {command} -c /tmp/constraints.txt"
    notes, news = (*spec.notes, *translated.notes), (*spec.news, *translated.news)
    return f"RUN {command}", dataclasses.replace(spec, notes=notes, news=news)


def _written(lines: Iterable[str], name: str) -> str:
    """The command that writes lines into a file of the image."""
    return f"printf '%s\\n' {shlex.join(lines)} > /tmp/{name}.txt"


def dockerfile_text(given: str) -> str:
    """The text of a Dockerfile that is given by it, or by its path."""
    if "\n" not in given and not _FROM.match(given):
        from amlnb.environments import text_files

        return text_files.read(os.path.abspath(given), f"the Dockerfile {given!r}")
    return given
