"""Registering models and bringing their files: what `Model` and ``Run.register_model`` do, in a job too."""

from __future__ import annotations

import difflib
import os
import time

from amlnb.api import model_request
from amlnb.api.run_content import RunContent, toolkit
from amlnb.core import layout
from amlnb.core.filters import has
from amlnb.core.models import ModelFacts, check_name
from amlnb.errors import FormatError, ModelPathNotFoundException, UserErrorException, WebserviceException
from amlnb.store import files as files_
from amlnb.store import models as stored
from amlnb.store.run_record import is_mirror, read_record
from amlnb.tracking import context, models

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Mapping, Optional

CACHE = "azureml-models"
_CUSTOM = "Custom"
_NAMED_AT_MOST = 20


def register_of_run(
    run: RunContent, name: str, path: Optional[str], described: Mapping[str, Any], unknown: Mapping[str, Any]
) -> Any:
    """Register a file or folder of a run; returns the `Model` (untyped here: it is built on this module)."""
    tell_unknown("register_model", unknown)
    check_name(name)
    wanted = name if path is None else str(path)
    normal = os.path.normpath(wanted.replace("\\", "/")).lstrip("/")
    available = dict(run._watched_files(), **files_.list_files(run.directory))
    top = os.path.basename(normal)
    if normal in available:
        found = {top: available[normal]}
    else:
        below = {each: full for each, full in available.items() if each.startswith(normal + "/")}
        found = {top + each[len(normal) :]: full for each, full in below.items()}
    if not found:
        near = difflib.get_close_matches(normal, available, 1)
        raise ModelPathNotFoundException(
            f"the run {run.id!r} has no file or folder {wanted!r} to register as the model {name!r}; "
            f"it has: {_listed(available)}",
            hint=f"did you mean {near[0]!r}?"
            if near
            else "write it to outputs/, or keep it with run.upload_file first",
        )
    record = dict(_record(name, top, described), run_id=run.id, experiment=run._experiment_name)
    return _register(run.experiment.workspace, record, found)  # type: ignore[attr-defined]  # of the class below


def register_local(
    workspace: Any, path: str, name: str, described: Mapping[str, Any], child_paths: Optional[List[str]]
) -> Any:
    """Register a file or folder of this machine."""
    check_name(name)
    if not isinstance(path, (str, os.PathLike)):
        raise WebserviceException(f"model_path is a path of this machine, not {path!r:.200}")
    source = os.path.normpath(os.fspath(path))
    top = os.path.basename(os.path.abspath(source))
    if os.path.isfile(source):
        found = {top: source}
    elif os.path.isdir(source):
        found = {f"{top}/{relative}": os.path.join(source, relative) for relative in _below(source, child_paths)}
    else:
        beside = os.path.dirname(os.path.abspath(source))
        there = sorted(os.listdir(beside)) if os.path.isdir(beside) else []
        raise WebserviceException(
            f"there is no file or folder {path!r} to register as the model {name!r}; {beside!r} has: {_listed(there)}",
            hint="model_path is a path of this machine; of a run's files use run.register_model",
        )
    if not found or not top:
        raise WebserviceException(f"the folder {path!r} has no file to register as the model {name!r}")
    return _register(workspace, _record(name, top, described), found)


def _below(top: str, child_paths: Optional[List[str]]) -> List[str]:
    """Paths of the files below a folder, or of those that were asked for."""
    found = []
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(set(folders) - layout.NEVER_TAKEN)
        taken = sorted(set(names) - layout.NEVER_TAKEN)
        found += [os.path.relpath(os.path.join(folder, name), top) for name in taken]
        for name in folders:
            if os.path.islink(os.path.join(folder, name)):
                print(f"Warning: left out of the model: {os.path.join(folder, name)!r} is a link to a folder")
    if child_paths is None:
        return found
    wanted = [os.path.normpath(path) for path in child_paths]
    chosen = [path for path in found if any(path == each or path.startswith(each + os.sep) for each in wanted)]
    missing = [each for each in wanted if not any(path == each or path.startswith(each + os.sep) for path in found)]
    if missing:
        raise WebserviceException(f"the folder {top!r} has no {missing[0]!r}; it has: {_listed(found)}")
    return chosen


def _register(workspace: Any, record: Dict[str, Any], found: Mapping[str, str]) -> Any:
    model = toolkit("model")
    here = _run_elsewhere()
    try:
        if here is not None:
            models.put_off(here, record, found)
            return model.Model._pending(workspace, record)
        version = models.register(directory_of(workspace), record, found)
    except OSError as error:
        raise UserErrorException(
            f"the model {record['name']!r} cannot be kept: {error}",
            hint="free some space, or make the file readable and the workspace writable",
        ) from error
    return model.Model(workspace, record["name"], version=version)


