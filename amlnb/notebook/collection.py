"""All that a cell needs of the notebook: what it reads, and what that needs in turn. Pure."""

from __future__ import annotations

import builtins
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from amlnb.notebook.dependencies import Graph, before
from amlnb.notebook.names import FreeNames, free_names
from amlnb.notebook.symbols import DefinitionSymbol, ImportSymbol, RefusedSymbol, ValueSymbol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amlnb.notebook.symbols import Namespace, Symbol

# Module attributes that every script has as well.
_OF_MODULE = frozenset(
    {"__name__", "__file__", "__doc__", "__spec__", "__loader__", "__package__", "__builtins__", "__annotations__"}
)
# What IPython gives a cell without an import.
_OF_IPYTHON = {"display": "from IPython.display import display"}
_OF_KERNEL = frozenset({"get_ipython", "In", "Out", "_ih", "_oh", "_dh"})
# The last outputs and inputs, and those with a number.
_HISTORY = re.compile(r"_{1,3}|_\d+|_i{1,3}|_i\d+")


@dataclass
class Found:
    """What was found, and what stands in the way.

    Attributes
    ----------
    imports, graph
        What the script gets.
    refused
        Names that are needed and cannot travel.
    undefined
        Names that are needed and are not there, with the definition that reads them.
    """

    imports: dict[str, ImportSymbol] = field(default_factory=dict)
    graph: Graph = field(default_factory=Graph)
    refused: dict[str, RefusedSymbol] = field(default_factory=dict)
    undefined: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Collector:
    """Walks from names to all that they need.

    Attributes
    ----------
    namespace
        The notebook.
    given
        Names that the script has from elsewhere: they are not looked up.
    set_by_cell
        Names that the cell binds: a function that reads one may find the cell's.
    """

    namespace: Namespace
    given: frozenset[str]
    set_by_cell: frozenset[str]
    found: Found = field(default_factory=Found)
    _optional: list[str] = field(default_factory=list)
    _wished: set[str] = field(default_factory=set)

    def collect(self, required: Iterable[str], optional: Iterable[str]) -> Found:
        """Find what must be there, then what should be if it can."""
        self._require([(name, None) for name in sorted(required)])
        self._optional += sorted(optional)
        while self._optional:
            self._wish(self._optional.pop())
        self._drop_incomplete()
        self._share()
        self._open_circles()
        self.found.imports = dict(sorted(self.found.imports.items()))
        return self.found

    def _require(self, waiting: list[tuple[str, str | None]]) -> None:
        while waiting:
            name, reader = waiting.pop()
            if self._has(name) or name in self.found.refused or name in self.found.undefined:
                continue
            symbol = describe(name, self.namespace)
            if symbol is None:
                if name not in _OF_MODULE and not hasattr(builtins, name):
                    self.found.undefined[name] = reader
            elif isinstance(symbol, RefusedSymbol):
                through = f"{symbol.summary}, through {reader}" if reader else symbol.summary
                self.found.refused[name] = replace(symbol, summary=through)
            else:
                needs = self._add(symbol)
                deferred = needs.deferred - self.set_by_cell
                waiting += [(other, name) for other in sorted(needs.eager | deferred)]
                self._optional += sorted(needs.optional | needs.in_texts | (needs.deferred & self.set_by_cell))

    def _wish(self, name: str) -> None:
        if self._has(name):
            return
        symbol = describe(name, self.namespace)
        if symbol is None or isinstance(symbol, RefusedSymbol):
            return
        needs = self._add(symbol)
        self._wished.add(name)
        self._optional += sorted(needs.required | needs.optional | needs.in_texts)

    def _has(self, name: str) -> bool:
        return name in self.given or name in self.found.imports or name in self.found.graph.items

    def _add(self, symbol: ImportSymbol | DefinitionSymbol | ValueSymbol) -> FreeNames:
        if isinstance(symbol, ImportSymbol):
            self.found.imports[symbol.name] = symbol
            return FreeNames()
        if isinstance(symbol, ValueSymbol):
            needs = FreeNames(eager=symbol.depends, deferred=symbol.reads)
            for module in sorted(symbol.modules):
                self.found.imports.setdefault(module, ImportSymbol(module, f"import {module}", module))
        else:
            needs = free_names(symbol.source, lazy_annotations=symbol.lazy_annotations)
            needs = replace(needs, deferred=needs.deferred | symbol.registers)
        self.found.graph.add(symbol, eager=needs.eager | needs.optional, deferred=needs.deferred | needs.in_texts)
        return needs

    def _drop_incomplete(self) -> None:
        """Take out what is not needed for certain and could not be defined."""
        graph = self.found.graph
        dropped = True
        while dropped:
            dropped = False
            for name in sorted(self._wished & graph.items.keys()):
                needs = graph.eager[name]
                if not all(self._has(other) or hasattr(builtins, other) or other in _OF_MODULE for other in needs):
                    graph.remove(name)
                    dropped = True

    def _share(self) -> None:
        """Let values that hold the same mutable object go on holding the same one."""
        values = [item for item in self.found.graph.items.values() if isinstance(item, ValueSymbol)]
        for names in _sharing(values):
            for name, symbol in self.namespace.together(names).items():
                if isinstance(symbol, ValueSymbol):
                    self._require([(other, name) for other in sorted(self._add(symbol).required)])
                else:
                    self.found.refused[name] = symbol

    def _open_circles(self) -> None:
        """A container that definitions fill while they are made, and that holds them: it begins empty."""
        graph = self.found.graph
        for item in list(graph.items.values()):
            if not isinstance(item, ValueSymbol):
                continue
            filling = self._filling(item)
            if filling and item.empty is None:
                self._take_undecorated(filling)
                filling = self._filling(item)
            if not filling:
                continue
            if item.empty is not None:
                graph.add(item, eager=frozenset(), deferred=item.depends | item.reads)
            else:
                self.found.refused[item.name] = RefusedSymbol(
                    item.name,
                    item.summary,
                    f"it holds {filling[0]}, which cannot be defined without it",
                    f"write {item.name} and {filling[0]} to a module beside the notebook, and import that",
                )

    def _filling(self, item: ValueSymbol) -> list[str]:
        """Definitions in a value that are made with its help."""
        graph = self.found.graph
        return sorted(name for name in item.depends & graph.items.keys() if item.name in before(graph, name))

    def _take_undecorated(self, names: list[str]) -> None:
        for name in names:
            definition = self.found.graph.items[name]
            if isinstance(definition, DefinitionSymbol) and definition.undecorated:
                self._add(replace(definition, source=definition.undecorated))


