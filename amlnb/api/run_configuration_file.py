"""``.runconfig`` files: a `RunConfiguration` as v1 kept it in a project's ``.azureml``."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from typing import Any

from amlnb import host
from amlnb.api.environment import Environment
from amlnb.api.environment_sections import DockerConfiguration
from amlnb.api.run_configuration_sections import (
    AmlComputeConfiguration,
    ContainerInstanceConfiguration,
    DataReferenceConfiguration,
    HdiConfiguration,
    HistoryConfiguration,
    ParallelTaskConfiguration,
    Section,
    SparkConfiguration,
    camel,
)
from amlnb.core import coercion
from amlnb.errors import AmlnbError, UserErrorException

_ENDING = ".runconfig"
_FOLDERS = (".azureml", "aml_config", "")
_PLAIN = (
    *("script", "arguments", "command", "framework", "communicator", "target", "node_count"),
    *("max_run_duration_seconds", "environment_variables", "auto_prepare_environment", "prepare_environment"),
    *("source_directory_data_store", "data", "output_data", "datacaches", "credential_passthrough", "priority"),
    *("identity", "services"),
)
_SECTIONS: dict[str, type[Section]] = {
    "history": HistoryConfiguration,
    "spark": SparkConfiguration,
    "hdi": HdiConfiguration,
    "amlcompute": AmlComputeConfiguration,
    "container_instance": ContainerInstanceConfiguration,
    "parallel_task": ParallelTaskConfiguration,
}
# Keys beside those of a section's or a plain value.
_TOP = ("environment", "dataReferences")
# How much a key that is not known is like the one that was meant.
_NEAR = 0.8
# Clusters of v1 whose keys are like others.
_OF_A_CLOUD = ("amlk8scompute", "kubernetescompute", "itpcompute")
_COUNTS = {
    "mpi": ("process_count_per_node", "node_count"),
    "pytorch": ("communication_backend", "process_count", "node_count"),
    "tensorflow": ("worker_count", "parameter_server_count"),
}
_DOCKER = ("use_docker", "shared_volumes", "arguments", "shm_size")


def read(path: str, name: str | None) -> tuple[dict[str, Any], str]:
    """Content of a file, and its path.

    Raises
    ------
    UserErrorException
        It is not there, or is none.
    """
    import yaml

    where = _find(path, name)
    try:
        with open(where, encoding="utf-8") as file:
            document = yaml.safe_load(file)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UserErrorException(f"{where!r} cannot be read: {error}", hint="save the configuration again") from error
    if not isinstance(document, dict):
        raise UserErrorException(f"{where!r} is no run configuration", hint="run_config.save(path, name) writes one")
    return document, where


def write(config: Any, path: str | None, name: str | None) -> None:
    """Write a configuration.

    Raises
    ------
    UserErrorException
        No place was given, or it cannot be written there; or a value of it cannot stand in such a file. A file that
        was there is as it was.
    """
    import yaml

    if name is None and (path is None or os.path.isdir(path)):
        told = "has no place to be saved in" if path is None else f"has no name in the folder {path!r}"
        raise UserErrorException(f"the run configuration {told}", hint="run_config.save(path='.', name='mine')")
    where = path if name is None else os.path.join(path or ".", _FOLDERS[0], name + _ENDING * (not _is_file_name(name)))
    assert where is not None  # noqa: S101 - one of the two was given
    try:
        text = yaml.safe_dump(plain(document_of(config)), sort_keys=False, allow_unicode=True)
    except yaml.YAMLError as error:
        raise UserErrorException(
            f"the run configuration cannot be saved: {' '.join(map(str, error.args))}",
            hint="its values are numbers, texts, and lists and dicts of them",
        ) from error
    try:
        os.makedirs(os.path.dirname(os.path.abspath(where)), exist_ok=True)
        host.replace_file(where, text.encode())
    except OSError as error:
        raise UserErrorException(
            f"the run configuration cannot be saved as {where!r}: {error.strerror}",
            hint="name a folder that you can write to",
        ) from error


def plain(value: Any) -> Any:
    """A value as YAML and JSON have it: NumPy's scalars are numbers, paths texts, tuples lists."""
    if isinstance(value, Mapping):
        return {plain(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value.item() if hasattr(value, "item") and not getattr(value, "shape", ()) else value


def delete(path: str, name: str | None) -> None:
    """Remove the file of a configuration; raises as `read`."""
    os.unlink(_find(path, name))


def document_of(config: Any) -> dict[str, Any]:
    """What a file holds of a configuration."""
    document = {camel(name): getattr(config, name) for name in _PLAIN}
    environment = config.environment
    document["environment"] = environment if isinstance(environment, str) else environment.to_document()
    document["dataReferences"] = {
        key: value.to_document() if isinstance(value, Section) else value
        for key, value in config.data_references.items()
    }
    for name in _SECTIONS:
        document[camel(name)] = getattr(config, name).to_document()
    for name, counts in {**_COUNTS, "docker": _DOCKER}.items():
        document[name] = {camel(each): getattr(getattr(config, name), each) for each in counts}
    return document


def fill(config: Any, document: Mapping[str, Any], where: str) -> None:
    """Give a configuration what a file says; the rest is as by default.

    Raises
    ------
    UserErrorException
        A value of it is of the wrong type, or a key is misspelt.
    """
    document = _known_keys(document, where)
    try:
        for name in _PLAIN:
            if document.get(camel(name)) is not None:
                setattr(config, name, document[camel(name)])
        if document.get("environment"):
            config.environment = _environment(document["environment"], config.environment.name)
        for name in _SECTIONS:
            getattr(config, name).take(coercion.mapping(document.get(camel(name))))
        for name, counts in _COUNTS.items():
            told = coercion.mapping(document.get(name))
            given = {each: told[camel(each)] for each in counts if told.get(camel(each)) is not None}
            setattr(config, name, type(getattr(config, name))(**given))
        told = coercion.mapping(document.get("docker"))
        config.docker = DockerConfiguration(**{each: told[camel(each)] for each in _DOCKER if camel(each) in told})
        for key, value in coercion.mapping(document.get("dataReferences")).items():
            config.data_references[key] = DataReferenceConfiguration()
            config.data_references[key].take(coercion.mapping(value))
    except (AmlnbError, TypeError, ValueError, AttributeError) as error:
        told_error = error.message if isinstance(error, AmlnbError) else error
        raise UserErrorException(f"the run configuration {where!r} cannot be used: {told_error}") from error


def _known_keys(document: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A document with its keys in our spelling, which may be another case; those of a cloud are told and left out.

    Raises
    ------
    UserErrorException
        A key is misspelt.
    """
    sections = {camel(name): [*cls().to_document()] for name, cls in _SECTIONS.items()}
    sections.update({name: [camel(each) for each in counts] for name, counts in {**_COUNTS, "docker": _DOCKER}.items()})
    unknown: list[str] = []
    found = _spelled(document, [*map(camel, _PLAIN), *_TOP, *sections], "", where, unknown)
    for section, known in sections.items():
        if not isinstance(found.get(section), Mapping | None):
            raise UserErrorException(
                f"{section} of the run configuration {where!r} is {found[section]!r}",
                hint=f"it has: {', '.join(known)}",
            )
        if section in found:
            found[section] = _spelled(coercion.mapping(found[section]), known, f"{section}.", where, unknown)
    if unknown:
        print(f"Warning: {', '.join(unknown)} of the run configuration {where!r} left out: not known here")
    return found


def _spelled(part: Mapping[str, Any], known: list[str], prefix: str, where: str, unknown: list[str]) -> dict[str, Any]:
    ours = {each.lower(): each for each in known}
    found: dict[str, Any] = {}
    for key, value in part.items():
        word = str(key).lower()
        near = difflib.get_close_matches(word, ours, 1, cutoff=_NEAR)
        if word in ours:
            found[ours[word]] = value
        elif near and word not in _OF_A_CLOUD:
            raise UserErrorException(
                f"the run configuration {where!r} has no {prefix}{key}", hint=f"did you mean {prefix}{ours[near[0]]}?"
            )
        elif value:
            unknown.append(f"{prefix}{key}")
    return found


def _environment(told: object, name: str) -> Environment | str:
    return told if isinstance(told, str) else Environment._of_document({"name": name, **coercion.mapping(told)})


def _find(path: str, name: str | None) -> str:
    if name is None:
        if not os.path.isfile(path):
            raise UserErrorException(f"there is no run configuration {path!r}", hint="give the folder, and name=...")
        return path
    there: list[str] = []
    for folder in _FOLDERS:
        place = os.path.join(path, folder)
        for candidate in (name, name + _ENDING):
            if os.path.isfile(os.path.join(place, candidate)):
                return os.path.join(place, candidate)
        names = os.listdir(place) if os.path.isdir(place) else []
        there += sorted(each.removesuffix(_ENDING) for each in names if each.endswith(_ENDING))
    near = difflib.get_close_matches(name, there, 1)
    known = f"there are: {', '.join(there)}" if there else "it has none; run_config.save(path, name) writes one"
    hint = f"did you mean {near[0]!r}?" if near else known
    raise UserErrorException(f"there is no run configuration {name!r} in {os.path.abspath(path)!r}", hint=hint)


def _is_file_name(name: str) -> bool:
    return name.endswith((_ENDING, ".yml", ".yaml"))