def _run_elsewhere() -> Optional[str]:
    """Directory of the run of this process if it sees nothing else of its workspace."""
    current = context.current()
    return current.directory if current is not None and context.is_alone(current.directory) else None


def check_models_are_here(workspace: Any, what: str) -> None:
    """Refuse to look for models where none of the workspace's are to be seen.

    Raises
    ------
    WebserviceException
        It is another machine than the workspace's.
    """
    if _run_elsewhere() is not None and not os.path.isdir(directory_of(workspace)):
        raise WebserviceException(
            f"{what}: no models of the workspace can be seen from this machine or container",
            hint="Model.get_model_path(name) brings one to another machine; or put it into the source directory",
        )


def brought_here(workspace: Any, name: str, version: Optional[int]) -> Optional[str]:
    """Path of a model that was asked for where the workspace is; None where it can be seen from here.

    Raises
    ------
    WebserviceException
        The workspace has no such model, or nobody answers.
    """
    current = context.current()
    if current is None or os.path.isdir(directory_of(workspace)) or not is_mirror(read_record(current.directory)):
        return None
    there = cached(name, version) if version is not None else None
    if there is not None and there.startswith(f"{CACHE}/"):
        return there
    return model_request.fetch(current.directory, check_name(name), version, os.path.join(CACHE, name))


def _record(name: str, top: str, described: Mapping[str, Any]) -> Dict[str, Any]:
    """``model.json`` of a version, without what it is registered from."""
    record: Dict[str, Any] = {
        "name": check_name(name),
        "path": top,
        "created": time.time(),
        "tags": texts(described.get("tags"), "tags"),
        "properties": texts(described.get("properties"), "properties"),
        "description": None if described.get("description") is None else str(described["description"]),
        "framework": _CUSTOM if described.get("framework") is None else str(described["framework"]),
        "datasets": dataset_pairs(described.get("datasets") or ()),
        "resource_configuration": resources(described.get("resource_configuration")),
    }
    version = described.get("framework_version")
    record["framework_version"] = None if version is None else str(version)
    for sample in ("sample_input", "sample_output"):
        record[sample] = None if described.get(sample) is None else dataset_id(described[sample])
    return record


def texts(given: Any, what: str) -> Dict[str, Optional[str]]:
    """Tags or properties as they are kept.

    Raises
    ------
    WebserviceException
        They are no dict.
    """
    if given is None:
        return {}
    if not hasattr(given, "items"):
        raise WebserviceException(f"the {what} of a model are a dict, not {given!r:.200}")
    return {str(key): None if value is None else str(value) for key, value in given.items()}


def dataset_pairs(datasets: Any) -> List[List[str]]:
    """What is kept of the datasets that a model was made of: purposes and ids.

    Raises
    ------
    WebserviceException
        They are no ``(purpose, dataset)`` pairs.
    """
    try:
        return [[str(purpose), dataset_id(dataset)] for purpose, dataset in datasets]
    except (TypeError, ValueError) as error:
        raise WebserviceException(
            f"the datasets of a model are (purpose, dataset) pairs, not {datasets!r:.200}",
            hint="datasets=[('training data', dataset)]",
        ) from error


def dataset_id(dataset: Any) -> str:
    """What is kept of a dataset: its id, or the words that name it."""
    return str(getattr(dataset, "id", None) or getattr(dataset, "name", None) or dataset)


def resources(configuration: Any) -> Optional[Dict[str, Any]]:
    """What is kept of a resource configuration."""
    if configuration is None:
        return None
    return {name: getattr(configuration, name, None) for name in ("cpu", "memory_in_gb", "gpu")}


def copy_out(facts: ModelFacts, target_dir: str, *, exist_ok: bool) -> str:
    """Copy the files of a version into a folder and return the path of what was registered there.

    Raises
    ------
    WebserviceException
        Something is there already, and ``exist_ok`` is not set.
    """
    import shutil

    source = os.path.join(facts.directory, layout.MODEL_FILES, facts.path)
    target = os.path.join(target_dir, facts.path)
    if os.path.lexists(target) and not exist_ok:
        raise WebserviceException(f"{target!r} is there already", hint="pass exist_ok=True to replace it")
    # Beside its place first: whoever sees it there sees all of it.
    temporary = os.path.join(target_dir, ".new-" + os.urandom(6).hex())
    try:
        os.makedirs(target_dir, exist_ok=True)
        if os.path.isdir(source):
            shutil.copytree(source, temporary, symlinks=True)
        else:
            shutil.copyfile(source, temporary)
        if os.path.isdir(target) and not os.path.islink(target):
            shutil.rmtree(target)
        os.replace(temporary, target)
    except (OSError, shutil.Error) as error:
        raise WebserviceException(
            f"the model {facts.name!r} cannot be copied to {target!r}: {error}",
            hint="free some space there, or make the folder writable",
        ) from error
    finally:
        if os.path.isdir(temporary):
            shutil.rmtree(temporary)
        elif os.path.exists(temporary):
            os.unlink(temporary)
    return target


