"""Commands for compute targets."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from amlnb.cli.output import Column, Json, emit, print_table
from amlnb.errors import UserErrorException

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the target.", show_default=False)]


def add(
    name: Name,
    host: Annotated[str, typer.Option("--host", help="Host, or a name of your ssh configuration.", show_default=False)],
    kind: Annotated[str, typer.Option("--kind", help="Only ssh so far.")] = "ssh",
    user: Annotated[str | None, typer.Option("--user", help="Login there. Default: what ssh takes.")] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Default: what ssh takes.")] = None,
    python: Annotated[str | None, typer.Option("--python", help="Interpreter there, 3.7 or newer.")] = None,
    root: Annotated[str | None, typer.Option("--root", help="Folder for runs there.")] = None,
    config_file: Annotated[str | None, typer.Option("--config-file", help="ssh configuration to use.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", metavar="KEY=VALUE", help="As ssh -o; may be repeated.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a target of that name.")] = False,
    as_json: Json = False,
) -> None:
    """Add a machine that is reached by ssh. Nothing is connected yet: the first run does that."""
    from amlnb.api.workspace import Workspace
    from amlnb.compute.ssh_command import SshTarget
    from amlnb.engine import targets

    given = {"user": user, "port": port, "python": python, "root": root, "config_file": config_file}
    definition: dict[str, Any] = {"kind": kind, "host": host}
    definition.update({key: value for key, value in given.items() if value is not None})
    if option:
        definition["options"] = dict(map(_option, option))
    if kind == "ssh":
        SshTarget.parse(definition)
    data = Workspace.find_or_create()[0].directory.path
    if name in targets.names(data)[1:] and not replace:
        raise UserErrorException(f"there is a target {name!r} already", hint="give --replace, or another name")
    targets.write(data, name, definition)
    if as_json:
        emit({"name": name, **definition})
    else:
        print(f"added {name}: 'amlnb submit --target {name} SCRIPT' runs there")


def list_(as_json: Json = False) -> None:
    """List the compute targets of the workspace."""
    from amlnb.api.workspace import Workspace
    from amlnb.engine import targets
    from amlnb.errors import ComputeTargetException

    data = Workspace.from_config().directory.path
    rows: list[dict[str, Any]] = []
    for name in targets.names(data):
        try:
            rows.append({"name": name, **targets.read(data, name)})
        except ComputeTargetException as error:
            rows.append({"name": name, "kind": None, "error": error.message})
    if as_json:
        emit({"targets": rows})
        return
    print_table(
        [
            Column("target", [row["name"] for row in rows]),
            Column("kind", [str(row["kind"] or "damaged") for row in rows]),
            Column("where", [_where(row) for row in rows]),
        ]
    )


def remove(name: Name, as_json: Json = False) -> None:
    """Remove a compute target; runs that were made on it stay."""
    from amlnb.api.workspace import Workspace
    from amlnb.engine import targets

    targets.remove(Workspace.from_config().directory.path, name)
    if as_json:
        emit({"removed": name})
    else:
        print(f"removed {name}")


def _option(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UserErrorException(f"the option {text!r} is not KEY=VALUE", hint="such as --option ProxyJump=gateway")
    return key, value


def _where(row: dict[str, Any]) -> str:
    if row["kind"] == "local":
        return "this machine"
    if row.get("error"):
        return str(row["error"])
    user = f"{row['user']}@" if row.get("user") else ""
    return f"{user}{row.get('host')}" + (f":{row['port']}" if row.get("port") else "")
