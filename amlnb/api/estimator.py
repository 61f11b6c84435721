"""``Estimator``: v1's older way to say what to run, with packages, GPU and processes among its parameters."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from amlnb.api import run_configuration_values as values
from amlnb.api.compute_machine import missing_gpu
from amlnb.api.conda_dependencies import CondaDependencies
from amlnb.api.distributed import Distributed
from amlnb.api.environment import WorkspaceHandle
from amlnb.api.estimator_environment import Packages, environment_of
from amlnb.api.estimator_processes import processes_of, told_unused
from amlnb.api.notebook_run_config import NotebookRunConfig
from amlnb.api.run_configuration import DEFAULT_MAX_RUN_DURATION_S, RunConfiguration
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.api.submission_words import NOTEBOOK_ENDING
from amlnb.engine import targets
from amlnb.errors import NotServedException, TrainingException
from amlnb.specs.run_spec import RunSpec

# v1 made a cluster of this name where only a size was given.
_UNNAMED_CLUSTER = "amlcompute"
_DATA = ("inputs", "source_directory_data_store")
_OF_IMAGE = ("image_registry_details", "shm_size")
_PACKAGES = (
    *("conda_packages", "pip_packages", "conda_dependencies_file", "conda_dependencies_file_path"),
    *("pip_requirements_file", "pip_requirements_file_path", "framework_version"),
)


class Estimator:
    """What to submit, as the estimators of v1 had it; deprecated as there: `ScriptRunConfig` says the same.

    Parameters
    ----------
    source_directory
        Folder that is snapshotted and becomes the run's working directory.
    compute_target, vm_size, vm_priority
        A compute target, or its name; without one, or with a size alone, this machine.
    entry_script
        Python script or notebook, relative to it.
    script_params
        ``{"--rate": 0.1}``: arguments of the script; a value of "" is a flag alone, of a list its values. Of a notebook
        they are the parameters.
    node_count, process_count_per_node, distributed_backend, distributed_training
        How many processes; kept, and a run starts one, which is told.
    use_gpu
        Told where this machine has none.
    use_docker, custom_docker_base_image, custom_docker_image, image_registry_details, shm_size
        A container image to run in; without an image the packages are installed on the machine.
    user_managed
        Nothing is installed: the run has the Python of its machine, or of the image.
    conda_packages, pip_packages, conda_dependencies_file, pip_requirements_file
        Packages; the files are in the source directory. The names ending in ``_path`` are the older ones of the same.
    environment_variables
        Environment variables of the run.
    environment_definition
        An Environment, in place of all that says packages and image.
    inputs, source_directory_data_store
        Datastores and datasets are not served yet.
    resume_from
        Without effect, which is told.
    max_run_duration_seconds
        Time limit.

    Raises
    ------
    TrainingException
        A value cannot be used.
    NotServedException
        It has data.
    """

    _packages: ClassVar[Packages | None] = None
    _backends: ClassVar[tuple[str, ...]] = ("mpi",)

    def __init__(
        self,
        source_directory: str | None,
        *,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: Mapping[str, Any] | None = None,
        node_count: int = 1,
        process_count_per_node: int = 1,
        distributed_backend: str | None = None,
        distributed_training: Distributed | None = None,
        use_gpu: bool = False,
        use_docker: bool = True,
        custom_docker_base_image: str | None = None,
        custom_docker_image: str | None = None,
        image_registry_details: Any = None,
        user_managed: bool = False,
        conda_packages: Sequence[str] | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_dependencies_file_path: str | None = None,
        pip_requirements_file_path: str | None = None,
        conda_dependencies_file: str | None = None,
        pip_requirements_file: str | None = None,
        environment_variables: Mapping[str, str] | None = None,
        environment_definition: Any = None,
        inputs: Sequence[Any] | None = None,
        source_directory_data_store: Any = None,
        shm_size: str | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: float | None = None,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._set_up(locals())

    def _set_up(self, given: Mapping[str, Any]) -> None:
        """Make a run configuration of all that was given."""
        name = type(self).__name__
        warnings.warn(f"{name} is deprecated: give ScriptRunConfig an Environment", DeprecationWarning, stacklevel=3)
        data = next((each for each in _DATA if given.get(each)), None)
        if data is not None:
            raise NotServedException(
                f"{data} is given, and datastores and datasets are not served yet",
                hint="read the files by their path, given among script_params",
            )
        self.warnings: list[str] = []
        self._source_directory = values.path(given["source_directory"] or ".", "source_directory")
        self._use_gpu = bool(given.get("use_gpu"))
        self._parameters = _checked_parameters(given["script_params"])
        version = None if self._packages is None else self._packages.version(given.get("framework_version"))
        config = RunConfiguration(given["entry_script"], _arguments(self._parameters))
        config.target = given["compute_target"] or (_UNNAMED_CLUSTER if given["vm_size"] else None)
        asked = processes_of(given, self._backends, name)
        if asked is not None:
            config.take_distributed(asked)
        config.node_count = max(config.node_count, given.get("node_count", 1))
        if config.node_count > 1 and config.target == targets.LOCAL:
            raise TrainingException(
                f"node_count is {config.node_count}, and the compute target is 'local', which is one machine",
                hint="leave node_count out, or name a cluster",
            )
        made, told = environment_of(given, self._packages, version, self._source_directory, name)
        config.environment = made
        if given["shm_size"]:
            config.docker.shm_size = given["shm_size"]
        limit_s = given["max_run_duration_seconds"]
        config.max_run_duration_seconds = (
            DEFAULT_MAX_RUN_DURATION_S if limit_s is None else values.seconds(limit_s, "max_run_duration_seconds")
        )
        self._run_config = config
        self.warnings += [*told, *told_unused(given, asked), *_without_effect(given)]
        if given["user_managed"] and given["environment_definition"] is None and self._packages is not None:
            self.warnings.append(f"{self._packages.name} is not installed: user_managed is True")
        if given["resume_from"] is not None:
            self.warnings.append("resume_from has no effect: the run starts anew")

    @property
    def run_config(self) -> RunConfiguration:
        """The run configuration that was made of it, to be changed."""
        return self._run_config

    @property
    def source_directory(self) -> str:
        """As it was given."""
        return str(self._source_directory)

    @property
    def conda_dependencies(self) -> CondaDependencies:
        """The packages, to be changed."""
        found: CondaDependencies = self._run_config.environment.python.conda_dependencies
        return found

    def to_spec(
        self, experiment: str, tags: dict[str, Any] | None = None, workspace: WorkspaceHandle | None = None
    ) -> RunSpec:
        """Make the value that the engine takes; see `ScriptRunConfig.to_spec`."""
        config = self._run_config
        if str(config.script).endswith(NOTEBOOK_ENDING):
            parameters = {key.lstrip("-").replace("-", "_"): value for key, value in self._parameters.items()}
            notebook = NotebookRunConfig(
                self._source_directory, str(config.script), parameters=parameters, run_config=config
            )
            spec = notebook.to_spec(experiment, tags, workspace)
        else:
            made = ScriptRunConfig(self._source_directory, run_config=config)
            spec = made.to_spec(experiment, tags, workspace)
        gpu = missing_gpu("use_gpu=True was given") if self._use_gpu and _is_here(spec, workspace) else None
        return replace(spec, warnings=(*self.warnings, *([gpu] if gpu else []), *spec.warnings))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._source_directory!r}, entry_script={self._run_config.script!r})"


def _is_here(spec: RunSpec, workspace: WorkspaceHandle | None) -> bool:
    if workspace is None or spec.target == targets.LOCAL:
        return True
    data = workspace.directory.path
    return targets.is_here(data, spec.target) or spec.target not in targets.names(data)


def _without_effect(given: Mapping[str, Any]) -> list[str]:
    """What there is to tell of parameters that others leave without effect."""
    found = []
    if given["vm_priority"] and not given["vm_size"]:
        found.append("vm_priority has no effect: vm_size was not given")
    if given["vm_size"] and given["compute_target"]:
        found.append("vm_size has no effect: compute_target was given too")
    if given["environment_definition"] is not None:
        return found
    if not (given["custom_docker_image"] or given.get("custom_docker_base_image")):
        names = [each for each in _OF_IMAGE if given[each]]
        found += [f"{each} has no effect: there is no custom_docker_image" for each in names]
    if given["user_managed"]:
        names = [each for each in _PACKAGES if given.get(each)]
        found += [f"{each} was left out: user_managed is True, so nothing is installed" for each in names]
    return found


def _checked_parameters(given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TrainingException(
            f"script_params is a {type(given).__name__}", hint="give a dict: script_params={'--rate': 0.1}"
        )
    return {str(key): value for key, value in given.items()}


def _arguments(parameters: Mapping[str, Any]) -> list[Any]:
    """``{"--a": 1, "--flag": "", "--many": [1, 2]}`` as the words of a command line."""
    words: list[Any] = []
    for key, value in parameters.items():
        words.append(key)
        if isinstance(value, list | tuple):
            words += value
        elif value is not None and value != "":
            words.append(value)
    return words
