"""``RunConfiguration``: how to run, as v1 code sets it on ``ScriptRunConfig.run_config``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amlnb.api.environment import Environment
from amlnb.api.environment_sections import DockerConfiguration
from amlnb.errors import RunConfigurationException

if TYPE_CHECKING:
    from amlnb.api.conda_dependencies import CondaDependencies

# v1's default time limit: 30 days.
DEFAULT_MAX_RUN_DURATION_S = 2592000
DEFAULT_ENVIRONMENT = "default-environment"
PYTHON_FRAMEWORK = "Python"


class RunConfiguration:
    """Script, arguments, target and environment of a run.

    Assigning an attribute that does not exist raises AttributeError, as in v1: typos are errors.

    Parameters
    ----------
    script, arguments, command
        What to run.
    framework, communicator
        Kept with the configuration.
    conda_dependencies
        Packages of its environment.

    Attributes
    ----------
    target
        Name of the compute target, or an object with a ``name``.
    environment_variables
        Set for the user's process; they go before those of the environment.
    docker
        A `DockerConfiguration`.
    max_run_duration_seconds
        Time limit.
    auto_prepare_environment, prepare_environment
        Accepted: environments are always prepared.
    """

    __slots__ = (
        "_environment",
        "arguments",
        "auto_prepare_environment",
        "command",
        "communicator",
        "docker",
        "environment_variables",
        "framework",
        "max_run_duration_seconds",
        "prepare_environment",
        "script",
        "target",
    )

    def __init__(
        self,
        script: str | None = None,
        arguments: list[Any] | None = None,
        framework: str | None = None,
        communicator: str | None = None,
        conda_dependencies: CondaDependencies | None = None,
        _history_enabled: Any = None,
        _path: Any = None,
        _name: Any = None,
        command: list[str] | str | None = None,
    ) -> None:
        self.script = script
        self.arguments: list[Any] = list(arguments or [])
        self.command = command
        self.framework = framework or PYTHON_FRAMEWORK
        self.communicator = communicator
        self.target: Any = "local"
        self.environment_variables: dict[str, str] = {}
        self.docker = DockerConfiguration()
        self.max_run_duration_seconds: float | None = DEFAULT_MAX_RUN_DURATION_S
        self.auto_prepare_environment = True
        self.prepare_environment = True
        self._environment: Environment | str = Environment(DEFAULT_ENVIRONMENT)
        if conda_dependencies is not None:
            self._environment.python.conda_dependencies = conda_dependencies

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
            self.docker = DockerConfiguration(True, True, value.docker.arguments, value.docker.shm_size)

    def __repr__(self) -> str:
        return f"RunConfiguration(script={self.script!r}, arguments={self.arguments!r}, target={self.target!r})"
