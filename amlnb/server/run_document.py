"""Everything about one run as a page shows it, made of what its readers know already."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from amlnb.api.cell_lines import CellScript, cell_script
from amlnb.core import coercion, layout, states
from amlnb.engine.kept_environment import kept_lock
from amlnb.live.run_tail import parameters_of
from amlnb.render.run_failure import THE_CELL, is_own, local_value
from amlnb.server.run_rows import elapsed_s

if TYPE_CHECKING:
    from amlnb.core.replay import RunFacts
    from amlnb.server.contract import Can, Failure, FailureFrame, LogFile, MetricSummary, RunDocument
    from amlnb.server.contract import Progress as ProgressTold
    from amlnb.specs.run_view import Progress

_LOCALS = 40
_LONGEST = 20_000


def run_document(
    directory: str,
    record: Mapping[str, Any],
    facts: RunFacts,
    *,
    metrics: dict[str, MetricSummary],
    now: float,
    number: int = 0,
    children: int = 0,
    progress: Progress | None = None,
    runner: Mapping[str, Any] | None = None,
    waits: str | None = None,
    acts: bool = True,
) -> RunDocument:
    """Tell of a run what is not its points, its log and its files.

    Parameters
    ----------
    directory, record, facts
        The run directory, its submission record, and what its files tell now.
    metrics, progress, runner
        What was logged in a few numbers, how far it is, and the process that keeps it.
    now
        Unix seconds, for the time that a running run has taken.
    number, children
        Its position within its experiment, and how many child runs it has.
    waits
        Why it has not started.
    acts
        Whether anything can be done with it here.
    """
    definition, ended = coercion.mapping(record.get("definition")), states.is_terminal(facts.state)
    error = facts.error if facts.state == states.FAILED else None
    return {
        "id": str(record.get("id")),
        "experiment": str(record.get("experiment")),
        "number": number,
        "name": facts.display_name,
        "type": coercion.text(record.get("type")),
        "state": facts.state,
        "target": str(record.get("target") or "local"),
        "parent": coercion.text(record.get("parent")),
        "created": coercion.unix_time(record.get("created")) or 0.0,
        "started": facts.started,
        "ended": facts.ended,
        "elapsed_s": elapsed_s(facts.started, facts.ended, now),
        "archived": facts.archived,
        "script": coercion.text(definition.get("script")),
        "error": None if error is None else str(error.get("message") or ""),
        "parameters": parameters_of(dict(record), facts.properties),
        "tags": dict(facts.tags),
        "metrics": metrics,
        "attempt": facts.attempt,
        "reason": facts.reason or waits,
        "warnings": list(dict.fromkeys(facts.warnings)),
        "failure": None if error is None else failure(error, record),
        "progress": None if progress is None or ended else _progress(progress),
        "properties": dict(facts.properties),
        "git": git_of(record),
        "environment": environment_of(directory, record),
        "command": _command(definition),
        "host": coercion.text((runner or {}).get("hostname")),
        "children": children,
        "log": first_log(directory, is_started=facts.started is not None),
        "can": _can(record, definition, ended=ended) if acts else [],
    }


def first_log(directory: str, *, is_started: bool) -> LogFile:
    """The log that is shown first: that of the build until the person's own program runs."""
    names = (layout.USER_LOG, layout.BUILD_LOG) if is_started else (layout.BUILD_LOG, layout.USER_LOG)
    for name in names:
        size = _size(os.path.join(directory, name))
        if size:
            return {"file": name, "bytes": size}
    return {"file": layout.USER_LOG, "bytes": 0}


def failure(error: Mapping[str, Any], record: Mapping[str, Any]) -> Failure:
    """Tell a run's error.

    Lines of a cell's script are those of the cell; files of the run's source have their path in it, wherever it ran.
    """
    cell = cell_script(dict(record))
    own_folder = f"/{layout.run_directory_name(str(record.get('experiment')), str(record.get('id')))}/{layout.WORK}/"
    details = coercion.mapping(error.get("details"))
    innermost_first = [coercion.mapping(frame) for frame in reversed(coercion.items(details.get("frames")))]
    own_first = sorted(innermost_first, key=lambda frame: not is_own(frame))
    traceback = coercion.text(details.get("traceback"))
    return {
        "code": coercion.text(error.get("code")),
        "message": str(error.get("message") or "")[:_LONGEST],
        "hint": coercion.text(error.get("hint")),
        "details": None if traceback is None else traceback[-_LONGEST:],
        "frames": [_frame(frame, cell, own_folder) for frame in own_first],
    }


def git_of(record: Mapping[str, Any]) -> dict[str, str]:
    """The state of the repository that the source was in, as text; what is not known is not there."""
    git = coercion.mapping(record.get("git"))
    told = {name: coercion.scalar_text(git.get(name)) for name in ("repository_uri", "branch", "commit", "dirty")}
    reasons = git.get("not_determined")
    told["not_determined"] = ", ".join(coercion.texts(reasons)) if isinstance(reasons, list) else coercion.text(reasons)
    return {name: text for name, text in told.items() if text}


def environment_of(directory: str, record: Mapping[str, Any]) -> dict[str, str]:
    """With what a run ran, as text: its Python, and the packages where they were built for it."""
    definition = coercion.mapping(record.get("definition"))
    asked, lock = coercion.mapping(definition.get("environment")), kept_lock(directory)
    told: dict[str, object] = {
        "name": asked.get("name") or asked.get("origin"),
        "interpreter": definition.get("interpreter"),
        # Their values may be secrets.
        "variables": ", ".join(sorted(map(str, coercion.mapping(definition.get("environment_variables"))))),
    }
    if lock is not None:
        told |= {
            "builder": lock.tool,
            "python": lock.python,
            "image": lock.image,
            "packages": "\n".join(f"{name}=={version}" for name, version in sorted(lock.versions().items())),
        }
    return {name: str(value) for name, value in told.items() if value}


def _frame(frame: Mapping[str, Any], cell: CellScript | None, own_folder: str) -> FailureFrame:
    file, line = str(frame.get("file") or "?"), coercion.integer(frame.get("line"))
    in_cell = None if cell is None or line is None else cell.line(file, line)
    values = [local_value(coercion.mapping(each)) for each in coercion.items(frame.get("locals"))][-_LOCALS:]
    return {
        "file": (file.partition(own_folder)[2] or file) if in_cell is None else THE_CELL,
        "line": line if in_cell is None else in_cell,
        "function": str(frame.get("function") or ""),
        "code": str(frame.get("text") or ""),
        "locals": [{"name": each.name, "type": each.kind, "value": each.value} for each in values],
    }


def _progress(progress: Progress) -> ProgressTold:
    return {"done": progress.done, "total": progress.total, "text": progress.text, "left_s": progress.left_s}


def _command(definition: Mapping[str, Any]) -> str | None:
    command, script = coercion.text(definition.get("command")), coercion.text(definition.get("script"))
    if command or script is None:
        return command or None
    return shlex.join([script, *(str(each) for each in coercion.items(definition.get("arguments")))])


def _can(record: Mapping[str, Any], definition: Mapping[str, Any], *, ended: bool) -> list[Can]:
    can: list[Can] = ["rename", "tag", "archive"]
    if definition and isinstance(record.get("snapshot"), str):
        can.insert(0, "resubmit")
    return [*can, "delete"] if ended else ["cancel", *can]


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
