"""The kin of a run as a job sees them, and its metrics: by the standard library alone."""

from __future__ import annotations

import os
import time

from amlnb.api.in_job import JobExperiment
from amlnb.api.run import Run
from amlnb.core import edits, layout, states
from amlnb.core.filters import has
from amlnb.errors import UserErrorException
from amlnb.store import light_reader, run_record
from amlnb.store.plain_files import read_json
from amlnb.tracking import faults
from amlnb.tracking.edits import add_edit
from amlnb.tracking.seal import seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List, Optional, Tuple


def experiment_of(run: Run) -> JobExperiment:
    """The experiment of a run."""
    return JobExperiment(_data_of(run.directory), run._experiment_name)


def parent_of(run: Run) -> Optional[Run]:
    """Parent of a child run."""
    parent = run._record().get("parent")
    if not isinstance(parent, str):
        return None
    for folder in _folders(run):
        directory = run_record.find_run(folder, parent)
        if directory is not None:
            return run_at(directory)
    if os.path.dirname(os.path.dirname(run.directory)).endswith(layout.short_hash(parent)):
        return run_at(os.path.dirname(os.path.dirname(run.directory)))  # a child within its parent's directory
    raise UserErrorException(
        f"the parent {parent!r} of the run {run.id!r} is not on this machine", hint="ask for it where the workspace is"
    )


def children(
    run: Run, recursive: bool, tags: Any, properties: Any, kind: Optional[str], status: Optional[str]
) -> Iterator[Run]:
    """Child runs, the newest first; with ``recursive`` all below."""
    below: Dict[str, List[Tuple[float, str, str]]] = {}
    for folder in _folders(run):
        for directory in run_record.run_directories(folder):
            record = read_json(os.path.join(directory, layout.RUN_JSON)) or {}
            if isinstance(record.get("parent"), str):
                created = record["created"] if isinstance(record.get("created"), float) else 0.0
                below.setdefault(record["parent"], []).append((created, str(record.get("id")), directory))
    found, wanted = [], [run.id]
    while wanted:
        of = below.pop(wanted.pop(), [])
        found += of
        wanted += [run_id for _, run_id, _ in of] if recursive else []
    for _, _, directory in sorted(found, reverse=True):
        child = run_at(directory)
        facts = light_reader.read_facts(directory)
        of_kind = kind is None or child.type == kind
        if of_kind and status in (None, facts.state) and has(facts.tags, tags) and has(facts.properties, properties):
            yield child


def metrics(run: Run, name: Optional[str], recursive: bool, kind: Optional[str]) -> Dict[str, Any]:
    """Metrics of a run, or of all runs of its subtree."""
    if not recursive:
        return light_reader.read_metrics(run.directory, run.id, name)
    found = {}
    for each in (run, *children(run, True, None, None, None, None)):
        logged = light_reader.read_metrics(each.directory, each.id, name)
        if logged and kind in (None, each.type):
            found[each.id] = logged
    return found


def cancel(run: Run) -> None:
    """Ask for the end of another run."""
    _ask_for_end(run, states.CANCELED, None)


def end(run: Run, state: str, error: Optional[Dict[str, Any]]) -> None:
    """End another run as the script says: one that lives in some process is sealed, a submitted one is asked to end."""
    if state == states.FAILED or run._record().get("owner"):
        _ask_for_end(run, state, error)


def _ask_for_end(run: Run, state: str, error: Optional[Dict[str, Any]]) -> None:
    facts = light_reader.read_facts(run.directory)
    if states.is_terminal(facts.phase):
        return
    if not run._record().get("owner"):
        told = {} if error is None else {"error": error}
        edit = dict({"op": edits.CANCEL, "by": f"pid {os.getpid()}"}, **told)
        faults.attempt(run.directory, "cancel", lambda: add_edit(run.directory, edit))
        return
    final = {"attempt": max(facts.attempt, 1), "state": state, "started": facts.started, "ended": time.time()}
    faults.attempt(run.directory, "end of the run", lambda: seal(run.directory, dict(final, error=error)))


def run_at(directory: str) -> Run:
    """Make a run object of a run directory."""
    record = run_record.read_record(directory)
    return Run._attached(directory, record["id"], record["experiment"], "client", owned=False)


def _data_of(directory: str) -> str:
    above = os.path.dirname(directory)
    if os.path.basename(above) == layout.CHILDREN:  # of a run whose workspace is on another machine
        above = os.path.dirname(os.path.dirname(above))
    return os.path.dirname(above)


def _folders(run: Run) -> List[str]:
    """Folders in which the kin of a run may be."""
    above = os.path.dirname(run.directory)
    inside = above if os.path.basename(above) == layout.CHILDREN else os.path.join(run.directory, layout.CHILDREN)
    return [os.path.join(_data_of(run.directory), layout.RUNS), inside]
