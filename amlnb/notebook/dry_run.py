"""What a submission would send, as text."""

from __future__ import annotations

import os
import platform
import sys
from typing import TYPE_CHECKING

from amlnb.engine import targets
from amlnb.notebook.script import LOADER
from amlnb.notebook.symbols import StoredValue, format_bytes

if TYPE_CHECKING:
    from amlnb.notebook.options import SubmitOptions
    from amlnb.notebook.submission import Prepared
    from amlnb.notebook.symbols import DefinitionSymbol, ImportSymbol, ValueSymbol


def dry_run_text(prepared: Prepared, options: SubmitOptions) -> str:
    """Write a cell's script, and below it, as comments, what was captured and what would be sent where."""
    found = prepared.capture
    rows: list[tuple[str, str]] = [("experiment", prepared.experiment)]
    rows += [("name", options.name)] if options.name else []
    rows += [("target", options.target), ("environment", _environment(options.target))]
    rows += [("time limit", f"{options.timeout_s:g} s")] if options.timeout_s else []
    tags = [key if value is None else f"{key}={value}" for key, value in options.tags.items()]
    rows += [("tags", ", ".join(tags))] if tags else []
    symbols: list[ImportSymbol | DefinitionSymbol | ValueSymbol] = [*found.imports, *found.definitions, *found.values]
    captured = [_captured(symbol) for symbol in symbols]
    rows += [("captured" if number == 0 else "", text) for number, text in enumerate(captured)]
    rows += [("returns", ", ".join(found.results))] if found.results else []
    sent = [*_sent(prepared)]
    rows += [("sent" if number == 0 else "", text) for number, text in enumerate(sent)]
    lines = [f"#   {name:<12} {text}".rstrip() for name, text in rows]
    return "\n".join([found.script.rstrip("\n"), "", "# %% Nothing was submitted: a dry run. It would be:", *lines])


def _environment(target: str) -> str:
    if target == targets.LOCAL:
        return f"Python {platform.python_version()} of this notebook ({sys.executable})"
    return f"the Python of {target}"


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
