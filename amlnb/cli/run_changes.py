"""Commands that change runs: cancel, archive, reactivate, delete, presume-dead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from amlnb.cli.output import Json, Yes, confirm, emit, note, progress
from amlnb.cli.run_names import RunNames, find_runs, plain_id
from amlnb.core import states

if TYPE_CHECKING:
    from amlnb.store.index import RunSummary


def cancel(runs: RunNames, as_json: Json = False) -> None:
    """Ask for the end of runs.

    TERM to all their processes, KILL after the grace. Returns without waiting.
    """
    from amlnb.engine import look
    from amlnb.engine.person import who
    from amlnb.store.run_reader import RunReader

    told = []
    for run in _found(runs):
        reader = RunReader(run.directory)
        reader.refresh()
        facts = reader.facts()
        ended = facts.sealed or states.is_terminal(facts.phase)  # a presumed end has no seal
        look.cancel(reader, who())
        reader.refresh()
        told.append({"id": run.id, "state": reader.facts().state})
        if not as_json:
            print(f"{plain_id(run.id)}: {'had ended already: ' if ended else ''}{reader.facts().state}")
    if as_json:
        emit({"runs": told})


def archive(runs: RunNames, as_json: Json = False) -> None:
    """Leave runs out of listings; nothing of them is removed."""
    _edit(runs, "archive", "archived", as_json=as_json)


def reactivate(runs: RunNames, as_json: Json = False) -> None:
    """Put archived runs back into listings."""
    _edit(runs, "reactivate", "back in listings", as_json=as_json)


def delete(
    runs: RunNames,
    children: Annotated[bool, typer.Option("--children", help="Their child runs too.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Delete runs that have ended, with all their files.

    A run that has children needs --children. Asks on a terminal, and needs --yes where there is none. 'amlnb gc' then
    frees what only their snapshots held.
    """
    from amlnb.api.workspace import Workspace
    from amlnb.engine.delete import check_ended, delete_run
    from amlnb.engine.targets import has_home_here
    from amlnb.errors import UserErrorException
    from amlnb.store.index import Index
    from amlnb.store.run_record import read_record

    workspace = Workspace.from_config()
    named = find_runs(workspace, runs)
    doomed = _doomed(named, Index(workspace.directory).list_runs())
    below = [run for run in doomed if run.id not in {each.id for each in named}]
    if below and not children:
        raise UserErrorException(
            f"the run {below[0].parent!r} has {len(below)} child runs that would be left without it",
            hint="give --children to delete them too",
        )
    check_ended(doomed)
    many = f"{len(doomed)} runs" if len(doomed) > 1 else f"the run {plain_id(doomed[0].id)}"
    confirm(f"Delete {many} with all files?", yes=yes)
    elsewhere = [run for run in doomed if not has_home_here(read_record(run.directory))]
    with progress() as show:
        # Children first: what a fault leaves over still has its parent.
        for number, run in enumerate(reversed(doomed)):
            show("deleting runs", number)
            delete_run(run.directory)
    if as_json:
        emit({"deleted": [run.id for run in doomed]})
        return
    print(f"deleted {many}")
    if elsewhere:
        note(f"their homes are still there, on {', '.join(sorted({run.target for run in elsewhere}))}")


def presume_dead(runs: RunNames, yes: Yes = False, as_json: Json = False) -> None:
    """Take runs for dead where that cannot be proved.

    For runs whose host is gone for good, or cannot be asked. They show as Failed; should a runner be heard of again,
    what it says counts. Asks on a terminal, and needs --yes where there is none.
    """
    from amlnb.engine.person import who
    from amlnb.engine.presumption import presume_dead as presume
    from amlnb.render.formatting import one_line
    from amlnb.store.run_reader import RunReader

    found = _found(runs)
    confirm(f"Take {', '.join(run.id for run in found)} for dead?", yes=yes)
    told = []
    for run in found:
        reader = RunReader(run.directory)
        presume(reader, who())
        facts = reader.facts()
        told.append({"id": run.id, "state": facts.state, "reason": facts.reason})
        if not as_json:
            because = f" ({one_line(facts.reason, 300)})" if facts.reason else ""
            print(f"{plain_id(run.id)}: {facts.state}{because}")
    if as_json:
        emit({"runs": told})


def _found(names: list[str]) -> list[RunSummary]:
    from amlnb.api.workspace import Workspace

    return find_runs(Workspace.from_config(), names)


def _doomed(named: list[RunSummary], runs: list[RunSummary]) -> list[RunSummary]:
    from amlnb.engine.delete import with_children

    return list({each.id: each for run in named for each in with_children(run, runs)}.values())


def _edit(names: list[str], op: str, done: str, *, as_json: bool) -> None:
    from amlnb.tracking.edits import add_edit

    found = _found(names)
    for run in found:
        add_edit(run.directory, {"op": op})
        if not as_json:
            print(f"{plain_id(run.id)}: {done}")
    if as_json:
        emit({"runs": [{"id": run.id, "archived": op == "archive"} for run in found]})
