"""``RunConfiguration``: how to run, as v1 code sets it on ``ScriptRunConfig.run_config``."""

from __future__ import annotations

from typing import Any

# v1's default time limit: 30 days.
DEFAULT_MAX_RUN_DURATION_S = 2592000


class RunConfiguration:
    """Script, arguments, target and environment of a run.

    Assigning an attribute that does not exist raises AttributeError, as in v1: typos are errors.

    Attributes
    ----------
    target
        Name of the compute target, or an object with a ``name``.
    environment
        The environment; kept and, until environments are built here, answered with a warning.
    environment_variables
        Set for the user's process.
    max_run_duration_seconds
        Time limit.
    """

    __slots__ = (
        "arguments",
        "command",
        "environment",
        "environment_variables",
        "max_run_duration_seconds",
        "script",
        "target",
    )

    def __init__(
        self, script: str | None = None, arguments: list[Any] | None = None, command: list[str] | str | None = None
    ) -> None:
        self.script = script
        self.arguments: list[Any] = list(arguments or [])
        self.command = command
        self.target: Any = "local"
        self.environment: Any = None
        self.environment_variables: dict[str, str] = {}
        self.max_run_duration_seconds: float | None = DEFAULT_MAX_RUN_DURATION_S

    def __repr__(self) -> str:
        return f"RunConfiguration(script={self.script!r}, arguments={self.arguments!r}, target={self.target!r})"
