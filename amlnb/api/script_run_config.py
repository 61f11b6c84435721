"""``ScriptRunConfig``: a script (or command), where its source is, and how to run it."""

from __future__ import annotations

import json
import os
from typing import Any

from amlnb.api.distributed import told_one_process
from amlnb.api.environment import Environment, WorkspaceHandle
from amlnb.api.environment_sections import DockerConfiguration
from amlnb.api.run_configuration import (
    DEFAULT_ENVIRONMENT,
    DEFAULT_MAX_RUN_DURATION_S,
    RunConfiguration,
    check_run_config,
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
    distributed_job_config
        How many processes; kept, and a run starts one, which is told.
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
        check_run_config(run_config)
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
            run_config.target = compute_target
            run_config.environment = environment
            run_config.max_run_duration_seconds = max_run_duration_seconds
            if docker_runtime_config is not None:
                run_config.docker = _checked_docker(docker_runtime_config)
            if distributed_job_config is not None:
                run_config.take_distributed(distributed_job_config)
        else:
            ignored = [name for name, value in of_run_config.items() if value is not None]
            if ignored:
                were = "was" if len(ignored) == 1 else "were"
                self.warnings.append(f"{' and '.join(ignored)} {were} ignored: run_config was given too")
        self.run_config = run_config
        if resume_from is not None:
            self.warnings.append("resume_from has no effect: the run starts anew")

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
        config.refuse_data()
        given, asked = _environment(config, workspace), config.distributed()
        environment = None if given is None else given.to_spec()
        docker = _docker(config, given)
        warnings = [*self.warnings, *_warnings(config, environment, docker), *filter(None, [_processes(asked)])]
        in_container = environment is not None and environment.kind == CONTAINER
        settings = docker.settings() if in_container else None
        others = [each for each in (asked, settings) if each is not None]
        return RunSpec(
            experiment=experiment,
            source_directory=os.path.abspath(self.source_directory),
            script=self.script or (None if self.command or config.command else config.script),
            arguments=tuple(_checked_arguments(self.arguments or config.arguments)),
            command=_command_line(self.command if self.script or self.command else config.command),
            distributed=asked,
            docker=settings,
            depends=json.dumps(others, sort_keys=True) if others else "",
            target=config.target,
            target_is_soft=True,
            environment=environment,
            environment_variables={str(key): str(value) for key, value in config.environment_variables.items()},
            timeout_s=config.max_run_duration_seconds,
            tags={str(key): None if value is None else str(value) for key, value in (tags or {}).items()},
            warnings=tuple(warnings),
        )


def _environment(config: RunConfiguration, workspace: WorkspaceHandle | None) -> Environment | None:
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
    return environment  # type: ignore[no-any-return]  # v1's property may hold a name, too


def _docker(config: RunConfiguration, environment: Environment | None) -> DockerConfiguration:
    """How docker is to be used; code from before there was a DockerConfiguration said it of the environment."""
    if environment is None or config.docker.use_docker or not environment.docker.enabled:
        found: DockerConfiguration = config.docker
        return found
    return DockerConfiguration(True, True, environment.docker.arguments, environment.docker.shm_size)


def _processes(asked: dict[str, Any] | None) -> str | None:
    return None if asked is None else told_one_process(asked)


def _warnings(config: RunConfiguration, environment: EnvironmentSpec | None, docker: DockerConfiguration) -> list[str]:
    # What is not built has no log to be told in.
    found = list(environment.notes) if environment is not None and environment.kind == WORKSPACE else []
    is_container = environment is not None and environment.kind == CONTAINER
    if docker.use_docker and not is_container:
        found.append("use_docker has no effect: the environment has no image of its own, and is built on the target")
    names = [f"run_config.{name}" for name in config.without_effect()]
    if names:
        found.append(f"{' and '.join(names)} {'has' if len(names) == 1 else 'have'} no effect here")
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
        if not isinstance(argument, (*_SCALARS, os.PathLike)) and not hasattr(argument, "item"):
            raise UserErrorException(
                f"the argument {argument!r} is a {type(argument).__name__}; arguments are str, int, float or bool",
                hint="write structured values into a file of the source directory",
            )
    return [_scalar(argument) for argument in checked]


def _scalar(argument: Any) -> Any:
    if isinstance(argument, os.PathLike):
        return os.fspath(argument)
    return argument if isinstance(argument, _SCALARS) else argument.item()


def _command_line(command: list[str] | str | None) -> str | None:
    if command is None or isinstance(command, str):
        return command
    return " ".join(str(part) for part in command)
