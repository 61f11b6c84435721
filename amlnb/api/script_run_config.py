"""``ScriptRunConfig``: a script (or command), where its source is, and how to run it."""

from __future__ import annotations

import os
from typing import Any

from amlnb.api.environment import Environment, WorkspaceHandle
from amlnb.api.environment_sections import DockerConfiguration
from amlnb.api.run_configuration import (
    DEFAULT_ENVIRONMENT,
    DEFAULT_MAX_RUN_DURATION_S,
    PYTHON_FRAMEWORK,
    RunConfiguration,
)
from amlnb.errors import RunConfigurationException, UserErrorException
from amlnb.specs.environment_spec import CONTAINER, WORKSPACE, EnvironmentSpec
from amlnb.specs.run_spec import RunSpec

_SCALARS = (str, int, float, bool)


class ScriptRunConfig:
    """What to submit.

    Parameters
    ----------
    source_directory
        Folder that is snapshotted and becomes the run's working directory.
    script
        Python script, relative to it.
    arguments
        Scalars; turned into text when the script is started.
    run_config
        A RunConfiguration. Given together with the parameters below, it goes before them.
    compute_target
        Name of a target, or an object with a ``name``; default ``local``.
    environment
        An Environment, or the name of a registered or given one; without it the run has the Python of its target.
    docker_runtime_config
        A DockerConfiguration.
    max_run_duration_seconds
        Time limit in seconds; the run then ends as Canceled.
    command
        A command line (a str, or a list that is joined by spaces) run by a shell, instead of a script.
    """

    def __init__(
        self,
        source_directory: str | None,
        script: str | None = None,
        arguments: list[Any] | None = None,
        run_config: RunConfiguration | None = None,
        _telemetry_values: Any = None,
        compute_target: Any = None,
        environment: Any = None,
        distributed_job_config: Any = None,
        resume_from: Any = None,
        max_run_duration_seconds: float | None = DEFAULT_MAX_RUN_DURATION_S,
        command: list[str] | str | None = None,
        docker_runtime_config: Any = None,
    ) -> None:
        if run_config is not None and not isinstance(run_config, RunConfiguration):
            raise RunConfigurationException(
                f"run_config is a {type(run_config).__name__}", hint="pass a RunConfiguration, or leave it out"
            )
        self.source_directory = source_directory or "."
        self.script = script
        self.arguments = _checked_arguments(arguments)
        self.command = command
        self.warnings: list[str] = []
        of_run_config = {
            "compute_target": compute_target,
            "environment": environment,
            "distributed_job_config": distributed_job_config,
            "docker_runtime_config": docker_runtime_config,
            "max_run_duration_seconds": (
                None if max_run_duration_seconds == DEFAULT_MAX_RUN_DURATION_S else max_run_duration_seconds
            ),
        }
        if run_config is None:
            run_config = RunConfiguration(script, self.arguments, command=command)
            run_config.target = compute_target if compute_target is not None else "local"
            run_config.environment = environment
            run_config.max_run_duration_seconds = max_run_duration_seconds
            if docker_runtime_config is not None:
                run_config.docker = _checked_docker(docker_runtime_config)
        else:
            ignored = [name for name, value in of_run_config.items() if value is not None]
            if ignored:
                were = "was" if len(ignored) == 1 else "were"
                self.warnings.append(f"{' and '.join(ignored)} {were} ignored: run_config was given too")
        self.run_config = run_config
        for name, value in (("distributed_job_config", distributed_job_config), ("resume_from", resume_from)):
            if value is not None:
                self.warnings.append(f"{name} is kept for a later version; this run starts one process anew")

    def to_spec(
        self, experiment: str, tags: dict[str, Any] | None = None, workspace: WorkspaceHandle | None = None
    ) -> RunSpec:
        """Make the value that the engine takes.

        Parameters
        ----------
        experiment, tags
            Of the run.
        workspace
            Where an environment that was given by its name is registered.

        Raises
        ------
        UserErrorException
            There is no such environment, or it asks for what cannot be.
        """
        config = self.run_config
        environment = _environment(config, workspace)
        warnings = [*self.warnings, *_warnings(config, environment)]
        return RunSpec(
            experiment=experiment,
            source_directory=os.path.abspath(self.source_directory),
            script=self.script or (config.script if self.command is None else None),
            arguments=tuple(self.arguments or _checked_arguments(config.arguments)),
            command=_command_line(self.command),
            target=_name_of(config.target),
            environment=environment,
            environment_variables={str(key): str(value) for key, value in config.environment_variables.items()},
            timeout_s=config.max_run_duration_seconds,
            tags={str(key): None if value is None else str(value) for key, value in (tags or {}).items()},
            warnings=tuple(warnings),
        )


def _environment(config: RunConfiguration, workspace: WorkspaceHandle | None) -> EnvironmentSpec | None:
    environment = config.environment
    if isinstance(environment, str):
        if workspace is None:
            raise RunConfigurationException(
                f"the environment {environment!r} is given by its name, and there is no workspace to look in",
                hint="give Environment.get(workspace, name)",
            )
        environment = Environment.get(workspace, environment)
    if environment.name == DEFAULT_ENVIRONMENT and environment.is_default:
        return None
    found: EnvironmentSpec = environment.to_spec()
    return found


def _warnings(config: RunConfiguration, environment: EnvironmentSpec | None) -> list[str]:
    # What is not built has no log to be told in.
    found = list(environment.notes) if environment is not None and environment.kind == WORKSPACE else []
    is_container = environment is not None and environment.kind == CONTAINER
    if config.docker.use_docker and not is_container:
        found.append("use_docker has no effect: the environment has no image of its own, and is built on the target")
    if config.docker.arguments and is_container:
        found.append(f"the arguments for docker, {config.docker.arguments!r}, were left out")
    if config.framework.lower() != PYTHON_FRAMEWORK.lower():
        found.append(f"the framework {config.framework!r} is kept for a later version; this run starts one process")
    return found


def _checked_docker(value: Any) -> DockerConfiguration:
    if not isinstance(value, DockerConfiguration):
        raise RunConfigurationException(
            f"docker_runtime_config is a {type(value).__name__}", hint="pass DockerConfiguration(use_docker=True)"
        )
    return value


def _checked_arguments(arguments: Any) -> list[Any]:
    if isinstance(arguments, str):
        raise UserErrorException(f"arguments is one str, {arguments!r}", hint="pass a list: arguments=['--lr', 0.1]")
    checked = list(arguments or [])
    for argument in checked:
        if not isinstance(argument, _SCALARS) and not hasattr(argument, "item"):
            raise UserErrorException(
                f"the argument {argument!r} is a {type(argument).__name__}; arguments are str, int, float or bool",
                hint="write structured values into a file of the source directory",
            )
    return [argument if isinstance(argument, _SCALARS) else argument.item() for argument in checked]


def _command_line(command: list[str] | str | None) -> str | None:
    if command is None or isinstance(command, str):
        return command
    return " ".join(str(part) for part in command)


def _name_of(value: Any) -> str:
    return value if isinstance(value, str) else str(getattr(value, "name", value))
