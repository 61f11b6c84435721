"""What changes runs: cancel, rename, tag, archive, delete, run again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amlnb.core import edits as edit_ops
from amlnb.engine.delete import check_ended, delete_run, with_children
from amlnb.engine.look import cancel as ask_for_its_end
from amlnb.engine.person import who
from amlnb.engine.rerun import rerun
from amlnb.errors import UserErrorException
from amlnb.server.faults import NotThere
from amlnb.server.reading import document
from amlnb.server.routes import Answer
from amlnb.store.run_reader import RunReader
from amlnb.tracking.edits import add_edit

if TYPE_CHECKING:
    from amlnb.server.contract import Submitted
    from amlnb.server.served import Served


def cancel(served: Served, values: dict[str, Any]) -> Answer:
    """Ask for the end of a run; returns without waiting for it."""
    key, run_id = values["workspace"], values["run"]
    ask_for_its_end(RunReader(served.run_directory(key, run_id)), who())
    return _changed(served, key, run_id)


def change(served: Served, values: dict[str, Any]) -> Answer:
    """Rename, tag, archive or reactivate a run."""
    key, run_id, asked = values["workspace"], values["run"], values["body"]
    directory = served.run_directory(key, run_id)
    edits: list[dict[str, Any]] = []
    if "name" in asked:
        edits.append({"op": edit_ops.RENAME, "display_name": asked["name"] or ""})
    if "archived" in asked:
        edits.append({"op": edit_ops.ARCHIVE if asked["archived"] else edit_ops.REACTIVATE})
    if asked.get("tags") or asked.get("remove_tags"):
        edits.append({"op": edit_ops.TAGS, "tags": asked.get("tags", {}), "remove": asked.get("remove_tags", [])})
    if not edits:
        raise UserErrorException("nothing is asked for", hint="give name, archived, tags or remove_tags")
    for edit in edits:
        add_edit(directory, edit)
    return _changed(served, key, run_id)


def delete(served: Served, values: dict[str, Any]) -> Answer:
    """Delete a run that has ended, with all its files."""
    key, run_id = values["workspace"], values["run"]
    served.run_directory(key, run_id)
    runs = [listed.summary for listed in served.table(key).look()]
    named = next((run for run in runs if run.id == run_id), None)
    if named is None:
        raise NotThere(f"the run {run_id!r} cannot be read, and is not deleted", hint="'amlnb doctor' may tell more")
    doomed = with_children(named, runs)
    if len(doomed) > 1 and not values["children"]:
        raise UserErrorException(
            f"the run {run_id!r} has {len(doomed) - 1} child runs that would be left without it",
            hint="children=1 deletes them too",
        )
    check_ended(doomed)
    # Children first: what a fault leaves over still has its parent.
    for run in reversed(doomed):
        delete_run(run.directory)
        served.changed(key, run.id)
    return Answer(status=204)


def resubmit(served: Served, values: dict[str, Any]) -> Answer:
    """Run a run again, with its code, definition and tags."""
    key = values["workspace"]
    workspace = served.workspace(key)
    reader = RunReader(rerun(served.run_directory(key, values["run"]), workspace))
    served.changed(key, reader.id)
    told: Submitted = {"run": reader.id, "experiment": reader.experiment, "workspace": key}
    return Answer(told)


def _changed(served: Served, key: str, run_id: str) -> Answer:
    served.changed(key, run_id)
    return Answer(document(served, key, run_id))
