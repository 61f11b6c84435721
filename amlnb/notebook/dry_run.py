"""What a submission would send, as text."""

from __future__ import annotations

import os
import platform
import sys
from typing import TYPE_CHECKING

from amlnb.api.cell_code import LOADER
from amlnb.engine import targets
from amlnb.notebook.sending import data_directory
from amlnb.notebook.symbols import StoredValue, format_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amlnb.notebook.environment import CellEnvironment
    from amlnb.notebook.options import SubmitOptions
    from amlnb.notebook.submission import Prepared
    from amlnb.notebook.symbols import DefinitionSymbol, ImportSymbol, ValueSymbol

_SHOWN_PACKAGES = 8


def dry_run_text(prepared: Prepared, options: SubmitOptions) -> str:
    """Write a cell's script, and below it, as comments, what was captured and what would be sent where.

    Raises
    ------
    ComputeTargetException
        There is no such target.
    """
    data = data_directory(prepared.folder)
    targets.read(data, options.target)
    found = prepared.capture
    symbols: list[ImportSymbol | DefinitionSymbol | ValueSymbol] = [*found.imports, *found.definitions, *found.values]
    rows = [
        *settings_rows(prepared.experiment, options),
        ("environment", environment_text(options.target, prepared.environment, data)),
    ]
    rows += _listed("captured", [_captured(symbol) for symbol in symbols])
    rows += [("returns", ", ".join(found.results))] if found.results else []
    rows += _listed("sent", _sent(prepared))
    lines = [f"# {line}" for line in told_rows(rows)]
    return "\n".join([found.script.rstrip("\n"), "", "# %% Nothing was submitted: a dry run. It would be:", *lines])


def settings_rows(experiment: str, options: SubmitOptions) -> list[tuple[str, str]]:
    """What a line says of a run: where it goes, and under which name."""
    rows = [("experiment", experiment), *([("name", options.name)] if options.name else []), ("target", options.target)]
    rows += [("time limit", f"{options.timeout_s:g} s")] if options.timeout_s else []
    tags = [key if value is None else f"{key}={value}" for key, value in options.tags.items()]
    return [*rows, *([("tags", ", ".join(tags))] if tags else [])]


def told_rows(rows: Sequence[tuple[str, str]]) -> list[str]:
    """Write rows as lines, the values below each other."""
    return [f"  {name:<12} {text}".rstrip() for name, text in rows]


def environment_text(target: str, environment: CellEnvironment | None, data: str) -> str:
    """The Python that a run on a target gets, and what is installed there."""
    if environment is not None:
        return _asked_text(environment)
    if targets.is_here(data, target):
        return f"Python {platform.python_version()} of this notebook ({sys.executable})"
    return f"the Python of {target}"


def _asked_text(environment: CellEnvironment) -> str:
    spec, request, found = environment.spec, environment.request, environment.found
    if request is None or found is None:
        return f"{environment.name} ({spec.interpreter or spec.image or 'a container'})"
    asked = request.spec
    packages = [*asked.conda, *asked.pip]
    shown = ", ".join(packages[:_SHOWN_PACKAGES]) + (" ..." if len(packages) > _SHOWN_PACKAGES else "")
    state = "built" if found.prefix else "locked, not built yet" if found.lock else "not built yet"
    origin = spec.name or spec.origin
    return f"Python {request.interpreter.minor} with {shown or 'no packages'} ({origin}; {state})"


def _listed(name: str, texts: Sequence[str]) -> list[tuple[str, str]]:
    return [(name if number == 0 else "", text) for number, text in enumerate(texts)]


def _captured(symbol: ImportSymbol | DefinitionSymbol | ValueSymbol) -> str:
    kind = type(symbol).__name__.removesuffix("Symbol").lower()
    content = getattr(symbol, "content", None)
    size = f", {format_bytes(content.size_bytes)}" if isinstance(content, StoredValue) else ""
    summary = getattr(symbol, "summary", "")
    return f"{symbol.name} ({kind}{': ' + summary if summary else ''}{size})"


def _sent(prepared: Prepared) -> list[str]:
    lines = [f"{prepared.script_name} ({format_bytes(len(prepared.capture.script.encode()))})"]
    for path in dict.fromkeys([*prepared.modules, *prepared.paths]):
        full = os.path.join(prepared.folder, path)
        lines.append(f"{path}/" if os.path.isdir(full) else f"{path} ({format_bytes(os.path.getsize(full))})")
    if prepared.capture.needs_loader:
        size = sum(value.size_bytes for value in prepared.capture.stored.values())
        lines.append(f"{LOADER}.py, {LOADER}.d/ ({format_bytes(size)})")
    return lines
