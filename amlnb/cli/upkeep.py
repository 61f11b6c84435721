"""Commands for the upkeep of a workspace and of this host: index rebuild, gc, doctor."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from amlnb.cli.output import Column, Json, emit, in_colour, note, print_table, progress
from amlnb.render import palette

if TYPE_CHECKING:
    from amlnb.errors import AmlnbError
    from amlnb.store.workspace_dir import WorkspaceDirectory

_KEPT_SHOWN = 5


def rebuild(as_json: Json = False) -> None:
    """Make the index of the workspace anew from its run directories; nothing else depends on it."""
    from amlnb.api.workspace import Workspace
    from amlnb.store.index import Index

    index = Index(Workspace.from_config().directory)
    with progress() as show:
        show("reading all runs", 0)
        count = index.rebuild()
    if as_json:
        unreadable = [{"directory": path, "message": text} for path, text in index.unreadable.items()]
        emit({"runs": count, "unreadable": unreadable, "path": index.path})
        return
    print(f"{count:,} runs in {index.path}")
    for path, text in index.unreadable.items():
        note(f"warning: {path} cannot be read: {text}")


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what no run needs.

    Objects of deleted runs, remains of killed processes, stale caches of this host. What is
    younger than an hour stays. Submissions may go on meanwhile.
    """
    from amlnb.api.workspace import Workspace
    from amlnb.engine.gc import collect_garbage
    from amlnb.render.formatting import format_size

    with progress() as show:
        report = collect_garbage(Workspace.from_config().directory, dry_run=dry_run, progress=show)
    if as_json:
        kinds = [{"kind": kind, "count": count, "bytes": size} for kind, (count, size) in report.removed.items()]
        emit({"dry_run": dry_run, "bytes": report.bytes, "removed": kinds, "kept": report.kept})
        return
    if report.removed:
        print_table(
            [
                Column("would remove" if dry_run else "removed", list(report.removed)),
                Column("count", [f"{count:,}" for count, _ in report.removed.values()], right=True),
                Column("size", [format_size(size) for _, size in report.removed.values()], right=True),
            ]
        )
    print(f"{format_size(report.bytes)} {'would be' if dry_run else 'are'} free")
    for text in report.kept[:_KEPT_SHOWN]:
        note(f"kept: {text}")
    if len(report.kept) > _KEPT_SHOWN:
        note(f"kept: {len(report.kept) - _KEPT_SHOWN} more")


def doctor(
    azureml: Annotated[
        str | None,
        typer.Option(
            "--azureml", metavar="PATH", help="Tell what a project uses of Azure ML's SDK v1, and what of it is served."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Examine what amlnb stands on, and say what to do.

    Exits with 1 if runs cannot work; with --azureml, if a name is not served, or partly.
    """
    if azureml is not None:
        from amlnb.cli.azureml_report import tell

        raise typer.Exit(0 if tell(azureml, as_json=as_json) else 1)
    from amlnb.engine.doctor import FAULT, OK, WARNING, examine
    from amlnb.render.formatting import printable

    colours = {OK: palette.GREEN, WARNING: palette.AMBER, FAULT: palette.RED}
    found = []
    for check in examine(_workspace()):
        found.append(check)
        if as_json:
            continue
        print(f"{in_colour(check.status.ljust(8), colours[check.status])} {check.name}: {printable(check.message)}")
        for line in check.details:
            print(f"           {printable(line)}")
        if check.hint:
            print(f"         hint: {printable(check.hint)}")
    faulty = any(check.status == FAULT for check in found)
    if as_json:
        emit({"ok": not faulty, "checks": [dataclasses.asdict(check) for check in found]})
    raise typer.Exit(1 if faulty else 0)


def _workspace() -> WorkspaceDirectory | AmlnbError | None:
    from amlnb.api.workspace import Workspace
    from amlnb.errors import AmlnbError
    from amlnb.store import workspace_dir

    try:
        if workspace_dir.find_config(".") is None and workspace_dir.find_data(".") is None:
            return None
        return Workspace.from_config().directory
    except AmlnbError as error:
        return error
