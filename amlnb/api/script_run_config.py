"""``ScriptRunConfig``: a script (or command), where its source is, and how to run it."""

from __future__ import annotations

import os
from typing import Any

from amlnb.api.run_configuration import DEFAULT_MAX_RUN_DURATION_S, RunConfiguration
from amlnb.errors import RunConfigurationException, UserErrorException
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
        Kept with the configuration (see RunConfiguration).
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
        if run_config is None:
            run_config = RunConfiguration(script, self.arguments, command)
            run_config.target = compute_target if compute_target is not None else "local"
            run_config.environment = environment
            run_config.max_run_duration_seconds = max_run_duration_seconds
        elif compute_target is not None or environment is not None:
            self.warnings.append("compute_target and environment were ignored: run_config was given too")
        self.run_config = run_config
        for name, value in (("distributed_job_config", distributed_job_config), ("resume_from", resume_from)):
            if value is not None:
                self.warnings.append(f"{name} is kept for a later version; this run starts one process anew")

    def to_spec(self, experiment: str, tags: dict[str, Any] | None = None) -> RunSpec:
        """Make the value that the engine takes."""
        config = self.run_config
        warnings = list(self.warnings)
        if config.environment is not None:
            warnings.append(
                f"the environment {_name_of(config.environment)!r} is not built by this version: "
                "the run uses the interpreter of its target"
            )
        return RunSpec(
            experiment=experiment,
            source_directory=os.path.abspath(self.source_directory),
            script=self.script or (config.script if self.command is None else None),
            arguments=tuple(self.arguments or _checked_arguments(config.arguments)),
            command=_command_line(self.command),
            target=_name_of(config.target),
            environment_variables={str(key): str(value) for key, value in config.environment_variables.items()},
            timeout_s=config.max_run_duration_seconds,
            tags={str(key): None if value is None else str(value) for key, value in (tags or {}).items()},
            warnings=tuple(warnings),
        )


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
