"""``RunConfiguration``: how to run, as v1 code sets it on ``ScriptRunConfig.run_config``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from amlnb.api import run_configuration_file as files
from amlnb.api import run_configuration_values as values
from amlnb.api.distributed import (
    BACKENDS,
    NO_COMMUNICATOR,
    PARAMETER_SERVER,
    PYTHON,
    PYTORCH,
    TENSORFLOW,
    Distributed,
    MpiConfiguration,
    PyTorchConfiguration,
    TensorflowConfiguration,
    count,
)
from amlnb.api.environment import Environment
from amlnb.api.environment_sections import DockerConfiguration
from amlnb.api.run_configuration_sections import (
    AmlComputeConfiguration,
    ContainerInstanceConfiguration,
    HdiConfiguration,
    HistoryConfiguration,
    ParallelTaskConfiguration,
    SparkConfiguration,
)
from amlnb.errors import NotServedException, RunConfigurationException

if TYPE_CHECKING:
    from amlnb.api.conda_dependencies import CondaDependencies

# v1's default time limit: 30 days.
DEFAULT_MAX_RUN_DURATION_S = 2592000
DEFAULT_ENVIRONMENT = "default-environment"
_LOCAL = "local"
_SPARK = "PySpark"
_FRAMEWORKS = {each.lower(): each for each in (PYTHON, PYTORCH, TENSORFLOW, _SPARK)}
_COMMUNICATORS = {
    each.lower(): each for each in (NO_COMMUNICATOR, PARAMETER_SERVER, "IntelMpi", "OpenMpi", "Mpi", *BACKENDS)
}
_DATA = ("data", "data_references", "output_data", "datacaches", "source_directory_data_store")
# Without effect, which is told if anything is set in them.
_SECTIONS = ("amlcompute", "container_instance", "hdi", "history", "parallel_task", "spark")
_SETTINGS = ("credential_passthrough", "identity", "priority", "services")
_TOLD_AGAIN = ("credential_passthrough", "identity", "priority")
_PREPARING = ("auto_prepare_environment", "prepare_environment")


class RunConfiguration:
    """Script, arguments, target and environment of a run.

    Assigning an attribute that does not exist raises AttributeError, as in v1: typos are errors.

    Parameters
    ----------
    script, arguments, command
        What to run.
    framework, communicator
        ``Python``, ``PyTorch`` or ``TensorFlow``; ``None``, ``IntelMpi``, ``OpenMpi``, ``nccl``, ``gloo`` or
        ``ParameterServer``.
    conda_dependencies
        Packages of its environment.

    Attributes
    ----------
    node_count, mpi, pytorch, tensorflow
        How many nodes and processes: an `MpiConfiguration`, a `PyTorchConfiguration`, a `TensorflowConfiguration`.
    environment_variables
        Set for the user's process; they go before those of the environment.
    max_run_duration_seconds
        Time limit.
    data, data_references, output_data, datacaches, source_directory_data_store
        Datastores and datasets are not served yet: a run that has any is refused.
    history, spark, hdi, amlcompute, container_instance, parallel_task, identity, priority, services
        Accepted; set, they are told to have no effect.
    auto_prepare_environment, prepare_environment, credential_passthrough
        Accepted: environments are always prepared. What asks for something else is told to have no effect.
    """

    __slots__ = (
        "_docker",
        "_environment",
        "_name",
        "_path",
        "_target",
        "amlcompute",
        "arguments",
        "auto_prepare_environment",
        "command",
        "communicator",
        "container_instance",
        "credential_passthrough",
        "data",
        "data_references",
        "datacaches",
        "environment_variables",
        "framework",
        "hdi",
        "history",
        "identity",
        "max_run_duration_seconds",
        "mpi",
        "node_count",
        "output_data",
        "parallel_task",
        "prepare_environment",
        "priority",
        "pytorch",
        "script",
        "services",
        "source_directory_data_store",
        "spark",
        "tensorflow",
    )

    def __init__(
        self,
        script: str | None = None,
        arguments: list[Any] | None = None,
        framework: str | None = None,
        communicator: str | None = None,
        conda_dependencies: CondaDependencies | None = None,
        _history_enabled: bool | None = None,
        _path: str | None = None,
        _name: str | None = None,
        command: list[str] | str | None = None,
    ) -> None:
        self._path = _path
        self._name = _name
        self.script = None if script is None else values.path(script, "script")
        self.arguments: list[Any] = values.arguments(arguments)
        self.command = command
        self.framework = framework or PYTHON
        self.communicator: str | None = communicator or NO_COMMUNICATOR
        self._target = _LOCAL
        self.node_count = 1
        self.mpi = MpiConfiguration()
        self.pytorch = PyTorchConfiguration()
        self.tensorflow = TensorflowConfiguration()
        self.environment_variables: dict[str, str] = {}
        self._docker = DockerConfiguration()
        self.max_run_duration_seconds: float | None = DEFAULT_MAX_RUN_DURATION_S
        self.auto_prepare_environment = True
        self.prepare_environment = True
        self.credential_passthrough = False
        self._take_sections()
        if _history_enabled is not None:
            self.history.output_collection = bool(_history_enabled)
        self._environment: Environment | str = Environment(DEFAULT_ENVIRONMENT)
        if conda_dependencies is not None:
            self._environment.python.conda_dependencies = conda_dependencies

    def _take_sections(self) -> None:
        self.history = HistoryConfiguration()
        self.spark = SparkConfiguration()
        self.hdi = HdiConfiguration()
        self.amlcompute = AmlComputeConfiguration()
        self.container_instance = ContainerInstanceConfiguration()
        self.parallel_task = ParallelTaskConfiguration()
        self.data: dict[str, Any] = {}
        self.data_references: dict[str, Any] = {}
        self.output_data: dict[str, Any] = {}
        self.datacaches: list[Any] = []
        self.source_directory_data_store: str | None = None
        self.identity: Any = None
        self.priority: int | None = None
        self.services: dict[str, Any] = {}

    @property
    def target(self) -> Any:
        """Name of the compute target; given an object, that object's name."""
        return self._target

    @target.setter
    def target(self, value: Any) -> None:
        name = _LOCAL if value is None else value if isinstance(value, str) else getattr(value, "name", None)
        if not isinstance(name, str) or not name:
            raise RunConfigurationException(
                f"target is a {type(value).__name__}", hint="give the name of a compute target, or its object"
            )
        self._target = name

    @property
    def docker(self) -> Any:
        """A `DockerConfiguration`."""
        return self._docker

    @docker.setter
    def docker(self, value: DockerConfiguration) -> None:
        if not isinstance(value, DockerConfiguration):
            raise RunConfigurationException(
                f"docker is a {type(value).__name__}", hint="give DockerConfiguration(use_docker=True)"
            )
        self._docker = value

    @property
    def environment(self) -> Any:
        """The environment.

        An `Environment`, or the name of a registered or given one. As long as nothing is asked of it, a run has the
        Python of its target.
        """
        return self._environment

    @environment.setter
    def environment(self, value: Environment | str | None) -> None:
        if not isinstance(value, Environment | str | None):
            raise RunConfigurationException(
                f"environment is a {type(value).__name__}", hint="give an Environment, or the name of one"
            )
        self._environment = Environment(DEFAULT_ENVIRONMENT) if value is None else value
        if isinstance(value, Environment) and value.docker.enabled:
            self._docker = DockerConfiguration(True, True, value.docker.arguments, value.docker.shm_size)

    def take_distributed(self, value: Distributed) -> None:
        """Take over a configuration of several processes: framework, communicator, numbers.

        Raises
        ------
        RunConfigurationException
            It is none.
        """
        if isinstance(value, MpiConfiguration):
            self.mpi = value
        elif isinstance(value, PyTorchConfiguration):
            self.pytorch = value
        elif isinstance(value, TensorflowConfiguration):
            self.tensorflow = value
        else:
            raise RunConfigurationException(
                f"distributed_job_config is a {type(value).__name__}",
                hint="give an MpiConfiguration, a PyTorchConfiguration or a TensorflowConfiguration",
            )
        self.framework, self.communicator = value.framework, value.communicator
        self.node_count = value.node_count

    def distributed(self) -> dict[str, Any] | None:
        """How many processes are asked for, as a run's definition has it; None where nothing was said of it.

        Raises
        ------
        RunConfigurationException
            A number, the framework or the communicator is none.
        NotServedException
            The framework is Spark.
        """
        framework = _known(_FRAMEWORKS, self.framework, "framework")
        if framework == _SPARK:
            raise NotServedException(
                "the framework PySpark needs a cluster of Spark, which amlnb does not have",
                hint="leave framework out, and start a local pyspark in the script",
            )
        communicator = _known(_COMMUNICATORS, self.communicator or NO_COMMUNICATOR, "communicator")
        nodes = count(self.node_count, "node_count")
        if communicator == NO_COMMUNICATOR and nodes == 1:
            return None
        told: dict[str, Any] = {"framework": framework, "communicator": communicator, "node_count": nodes}
        if communicator == PARAMETER_SERVER:
            servers = count(self.tensorflow.parameter_server_count, "parameter_server_count", least=0)
            workers = count(self.tensorflow.worker_count, "worker_count")
            return {**told, "worker_count": workers, "parameter_server_count": servers}
        if communicator in BACKENDS:
            in_all = self.pytorch.process_count
            return {**told, "process_count": None if in_all is None else count(in_all, "process_count")}
        return {**told, "process_count_per_node": count(self.mpi.process_count_per_node, "process_count_per_node")}

    def without_effect(self) -> list[str]:
        """Names of what is set, and has no effect here."""
        changed = [name for name in _SECTIONS if getattr(self, name).is_changed()]
        changed += [name for name in _SETTINGS if getattr(self, name)]
        return [*changed, *(name for name in _PREPARING if not getattr(self, name))]

    def sections(self) -> dict[str, Any]:
        """What has no effect here and is set, as a run's definition has it."""
        found = {name: getattr(self, name).to_document() for name in _SECTIONS if getattr(self, name).is_changed()}
        found.update({name: getattr(self, name) for name in _TOLD_AGAIN if getattr(self, name)})
        told: dict[str, Any] = json.loads(json.dumps(files.plain(found), default=str))
        return told

    def unused_counts(self) -> list[str]:
        """What there is to tell of numbers of processes that its communicator does not ask for."""
        asked = self.distributed()
        used = () if asked is None else asked
        given = {
            "process_count_per_node": ("mpi", self.mpi.process_count_per_node != 1, "IntelMpi"),
            "process_count": ("pytorch", self.pytorch.process_count is not None, BACKENDS[0]),
            "worker_count": ("tensorflow", self.tensorflow.worker_count != 1, PARAMETER_SERVER),
        }
        return [
            f"run_config.{section}.{name} has no effect: the communicator is {self.communicator}; "
            f"hint: run_config.communicator = {communicator!r}"
            for name, (section, is_given, communicator) in given.items()
            if is_given and name not in used
        ]

    def refuse_data(self) -> None:
        """See that it has no data.

        Raises
        ------
        NotServedException
            It has.
        """
        given = [name for name in _DATA if getattr(self, name)]
        if given:
            raise NotServedException(
                f"run_config.{given[0]} is set, and datastores and datasets are not served yet",
                hint="read the files by their path, given among the arguments",
            )

    @classmethod
    def load(cls, path: str, name: str | None = None) -> RunConfiguration:
        """Read one from a ``.runconfig`` file.

        Parameters
        ----------
        path
            Folder of the project, in whose ``.azureml`` or ``aml_config`` it is; without a name the file itself.
        name
            Its name.

        Raises
        ------
        UserErrorException
            It is not there; those that are there are told. Or it is no such file.
        """
        found, where = files.read(path, name)
        loaded = cls(_path=path, _name=name)
        files.fill(loaded, found, where)
        return loaded

    def save(self, path: str | None = None, name: str | None = None, separate_environment_yaml: bool = False) -> None:
        """Write it into ``<path>/.azureml/<name>.runconfig``; without a name ``path`` is the file.

        Parameters
        ----------
        path, name
            Default: where it was loaded from.
        separate_environment_yaml
            Accepted: the environment stands in the same file.

        Raises
        ------
        UserErrorException
            No place was given.
        """
        files.write(self, path or self._path, name or self._name)

    @staticmethod
    def delete(path: str, name: str | None = None) -> None:
        """Remove the file of one; raises as `load`."""
        files.delete(path, name)

    def __repr__(self) -> str:
        return f"RunConfiguration(script={self.script!r}, arguments={self.arguments!r}, target={self.target!r})"


def check_run_config(given: object) -> None:
    """See that what is given as ``run_config`` is one, or None.

    Raises
    ------
    RunConfigurationException
        It is not.
    """
    if not isinstance(given, RunConfiguration | None):
        raise RunConfigurationException(
            f"run_config is a {type(given).__name__}", hint="pass a RunConfiguration, or leave it out"
        )


def _known(known: Mapping[str, str], given: object, what: str) -> str:
    found = known.get(str(given).lower())
    if found is None:
        raise RunConfigurationException(f"{what} is {given!r}", hint=f"it is one of {', '.join(known.values())}")
    return found
