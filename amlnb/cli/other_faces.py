"""Commands that other faces own: each is an entry point of the group ``amlnb.commands``, a typer application.

They are looked for only when a command is asked for that is not among our own, or when all are listed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from amlnb.errors import RunEnvironmentException

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "amlnb.commands"


class Commands(TyperGroup):
    """Our own commands, and behind them those of other faces."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all commands."""
        own = super().list_commands(ctx)
        return own + sorted(_others().keys() - set(own))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of that name; None if there is none."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        entry = _others().get(cmd_name)
        return None if entry is None else _load(entry)


@lru_cache(maxsize=1)
def _others() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _load(entry: EntryPoint) -> Any:
    try:
        found = typer.main.get_command(entry.load())
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one command, the others work
        found = _faulty(entry, error)
    found.name = entry.name
    return found


def _faulty(entry: EntryPoint, error: Exception) -> Any:
    app = typer.Typer()

    @app.command(
        entry.name,
        help="(It cannot be loaded.)",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def tell() -> None:
        raise RunEnvironmentException(
            f"the command {entry.name!r} cannot be loaded from {entry.value!r}: {error!r}",
            hint="install again the package that brings it",
        ) from error

    return typer.main.get_command(app)