def copy_to_cache(facts: ModelFacts) -> str:
    """Path of a version in ``azureml-models``, where it appears whole; of several processes one brings it."""
    import shutil

    folder = os.path.join(CACHE, facts.name)
    temporary = os.path.join(folder, ".new-" + os.urandom(6).hex())
    try:
        copy_out(facts, temporary, exist_ok=False)
        models.place(temporary, os.path.join(folder, str(facts.version)))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    there = cached(facts.name, facts.version)
    if there is None or not there.startswith(f"{CACHE}/"):
        raise WebserviceException(
            f"{os.path.join(folder, str(facts.version))!r} holds no model, and is in its way", hint="remove that folder"
        )
    return there


def cached(name: str, version: Optional[int]) -> Optional[str]:
    """Path of a model that was downloaded into ``azureml-models`` of the working directory; else ``./<name>``."""
    folder = os.path.join(CACHE, name)
    there = sorted((int(each) for each in _names(folder) if each.isdigit()), reverse=True)
    for each in there if version is None else {version}.intersection(there):
        kept = os.path.join(folder, str(each))
        inside = [one for one in _names(kept) if not one.startswith(".new-")]  # what is being copied is not there yet
        if inside:
            return os.path.join(kept, inside[0]) if len(inside) == 1 else kept
    return os.path.join(".", name) if os.path.exists(name) else None


def all_of(workspace: Any, name: Optional[str]) -> Iterator[ModelFacts]:
    """Versions of one model, the highest first; of all, the newest first.

    Raises
    ------
    WebserviceException
        The name is no text.
    """
    top = directory_of(workspace)
    if name is not None:
        _check_text(name)
        for version in reversed(stored.model_versions(top, name)):
            facts = stored.read_model(top, name, version)
            if facts is not None:
                yield facts
        return
    every = []
    for each in stored.model_names(top):
        for version in stored.model_versions(top, each):
            try:
                facts = stored.read_model(top, each, version)
            except FormatError as error:  # the others are there all the same
                print(f"Warning: left out: {error.message}")
                continue
            every += [] if facts is None else [facts]
    yield from sorted(every, key=lambda facts: (facts.created, facts.version), reverse=True)


def fits(facts: ModelFacts, tags: Any, properties: Any, run_id: Optional[str], framework: Optional[str]) -> bool:
    """Tell whether a version is what was described."""
    return (
        has(facts.tags, tags)
        and has(facts.properties, properties)
        and run_id in (None, facts.run_id)
        and framework in (None, facts.framework)
    )


def _check_text(name: object) -> None:
    if not isinstance(name, str):
        check_name(name)


def check_filters(**given: Any) -> None:
    """Refuse tags or properties by which nothing can be found.

    Raises
    ------
    WebserviceException
        They are neither keys, nor pairs, nor a dict.
    """
    for what, wanted in given.items():
        if not wanted or isinstance(wanted, str) or hasattr(wanted, "items"):
            continue
        of_list = isinstance(wanted, (list, tuple, set, frozenset))
        if not of_list or not all(isinstance(each, str) or _is_pair(each) for each in wanted):
            raise WebserviceException(
                f"{what} are a list of keys and [key, value] pairs, or a dict, not {wanted!r:.200}",
                hint=f"{what}=['key', ['other key', 'value']]",
            )


def _is_pair(each: Any) -> bool:
    return isinstance(each, (list, tuple)) and len(each) == 2


def not_found(workspace: Any, what: str, name: Optional[str]) -> WebserviceException:
    """The error for a model that is not there, which names those that are."""
    return stored.not_found(directory_of(workspace), what, name, f" in the workspace {workspace.name!r}")


def directory_of(workspace: Any) -> str:
    """Folder of a workspace's models.

    Raises
    ------
    WebserviceException
        It is no workspace.
    """
    if not hasattr(workspace, "directory"):
        raise WebserviceException(
            f"the models are those of a Workspace, not of {workspace!r:.200}", hint="ws = Workspace.from_config()"
        )
    return str(workspace.directory.models)


def tell_unknown(call: str, unknown: Mapping[str, Any]) -> None:
    """Say of keywords that nobody knows that they do nothing."""
    if unknown:
        print(f"Warning: {call} does nothing with {', '.join(sorted(unknown))}")


def _names(folder: str) -> List[str]:
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def _listed(names: Any) -> str:
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return (", ".join(list(names)[:_NAMED_AT_MOST]) or "none") + more
