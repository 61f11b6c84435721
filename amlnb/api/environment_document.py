"""``azureml_environment.json``: an `Environment` as v1 writes it down, and what amlnb adds to that."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

from amlnb.api.environment_sections import PythonSection
from amlnb.api.environment_specs import dockerfile_text
from amlnb.core import coercion
from amlnb.errors import UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec

FILE_NAME = "azureml_environment.json"


class _AsWritten(Mapping[str, str]):
    """Stands for environment variables where those in an address are to stay as they were written."""

    def __getitem__(self, name: str) -> str:
        return f"${{{name}}}"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def to_text(document: Mapping[str, Any]) -> str:
    """Write a document as v1 did."""
    return json.dumps(document, indent=4, sort_keys=True)


def read(folder: str) -> dict[str, Any]:
    """Read the document of a folder.

    Raises
    ------
    UserErrorException
        It is not there, or is damaged.
    """
    path = os.path.join(folder, FILE_NAME)
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except FileNotFoundError as error:
        raise UserErrorException(
            f"there is no {FILE_NAME} in {folder!r}", hint="environment.save_to_directory(path) writes it"
        ) from error
    except ValueError as error:
        raise UserErrorException(f"{path!r} is damaged: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("name"), str):
        raise UserErrorException(f"{path!r} is no environment: it is no object with a name")
    return document


def write(folder: str, texts: Mapping[str, str], *, overwrite: bool) -> None:
    """Write files into a folder, which is made.

    Raises
    ------
    UserErrorException
        One is there, and ``overwrite`` is not set.
    """
    os.makedirs(folder, exist_ok=True)
    there = [name for name in texts if os.path.exists(os.path.join(folder, name))]
    if there and not overwrite:
        raise UserErrorException(f"there is {there[0]!r} in {folder!r} already", hint="pass overwrite=True")
    for name, text in texts.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


def beyond_document(spec: EnvironmentSpec, *, strict: bool) -> dict[str, Any]:
    """What v1's document has no place for, where it is not as by default."""
    told = {
        "strict": strict,
        "constraints": list(spec.constraints),
        "use_conda": spec.use_conda,
        "exact_python": not spec.python_is_soft,
        "origin": spec.origin,
    }
    return {name: value for name, value in told.items() if value}


def beyond(document: Mapping[str, Any]) -> EnvironmentSpec:
    """Read what `beyond_document` made."""
    return EnvironmentSpec(
        origin=coercion.text(document.get("origin")) or "",
        constraints=tuple(coercion.texts(document.get("constraints"))),
        use_conda=bool(document.get("use_conda")),
        python_is_soft=not document.get("exact_python"),
    )


def kept(document: Mapping[str, Any], python: PythonSection) -> dict[str, Any]:
    """A document as a run keeps it: with the content of files that it names, and without user and password."""
    docker = dict(document["docker"])
    if docker["baseDockerfile"]:
        docker["baseDockerfile"] = dockerfile_text(docker["baseDockerfile"])
    packages = document["python"]
    if python.conda_dependencies_file and not python.user_managed_dependencies:
        packages = {**packages, "condaDependencies": python.packages.as_dict(), "condaDependenciesFile": None}
    told = {**document, "docker": docker, "python": packages}
    return {name: without_credentials(each) for name, each in told.items()}


def without_credentials(value: Any) -> Any:
    """A document with user and password taken out of every address."""
    from amlnb.environments import addresses

    if isinstance(value, str):
        return addresses.cleaned(value, _AsWritten(), "").text
    if isinstance(value, dict):
        return {key: without_credentials(each) for key, each in value.items()}
    return [without_credentials(each) for each in value] if isinstance(value, list) else value
