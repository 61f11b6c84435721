"""Runs side by side; a run as a saved notebook has it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from amlnb.api.comparison import differing_packages, environment_facts, packages_of
from amlnb.api.run_outputs import still_outputs
from amlnb.engine.kept_environment import kept_lock
from amlnb.engine.look import look
from amlnb.errors import UserErrorException
from amlnb.live.run_tail import RunTail
from amlnb.server.faults import NotThere
from amlnb.server.routes import Answer
from amlnb.server.run_document import git_of
from amlnb.server.run_rows import run_row
from amlnb.store.run_names import short_id
from amlnb.store.run_record import keeper, read_record

if TYPE_CHECKING:
    from amlnb.server.content_contract import ComparedRun, Comparison, Outputs
    from amlnb.server.run_table import Listed
    from amlnb.server.served import Served

_RUNS = 50


def compare(served: Served, values: dict[str, Any]) -> Answer:
    """Two runs or more, in the order that was asked for."""
    ids = list(dict.fromkeys(values["run"]))
    if not 2 <= len(ids) <= _RUNS:
        raise UserErrorException(f"{len(ids)} different runs are given", hint=f"give 2 to {_RUNS} runs")
    listed = [_listed(served, values["workspace"], run_id) for run_id in ids]
    directories = [each.summary.directory for each in listed]
    records = [read_record(directory) for directory in directories]
    locks = [kept_lock(directory) for directory in directories]
    packages = differing_packages(locks)
    one = len({each.summary.experiment for each in listed}) == 1
    now = time.time()
    runs: list[ComparedRun] = [
        {
            **run_row(each.summary, now),
            "label": _label(each, one_experiment=one),
            "environment": environment_facts(record, keeper(directory, record) or {}) | packages_of(lock, packages),
            "git": git_of(record),
        }
        for each, directory, record, lock in zip(listed, directories, records, locks, strict=True)
    ]
    told: Comparison = {"runs": runs}
    return Answer(told)


def outputs(served: Served, values: dict[str, Any]) -> Answer:
    """The two outputs of a run as a saved notebook has them."""
    tail = RunTail(served.run_directory(values["workspace"], values["run"]))
    look(tail.reader)
    picture, details = still_outputs(tail)
    told: Outputs = {
        "picture": {"data": picture.data, "metadata": picture.metadata},
        "details": {"data": details.data, "metadata": details.metadata},
    }
    return Answer(told)


def _listed(served: Served, key: str, run_id: str) -> Listed:
    found = served.table(key).get(run_id)
    if found is None:
        raise NotThere(f"there is no run {run_id!r} in this workspace that can be read")
    return found


def _label(listed: Listed, *, one_experiment: bool) -> str:
    """The number, which no other run of an experiment has, and the name."""
    run = listed.summary
    return f"{'' if one_experiment else run.experiment}#{run.number} {run.display_name or short_id(run.id)}"
