"""Commands for experiments."""

from __future__ import annotations

import difflib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amlnb.cli.output import Column, Json, emit, note, print_table
from amlnb.errors import UserErrorException

if TYPE_CHECKING:
    from amlnb.api.experiment import Experiment

Names = Annotated[list[str], typer.Argument(metavar="EXPERIMENT...", show_default=False)]


def list_(
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones too.")] = False, as_json: Json = False
) -> None:
    """List experiments by name, with their runs."""
    from amlnb.api.experiment import Experiment
    from amlnb.api.workspace import Workspace
    from amlnb.render.formatting import format_duration, one_line
    from amlnb.store.index import Index

    workspace = Workspace.from_config()
    runs = Index(workspace.directory).list_runs()
    rows: list[dict[str, Any]] = []
    for name in workspace.directory.experiment_names():
        hidden = Experiment(workspace, name).archived
        if archived or not hidden:
            own = [run for run in runs if run.experiment == name]
            newest = max((run.created for run in own), default=None)
            rows.append({"name": name, "runs": len(own), "newest": newest, "archived": hidden})
    if as_json:
        emit({"experiments": rows})
        return
    if not rows:
        note("no experiments yet: 'amlnb submit SCRIPT' makes one")
        return
    now = time.time()
    ages = [format_duration(max(0.0, now - row["newest"]), whole=True) if row["newest"] else "" for row in rows]
    columns = [
        Column("experiment", [one_line(str(row["name"]), 60) for row in rows]),
        Column("runs", [f"{row['runs']:,}" for row in rows], right=True),
        Column("newest", ages, right=True),
    ]
    if archived:
        columns.append(Column("archived", ["yes" if row["archived"] else "" for row in rows]))
    print_table(columns)


def archive(names: Names, as_json: Json = False) -> None:
    """Leave experiments out of listings; nothing of them is removed."""
    experiments = _experiments(names)
    for experiment in experiments:
        experiment.archive()
    _tell(experiments, "archived", as_json=as_json)


def reactivate(names: Names, as_json: Json = False) -> None:
    """Put archived experiments back into listings."""
    experiments = _experiments(names)
    for experiment in experiments:
        experiment.reactivate()
    _tell(experiments, "back in listings", as_json=as_json)


def unknown(name: str, known: Sequence[str]) -> UserErrorException:
    """Return the error for an experiment that is not there."""
    near = difflib.get_close_matches(name, known, 1)
    return UserErrorException(
        f"there is no experiment {name!r} in this workspace",
        hint=f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known[:20]) or 'none'}",
    )


def _experiments(names: list[str]) -> list[Experiment]:
    """All of them are found before any is changed."""
    from amlnb.api.experiment import Experiment
    from amlnb.api.workspace import Workspace

    workspace = Workspace.from_config()
    known = workspace.directory.experiment_names()
    for name in names:
        if name not in known:
            raise unknown(name, known)
    return [Experiment(workspace, name) for name in dict.fromkeys(names)]


def _tell(experiments: Sequence[Experiment], done: str, *, as_json: bool) -> None:
    if as_json:
        emit({"experiments": [{"name": each.name, "archived": each.archived} for each in experiments]})
    else:
        print("\n".join(f"{each.name}: {done}" for each in experiments))
