"""What a cell needs of the notebook around it: found, or refused by name, before anything is submitted. Pure."""

from __future__ import annotations

import builtins
import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amlnb.notebook import cell as cell_
from amlnb.notebook import script as script_
from amlnb.notebook.cell import CellException
from amlnb.notebook.dependencies import Graph, in_order
from amlnb.notebook.names import FreeNames, free_names
from amlnb.notebook.symbols import (
    DefinitionSymbol,
    ImportSymbol,
    RefusedSymbol,
    StoredValue,
    ValueSymbol,
    format_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from amlnb.notebook.symbols import Namespace, Symbol

# Module attributes that every script has as well.
_MODULE_NAMES = frozenset({"__name__", "__file__", "__doc__", "__spec__", "__loader__", "__package__", "__builtins__"})
# What IPython gives a cell without an import.
_IPYTHON_IMPORTS = {"display": "from IPython.display import display"}
_KERNEL_ONLY = frozenset({"get_ipython", "In", "Out", "_ih", "_oh", "_dh"})


@dataclass(frozen=True)
class Capture:
    """A cell's script and what goes with it.

    Attributes
    ----------
    script
        The whole text, ending with the cell as written.
    cell_line
        1-based line of the script on which the cell begins.
    imports, definitions, values
        What was taken from the notebook, in the script's order.
    results
        Names whose values the script keeps for the notebook when it ends.
    """

    script: str
    cell_line: int
    imports: tuple[ImportSymbol, ...]
    definitions: tuple[DefinitionSymbol, ...]
    values: tuple[ValueSymbol, ...]
    results: tuple[str, ...] = ()

    @property
    def needs_loader(self) -> bool:
        """Whether the script imports the module that loads and keeps values."""
        return bool(self.stored or self.results)

    @property
    def stored(self) -> dict[str, StoredValue]:
        """The values that travel as files, by name."""
        return {value.name: value.content for value in self.values if isinstance(value.content, StoredValue)}

    @property
    def summary(self) -> str:
        """What was captured and how big, in one line."""
        parts = [
            _counted(len(self.imports), "import"),
            _counted(len(self.definitions), "definition"),
            _counted(len(self.values), "value"),
        ]
        size = sum(value.size_bytes for value in self.stored.values())
        text = ", ".join(part for part in parts if part) or "nothing but the cell"
        return f"{text} ({format_bytes(size)})" if size else text


def capture(
    source: str,
    namespace: Namespace,
    *,
    title: str,
    parameters: Mapping[str, object] | None = None,
    results: Collection[str] = (),
    take: Collection[str] = (),
    only: bool = False,
) -> Capture:
    """Make a cell's script.

    Parameters
    ----------
    source
        The cell without its ``%%submit`` line.
    namespace
        The notebook's names.
    title
        First line of the script's docstring.
    parameters
        Values given with ``--param``: they stand for the notebook's values of these names.
    results
        Names whose values return to the notebook: the script ends by keeping them.
    take
        Names that are captured though the cell does not visibly read them.
    only
        Capture nothing but `take` and what that needs; then no name is called undefined.

    Raises
    ------
    CellException
        If the cell is not plain Python, reads names that are defined nowhere, needs a value that cannot travel, sets
        a parameter itself, or if a name of `take` or `results` is not there.
    """
    tree = cell_.parse(source)
    names = free_names(source, tree)
    parameters = dict(parameters or {})
    _check_parameters(parameters, names)
    _check_taken(take, namespace, parameters)
    required = frozenset(take) if only else names.required | frozenset(take)
    optional = frozenset[str]() if only else names.optional - required
    found = _collect(required, optional, namespace, frozenset(parameters))
    if not (only or names.stars):  # after `import *` nobody can tell which names there are
        _refuse_undefined(found, namespace)
    _refuse_unable(found)
    results = tuple(dict.fromkeys(results))
    _check_results(results, names, {*found.graph.items, *found.imports, *parameters})
    body = in_order(found.graph, sorted(required | optional))
    script, cell_line = script_.write(title, list(found.imports.values()), parameters, body, source, results)
    return Capture(
        script=script,
        cell_line=cell_line,
        imports=tuple(found.imports.values()),
        definitions=tuple(s for s in body if isinstance(s, DefinitionSymbol)),
        values=tuple(s for s in body if isinstance(s, ValueSymbol)),
        results=results,
    )


@dataclass
class _Found:
    imports: dict[str, ImportSymbol] = field(default_factory=dict)
    graph: Graph = field(default_factory=Graph)
    refused: dict[str, RefusedSymbol] = field(default_factory=dict)
    undefined: dict[str, str | None] = field(default_factory=dict)  # name -> the definition that reads it


def _collect(
    required_names: frozenset[str], optional_names: frozenset[str], namespace: Namespace, given: frozenset[str]
) -> _Found:
    """Walk from the cell's names to all that they need in turn."""
    found = _Found()
    waiting: list[tuple[str, str | None, bool]] = [
        *((name, None, True) for name in sorted(required_names)),
        *((name, None, False) for name in sorted(optional_names)),
    ]
    seen = set(given)
    while waiting:
        name, reader, required = waiting.pop()
        if name in seen:
            continue
        symbol = _describe(name, namespace)
        if symbol is None:
            if required and name not in _MODULE_NAMES and not hasattr(builtins, name):
                found.undefined.setdefault(name, reader)
            continue
        if isinstance(symbol, RefusedSymbol):
            if required:
                found.refused.setdefault(name, symbol)
            continue
        seen.add(name)
        if isinstance(symbol, ImportSymbol):
            found.imports[name] = symbol
            continue
        needs = _needs(symbol)
        found.graph.add(symbol, eager=needs.eager | needs.optional, deferred=needs.deferred)
        waiting += [(other, name, True) for other in sorted(needs.required)]
        waiting += [(other, name, False) for other in sorted(needs.optional)]
    found.imports = dict(sorted(found.imports.items()))
    return found


def _needs(symbol: DefinitionSymbol | ValueSymbol) -> FreeNames:
    if isinstance(symbol, ValueSymbol):
        return FreeNames(symbol.depends, frozenset(), frozenset(), frozenset(), ())
    return free_names(symbol.source, lazy_annotations=symbol.lazy_annotations)


def _describe(name: str, namespace: Namespace) -> Symbol | None:
    if name in _KERNEL_ONLY:
        return RefusedSymbol(
            name, "IPython", "it belongs to the notebook's kernel, and a run has none", "leave it out of the cell"
        )
    symbol = namespace.describe(name)
    if symbol is None and name in _IPYTHON_IMPORTS:
        return ImportSymbol(name, _IPYTHON_IMPORTS[name], "IPython.display")
    return symbol


def _check_parameters(parameters: dict[str, object], names: FreeNames) -> None:
    for name in parameters:
        if name in names.required | names.optional:
            continue
        if name in names.bound:
            raise CellException(
                f"--param {name} would have no effect: the cell sets {name} itself.",
                f"move '{name} = ...' to a cell above",
            )
        raise CellException(
            f"--param {name} would have no effect: the cell does not use {name}.{_near(name, names.required)}",
            "name a variable that the cell reads",
        )


def _check_taken(take: Collection[str], namespace: Namespace, parameters: Mapping[str, object]) -> None:
    for name in take:
        if name not in parameters and _describe(name, namespace) is None:
            near = _near(name, namespace.names())
            raise CellException(
                f"{name} was asked to be captured, and is not defined in this notebook.{near}",
                "run the cell that defines it, then submit again",
            )


def _check_results(results: Collection[str], names: FreeNames, captured: Collection[str]) -> None:
    if names.stars:
        return
    held = names.bound | frozenset(captured)
    for name in results:
        if name not in held:
            raise CellException(
                f"The cell does not set {name}, which is to return to the notebook.{_near(name, held)}",
                "name a variable that the cell sets",
            )


def _refuse_undefined(found: _Found, namespace: Namespace) -> None:
    if not found.undefined:
        return
    name, reader = min(found.undefined.items(), key=lambda item: (item[1] is not None, item[0]))
    others = sorted(set(found.undefined) - {name})
    where = f" (through {reader})" if reader else ""
    more = f" Neither are {', '.join(others)}." if others else ""
    raise CellException(
        f"The cell uses {name}{where}, which is not defined in this notebook.{more}{_near(name, namespace.names())}",
        "run the cell that defines it, then submit again",
    )


def _refuse_unable(found: _Found) -> None:
    if not found.refused:
        return
    refused = list(found.refused.values())
    what = "; ".join(f"{symbol.name} ({symbol.summary}): {symbol.reason}" for symbol in refused)
    raise CellException(f"The cell uses what cannot travel to a run. {what}.", refused[0].hint)


def _near(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _counted(count: int, noun: str) -> str:
    return "" if not count else f"{count} {noun}{'' if count == 1 else 's'}"
