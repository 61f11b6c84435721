"""What can be read of workspaces and runs: the functions of the routes."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from amlnb.core import layout, states
from amlnb.errors import AmlnbError
from amlnb.live.log_tail import LogTail
from amlnb.live.progress import run_progress
from amlnb.server import listing
from amlnb.server.faults import NotThere
from amlnb.server.routes import Answer
from amlnb.server.run_document import run_document
from amlnb.server.run_rows import metrics as metrics_of
from amlnb.store.light_reader import read_facts
from amlnb.store.run_record import keeper, read_record
from amlnb.version import __version__

if TYPE_CHECKING:
    from amlnb.server.contract import About, ExperimentInfo, Experiments, Found, RunDocument, Workspaces
    from amlnb.server.served import Served

_BAR_LINES = 5


def about(served: Served, _: dict[str, Any]) -> Answer:
    """Tell what serves."""
    told: About = {"version": __version__, "acts": served.acts, "page": served.page}
    return Answer(told)


def workspaces(served: Served, values: dict[str, Any]) -> Answer:
    """Tell the workspaces, that of a folder first."""
    told: Workspaces = {"workspaces": served.workspaces(values["folder"])}
    return Answer(told)


def find(served: Served, values: dict[str, Any]) -> Answer:
    """Tell which workspace holds a run."""
    for workspace in served.workspaces(values["folder"]):
        try:
            served.run_directory(workspace["key"], values["run"])
        except (AmlnbError, OSError):  # it is not there, or that workspace was deleted, or its disk does not answer
            continue
        told: Found = {"workspace": workspace}
        return Answer(told)
    raise NotThere(
        f"there is no run {values['run']!r} in the workspaces known here",
        hint="it may be on another machine, or deleted; 'workspaces' tells those that are served",
    )


def experiments(served: Served, values: dict[str, Any]) -> Answer:
    """Tell the experiments of a workspace, the one with the newest run first."""
    table = served.table(values["workspace"])
    found: dict[str, ExperimentInfo] = {
        name: {"name": name, "runs": 0, "running": 0, "newest": None} for name in table.directory.experiment_names()
    }
    for listed in table.runs():
        run = listed.summary
        if run.archived or run.parent is not None:
            continue  # as a table that nothing is asked of
        info = found.setdefault(run.experiment, {"name": run.experiment, "runs": 0, "running": 0, "newest": None})
        info["runs"] += 1
        info["running"] += not states.is_terminal(run.state)
        info["newest"] = max(info["newest"] or run.created, run.created)
    told: Experiments = {"experiments": sorted(found.values(), key=lambda info: -(info["newest"] or 0.0))}
    return Answer(told)


def runs(served: Served, values: dict[str, Any]) -> Answer:
    """Tell a page of the table of runs."""
    return Answer(listing.page(served.table(values["workspace"]), values))


def groups(served: Served, values: dict[str, Any]) -> Answer:
    """Tell the runs by the values of a column."""
    return Answer(listing.groups(served.table(values["workspace"]), values))


def run(served: Served, values: dict[str, Any]) -> Answer:
    """Tell everything about a run but its points, its log and its files."""
    return Answer(document(served, values["workspace"], values["run"]))


def document(served: Served, key: str, run_id: str) -> RunDocument:
    """The document of a run as it is now.

    Raises
    ------
    NotThere
        There is no such run.
    FormatError
        Its record is damaged.
    """
    directory = served.run_directory(key, run_id)
    record, table = read_record(directory), served.table(key)
    table.touch(run_id)
    listed, reader, progress = table.get(run_id), table.reader(run_id), None
    facts = read_facts(directory) if reader is None else reader.facts()
    if reader is not None:
        log = LogTail(os.path.join(directory, layout.USER_LOG), _BAR_LINES)
        log.poll()
        progress = run_progress(facts, reader.writers, log.lines)
    return run_document(
        directory,
        record,
        facts,
        metrics={} if listed is None else metrics_of(listed.summary),
        now=time.time(),
        number=0 if listed is None else listed.summary.number,
        children=table.children(run_id),
        progress=progress,
        runner=keeper(directory, record),
        waits=served.waits(run_id, facts),
        acts=served.acts,
    )
