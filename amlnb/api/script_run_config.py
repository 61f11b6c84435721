"""``ScriptRunConfig``: a script (or command), where its source is, and how to run it."""

from __future__ import annotations

import json
import os
from typing import Any

from amlnb.api import run_configuration_values as values
from amlnb.api.distributed import told_one_process
from amlnb.api.environment import Environment, WorkspaceHandle
from amlnb.api.environment_sections import DockerConfiguration
from amlnb.api.run_configuration import (
    DEFAULT_ENVIRONMENT,
    DEFAULT_MAX_RUN_DURATION_S,
    RunConfiguration,
    check_run_config,
)
from amlnb.errors import RunConfigurationException
from amlnb.specs.environment_spec import CONTAINER, WORKSPACE, EnvironmentSpec
from amlnb.specs.run_spec import RunSpec


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
        A command line (a str, or a list that is joined by spaces) run by a shell, instead of a script and arguments.

    Raises
    ------
    RunConfigurationException
        A value is of the wrong type, or arguments stand beside a command.
    """

    def __init__(
        self,
        source_directory: str | os.PathLike[str] | None,
        script: str | os.PathLike[str] | None = None,
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
        self.source_directory = values.path(source_directory or ".", "source_directory")
        self.script = None if script is None else values.path(script, "script")
        self.arguments = values.arguments(arguments)
        self.command = command
        _refuse_both(values.command_line(command), self.arguments)
        limit_s = values.seconds(max_run_duration_seconds, "max_run_duration_seconds")
        self.warnings: list[str] = []
        of_run_config = {
            "compute_target": compute_target,
            "environment": environment,
            "distributed_job_config": distributed_job_config,
            "docker_runtime_config": docker_runtime_config,
            "max_run_duration_seconds": None if limit_s == DEFAULT_MAX_RUN_DURATION_S else limit_s,
        }
        if run_config is None:
            run_config = RunConfiguration(self.script, self.arguments, command=command)
            run_config.target = compute_target
            run_config.environment = environment
            run_config.max_run_duration_seconds = limit_s
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
        script = config.script if config.script is None else values.path(config.script, "run_config.script")
        command = values.command_line(self.command if self.script or self.command else config.command)
        arguments = values.arguments(self.arguments or config.arguments)
        _refuse_both(command, arguments)
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
            script=self.script or (None if command else script),
            arguments=tuple(arguments),
            command=command,
            distributed=asked,
            sections=config.sections(),
            docker=settings,
            depends=json.dumps(others, sort_keys=True) if others else "",
            target=config.target,
            target_is_soft=True,
            environment=environment,
            environment_variables=values.texts(config.environment_variables, "environment_variables"),
            timeout_s=values.seconds(config.max_run_duration_seconds, "max_run_duration_seconds"),
            tags=values.tags(tags),
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
    values.flag(environment.python.user_managed_dependencies, "environment.python.user_managed_dependencies")
    if environment.name == DEFAULT_ENVIRONMENT and environment.is_default:
        return None
    return environment  # type: ignore[no-any-return]  # v1's property may hold a name, too


def _docker(config: RunConfiguration, environment: Environment | None) -> DockerConfiguration:
    """How docker is to be used; code from before there was a DockerConfiguration said it of the environment."""
    values.flag(config.docker.use_docker, "use_docker")
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
        found.append("use_docker has no effect: packages are installed on the machine that runs them, in no container")
    names = [f"run_config.{name}" for name in config.without_effect()]
    if names:
        found.append(f"{' and '.join(names)} {'has' if len(names) == 1 else 'have'} no effect here")
    return [*found, *config.unused_counts()]


def _refuse_both(command: str | None, arguments: list[Any]) -> None:
    if command and arguments:
        raise RunConfigurationException(
            f"a command was given, and arguments beside it: {arguments!r}",
            hint="write them into the command: command=['python', 'train.py', '--lr', 0.1]; or give a script",
        )


def _checked_docker(value: Any) -> DockerConfiguration:
    if not isinstance(value, DockerConfiguration):
        raise RunConfigurationException(
            f"docker_runtime_config is a {type(value).__name__}", hint="pass DockerConfiguration(use_docker=True)"
        )
    return value
