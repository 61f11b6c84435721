"""Completion by the Tab key on the lines of our magics: flags, targets, experiments, runs, files."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from amlnb.errors import AmlnbError
from amlnb.notebook.flags import make_parser
from amlnb.notebook.submit_settings import KINDS

_log = logging.getLogger(__name__)

_IDENTIFIER = "amlnb.magics"
_LINE = re.compile(r"(%%submit|%submit|%submit_config|%runs|%compare)\s")
_RUNS_SHOWN = 30
_RUNS_FLAGS = ("-n", "--sort", "--help")
_NOT_OFFERED = frozenset({"--gpus", "--nodes"})  # they are answered "not yet"
_SWITCHES = ("True", "False")


def register(shell: Any) -> None:
    """Offer completions in a shell, and nothing else on the lines of our magics."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher(identifier=_IDENTIFIER, priority=1000)  # type: ignore[untyped-decorator]
    def match(context: Any) -> dict[str, Any]:
        line = str(context.text_until_cursor)
        if not _LINE.match(line):
            return {"completions": []}
        begun = "" if line.endswith(" ") else line.rsplit(maxsplit=1)[-1]
        try:
            found = candidates(line, shell.user_ns)
        except (AmlnbError, OSError) as error:  # told by the magic itself, in words
            _log.info("No completions: %s", error)
            found = []
        matching = [SimpleCompletion(text, type="amlnb") for text in dict.fromkeys(found) if text.startswith(begun)]
        return {"completions": matching, "matched_fragment": begun, "suppress": True}

    matchers = shell.Completer.custom_matchers
    matchers[:] = [known for known in matchers if getattr(known, "matcher_identifier", None) != _IDENTIFIER]
    matchers.append(match)


def candidates(line: str, variables: Mapping[str, object]) -> list[str]:
    """List what may stand at the end of a line.

    Parameters
    ----------
    line
        The line up to the cursor, the magic's name included.
    variables
        The notebook's names.
    """
    words = line.split()
    magic = words[0].lstrip("%")
    begun = "" if line.endswith(" ") else words[-1]
    before = words[1:] if line.endswith(" ") else words[1:-1]
    if magic == "submit":
        return _of_submit(before, begun, variables, is_cell=words[0].startswith("%%"))
    if magic == "submit_config":
        return _of_config(begun)
    runs = [name for name, value in variables.items() if _is_run(value) and not name.startswith("_")]
    return [*_experiments(), *_RUNS_FLAGS] if magic == "runs" else [*runs, "last", *_run_ids()]


def _of_submit(before: list[str], begun: str, variables: Mapping[str, object], *, is_cell: bool) -> list[str]:
    parser = make_parser()
    flag = before[-1] if before else ""
    values: Mapping[str, Callable[[], Iterable[str]]] = {
        "--target": _targets,
        "-t": _targets,
        "--experiment": _experiments,
        "-e": _experiments,
        "--env": lambda: _environments(begun),
        "--with": lambda: _files(begun, ""),
        "--out": lambda: _names(variables),
        "--in": lambda: _names(variables),
    }
    if flag in values:
        return sorted(values[flag]())
    if parser.takes_value(flag):
        return []
    flags = [name for name in parser.flags if name not in _NOT_OFFERED]
    return flags if is_cell or begun.startswith("-") else [*_files(begun, (".py", ".ipynb")), *flags]


def _of_config(begun: str) -> list[str]:
    name, equals, _ = begun.partition("=")
    if not equals:
        return [*(f"{name}=" for name in KINDS), "--reset"]
    if KINDS.get(name, ("",))[0] == "switch":
        return list(_SWITCHES)
    values: Mapping[str, Callable[[], list[str]]] = {
        "target": _targets,
        "experiment": _experiments,
        "env": lambda: _environments(""),
    }
    return values[name]() if name in values else []


def _targets() -> list[str]:
    from amlnb.engine import targets

    workspace = _workspace()
    return [targets.LOCAL] if workspace is None else targets.names(workspace.directory.path)


def _environments(begun: str) -> list[str]:
    from amlnb.environments import curated, registered
    from amlnb.environments.specifications import INLINE

    workspace = _workspace()
    known = [] if workspace is None else registered.every(workspace.directory.path, on_damaged=lambda _: None)
    # Of the curated ones there are many: offered to those who look for them.
    named = [*(each.name for each in known), *(curated.names() if begun[:1] in ("A", "a") else ())]
    return [*named, INLINE, *_files(begun, (".txt", ".yml", ".yaml"))]


def _experiments() -> list[str]:
    workspace = _workspace()
    return [] if workspace is None else workspace.directory.experiment_names()


def _run_ids() -> list[str]:
    from amlnb.store.index import Index
    from amlnb.store.run_names import number_name, short_id

    workspace = _workspace()
    if workspace is None:
        return []
    runs = Index(workspace.directory).list_runs()
    shown = [run for run in runs if not run.archived][:_RUNS_SHOWN]
    names = [run.display_name for run in shown if run.display_name and " " not in run.display_name]
    return [*names, *map(number_name, shown), *(short_id(run.id) for run in shown)]


def _workspace() -> Any:
    from amlnb.api.workspace import Workspace
    from amlnb.store import workspace_dir

    here = workspace_dir.find_config(".") is not None or workspace_dir.find_data(".") is not None
    return Workspace.from_config() if here else None


def _names(variables: Mapping[str, object]) -> list[str]:
    return [name for name in variables if not name.startswith("_") and name not in ("In", "Out", "exit", "quit")]


def _files(begun: str, endings: str | tuple[str, ...]) -> list[str]:
    folder = os.path.dirname(begun)
    try:
        entries = list(os.scandir(folder or "."))
    except OSError:
        return []
    return [
        os.path.join(folder, entry.name) + ("/" if entry.is_dir() else "")
        for entry in entries
        if not entry.name.startswith(".") and (entry.is_dir() or entry.name.endswith(endings))
    ]


def _is_run(value: object) -> bool:
    return type(value).__module__ == "amlnb.api.run"
