"""The order in which captured definitions and values stand in a script."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amlnb.notebook.symbols import DefinitionSymbol, ValueSymbol

if TYPE_CHECKING:
    from collections.abc import Iterable

    Item = DefinitionSymbol | ValueSymbol


@dataclass
class Graph:
    """Definitions and values, and what each needs: to execute (eager), or only when it is called (deferred)."""

    items: dict[str, Item] = field(default_factory=dict)
    eager: dict[str, frozenset[str]] = field(default_factory=dict)
    deferred: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, item: Item, eager: frozenset[str], deferred: frozenset[str]) -> None:
        """Add an item; its needs may be added before or after it, or never (imports, builtins)."""
        self.items[item.name] = item
        self.eager[item.name] = eager - {item.name}
        self.deferred[item.name] = deferred - {item.name}

    def remove(self, name: str) -> None:
        """Take an item out again."""
        del self.items[name], self.eager[name], self.deferred[name]

    def needs(self, name: str) -> list[str]:
        """All that an item needs directly, in a fixed order."""
        return [other for other in sorted(self.eager[name] | self.deferred[name]) if other in self.items]


def in_order(graph: Graph, roots: Iterable[str]) -> list[Item]:
    """Sort so that everything stands below what it needs.

    What executes while an item is being defined (a decorator, a default, a base class, and all that these may call)
    always stands above it. Needs of a function's body do too, except where functions call each other in a circle.
    Values that no definition needs while it is being defined come last, as a reader expects.
    """
    wished = _post_order(graph, roots)
    position = {name: index for index, name in enumerate(wished)}
    first = {name: before(graph, name) for name in wished}
    placed: dict[str, None] = {}

    def place(name: str, above: frozenset[str]) -> None:
        if name in placed or name in above:
            return
        for other in sorted(first[name] - {name}, key=position.__getitem__):
            place(other, above | {name})
        placed[name] = None

    for name in wished:
        place(name, frozenset())
    early: set[str] = set()
    for name in wished:
        if isinstance(graph.items[name], DefinitionSymbol):
            early |= first[name]
    late = [name for name in placed if isinstance(graph.items[name], ValueSymbol) and name not in early]
    return [graph.items[name] for name in [*(name for name in placed if name not in late), *late]]


def _post_order(graph: Graph, roots: Iterable[str]) -> list[str]:
    done: dict[str, None] = {}
    for root in [*roots, *sorted(graph.items)]:
        stack = [(root, iter(graph.needs(root)))] if root in graph.items and root not in done else []
        open_ = {root}
        while stack:
            name, needs = stack[-1]
            step = next((other for other in needs if other not in done and other not in open_), None)
            if step is None:
                stack.pop()
                done[name] = None
            else:
                open_.add(step)
                stack.append((step, iter(graph.needs(step))))
    return list(done)


def before(graph: Graph, name: str) -> frozenset[str]:
    """All that may be read while an item executes: its eager needs and everything that these reach."""
    found: set[str] = set()
    waiting = [other for other in graph.eager[name] if other in graph.items]
    while waiting:
        other = waiting.pop()
        if other not in found:
            found.add(other)
            waiting += graph.needs(other)
    return frozenset(found)
