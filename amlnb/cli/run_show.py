"""``amlnb run show``: everything about one run on a page."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from amlnb.cli.output import Column, Json, emit, in_colour, print_table, state_text
from amlnb.cli.run_names import RunName, find_run, number_name
from amlnb.core import states
from amlnb.render import palette

if TYPE_CHECKING:
    from amlnb.core.replay import RunFacts
    from amlnb.specs.run_view import RunView
    from amlnb.store.index import RunSummary
    from amlnb.store.run_reader import RunReader

_METRICS = 30
_FILES = 20
_LOCALS = 12
_LABEL_WIDTH = 13
_NAME = 300


def show(run: RunName, as_json: Json = False) -> None:
    """Show a run: state, times, error with local values, metrics, git state, files."""
    from amlnb.api.workspace import Workspace
    from amlnb.engine.look import look
    from amlnb.engine.slots import WaitingLine
    from amlnb.live.run_tail import RunTail
    from amlnb.render.formatting import one_line
    from amlnb.store.run_reader import RunReader

    found = find_run(Workspace.from_config(), run)
    reader = RunReader(found.directory)
    look(reader)
    facts = reader.facts()
    if facts.state == states.NOT_STARTED:
        facts.reason = facts.reason or WaitingLine().reason(found.id)
    if as_json:
        emit(run_json(found, reader, facts))
        return
    view = RunTail(found.directory, curve_limit=_METRICS, log_lines=1).poll()
    name = f"  {one_line(view.display_name, _NAME)}" if view.display_name else ""
    print(f"{state_text(facts.state)}  {one_line(number_name(found), _NAME)}{name}")
    for label, value in _lines(found, reader.record, facts):
        print(f"{in_colour(label.ljust(_LABEL_WIDTH), palette.GREY)}{value}")
    _print_error(facts)
    _print_metrics(view)
    _print_files(found.directory)


def run_json(found: RunSummary, reader: RunReader, facts: RunFacts) -> dict[str, Any]:
    """Everything about a run, for JSON; the keys are in docs/cli.md."""
    import dataclasses

    from amlnb.store.files import list_files

    definition = reader.record.get("definition")
    definition = definition if isinstance(definition, dict) else {}
    names = ("command", "source_directory", "interpreter", "environment_variables", "timeout_s")
    return {
        **dataclasses.asdict(found),
        "state": facts.state,
        "attempt": facts.attempt,
        "started": facts.started,
        "ended": facts.ended,
        "times": facts.times,
        "exit_code": facts.exit_code,
        "signal": facts.signal,
        "reason": facts.reason,
        "error": facts.error,
        "warnings": facts.warnings,
        "cancel_requested": facts.cancel_requested,
        **{name: definition.get(name) for name in names},
        "environment": definition.get("environment"),
        "home": reader.record.get("home"),
        "snapshot": reader.record.get("snapshot"),
        "git": reader.record.get("git"),
        "files": [{"name": name, "bytes": os.stat(path).st_size} for name, path in list_files(found.directory).items()],
    }


def _lines(found: RunSummary, record: dict[str, Any], facts: RunFacts) -> list[tuple[str, str]]:
    """Labelled facts; those that are not there have no line."""
    from amlnb.render.formatting import format_duration, in_order_of_weight, one_line

    definition = record.get("definition")
    definition = definition if isinstance(definition, dict) else {}
    command = " ".join(str(part) for part in (found.script, *found.arguments) if part is not None)
    took = None
    if facts.started is not None:
        took = format_duration((facts.ended or time.time()) - facts.started, whole=not states.is_terminal(facts.phase))
    parent, tags = record.get("parent"), facts.tags
    lines = [
        ("id", found.id),
        ("runs", one_line(command or str(definition.get("command") or ""), 200)),
        ("in", definition.get("source_directory")),
        ("on", found.target),
        ("environment", _environment(definition, found.directory)),
        ("parent", parent),
        ("submitted", _date(found.created)),
        ("started", _date(facts.started)),
        ("ended", _date(facts.ended)),
        ("took", took),
        ("attempt", str(facts.attempt) if facts.attempt > 1 else None),
        ("because", facts.reason if not facts.error else None),
        ("git", _git(record.get("git"))),
        ("tags", ", ".join(key if value is None else f"{key}={value}" for key, value in tags.items())),
        ("archived", "yes" if facts.archived else None),
        ("directory", found.directory),
    ]
    told = [(label, one_line(str(value), 300)) for label, value in lines if value]
    return told + [("warning", one_line(text, 500)) for text in in_order_of_weight(dict.fromkeys(facts.warnings))]


def _date(seconds: float | None) -> str | None:
    """Local time with its offset."""
    if seconds is None:
        return None
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(seconds))


def _environment(definition: dict[str, Any], directory: str) -> str | None:
    from amlnb.engine.kept_environment import kept_lock
    from amlnb.environments.builder import counted

    asked = definition.get("environment")
    if not isinstance(asked, dict):
        return None
    lock = kept_lock(directory)
    name = str(asked.get("name") or asked.get("origin") or "one of its own")
    return name if lock is None else f"{name}: Python {lock.python}, {counted(len(lock.packages), 'package')}"


def _git(git: Any) -> str | None:
    if not isinstance(git, dict) or not git.get("commit"):
        return None
    commit = f"{str(git['commit'])[:12]} on {git.get('branch') or 'no branch'}"
    return commit + (", with changes that were not committed" if git.get("dirty") else "")


def _print_error(facts: RunFacts) -> None:
    from amlnb.render.formatting import printable

    error = facts.error
    if not error:
        return
    print(f"\n{in_colour('error', palette.RED)}  {printable(str(error.get('message') or error.get('code') or ''))}")
    if error.get("hint"):
        print(f"hint: {printable(str(error['hint']))}")
    details = error.get("details")
    frames = details.get("frames") if isinstance(details, dict) else None
    for frame in frames if isinstance(frames, list) else []:
        if isinstance(frame, dict):
            _print_frame(frame)


def _print_frame(frame: dict[str, Any]) -> None:
    """A frame of the failure with the names, types, shapes and small values of its locals."""
    from amlnb.render.formatting import one_line
    from amlnb.render.run_failure import keys_text

    place = f"{frame.get('file')}:{frame.get('line')}"
    print(f"  in {one_line(str(frame.get('function')), 60)}, {one_line(place, 120)}")
    named = frame.get("locals")
    known = [local for local in named if isinstance(local, dict)] if isinstance(named, list) else []
    for local in known[:_LOCALS]:
        parts = [str(local.get("type", ""))]
        if isinstance(local.get("shape"), list):
            parts.append("x".join(map(str, local["shape"])) or "scalar")
        parts += [str(local[key]) for key in ("dtype",) if local.get(key)]
        parts += [f"of length {local['length']}"] if local.get("length") is not None else []
        parts += [keys_text(local)] if keys_text(local) else []
        value = f" = {local['value']}" if local.get("value") is not None else ""
        print(f"    {one_line(str(local.get('name')), 40)}: {one_line(' '.join(parts) + value, 120)}")
    if len(known) > _LOCALS:
        print(f"    and {len(known) - _LOCALS} more (--json has all)")


def _print_metrics(view: RunView) -> None:
    from amlnb.render.formatting import format_number, one_line, sparkline

    if not view.metrics:
        return
    shown = list(view.metrics.items())[:_METRICS]
    curves = [view.series[name].y.tolist() if name in view.series else [] for name, _ in shown]
    print()
    print_table(
        [
            Column("metric", [one_line(name, 40) for name, _ in shown]),
            Column("last", [format_number(metric.last) for _, metric in shown], right=True),
            Column("min", [format_number(metric.min) for _, metric in shown], right=True),
            Column("max", [format_number(metric.max) for _, metric in shown], right=True),
            Column("points", [f"{metric.count:,}" for _, metric in shown], right=True),
            Column("curve", [sparkline(curve) for curve in curves], optional=True),
        ]
    )
    hidden = max(view.metric_count, len(view.metrics)) - len(shown)
    if hidden:
        print(f"and {hidden:,} more metrics (--json has all)")


def _print_files(directory: str) -> None:
    from amlnb.core import layout
    from amlnb.render.formatting import format_size, printable
    from amlnb.store.files import list_files

    found = {name: path for name, path in list_files(directory).items() if name != layout.DRIVER_LOG_ALIAS}
    if not found:
        return
    print()
    shown = list(found.items())[:_FILES]
    sizes = [format_size(os.stat(path).st_size) for _, path in shown]
    print_table([Column("file", [printable(name) for name, _ in shown]), Column("size", sizes, right=True)])
    if len(found) > len(shown):
        print(f"and {len(found) - len(shown):,} more ('amlnb run files' lists them)")