def describe(name: str, namespace: Namespace) -> Symbol | None:
    """Tell what a name of the notebook is; None if there is no such name."""
    if name in _OF_KERNEL:
        leave = "leave it out of the cell; % and ! lines in a function need it too"
        hint = leave if name == "get_ipython" else f"name what you need of it above: x = {name}[3]"
        return RefusedSymbol(name, "IPython", "it belongs to the notebook's kernel, and a run has none", hint)
    symbol = namespace.describe(name)
    if symbol is None and name in _OF_IPYTHON:
        return ImportSymbol(name, _OF_IPYTHON[name], "IPython.display")
    if symbol is None and _HISTORY.fullmatch(name) and not hasattr(builtins, name):
        return RefusedSymbol(
            name, "IPython", "it is what the notebook's kernel keeps of a cell", f"name it in a cell above: x = {name}"
        )
    return symbol


def with_empty_before(body: list[DefinitionSymbol | ValueSymbol]) -> list[DefinitionSymbol | ValueSymbol]:
    """Let a container that definitions fill, and that holds these definitions, begin empty and be loaded below them.

    Parameters
    ----------
    body
        Definitions and values in their order.
    """
    position = {item.name: index for index, item in enumerate(body)}
    below: dict[int, list[ValueSymbol]] = {}
    result: list[DefinitionSymbol | ValueSymbol] = []
    for index, item in enumerate(body):
        last = max((position.get(name, -1) for name in getattr(item, "depends", ())), default=-1)
        if isinstance(item, ValueSymbol) and last > index and item.empty is not None:
            result.append(DefinitionSymbol(item.name, f"{item.name} = {item.empty}  # filled below"))
            below.setdefault(last, []).append(item)
        else:
            result.append(item)
        result += below.get(index, [])
    return result


def _sharing(values: list[ValueSymbol]) -> list[list[str]]:
    """Groups of values that hold an object in common, directly or through each other."""
    groups: list[tuple[set[int], list[str]]] = []
    for value in values:
        merged: tuple[set[int], list[str]] = (set(value.holds), [value.name])
        apart = []
        for group in groups:
            if merged[0].isdisjoint(group[0]):
                apart.append(group)
            else:
                merged = (merged[0] | group[0], merged[1] + group[1])
        groups = [*apart, merged]
    return [sorted(names) for _, names in groups if len(names) > 1]
