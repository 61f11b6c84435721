"""What the cells that ran have bound: their imports and definitions, by source."""

from __future__ import annotations

import ast
import functools
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amlnb.notebook.definition_sources import DEFINITIONS, UNREADABLE, parsed, segment
from amlnb.notebook.source_lines import split_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SETTING_CALLS = frozenset(
    {"seed", "manual_seed", "manual_seed_all", "set_seed", "set_random_seed", "basicConfig", "setLevel", "addHandler"}
)


@dataclass(frozen=True)
class ImportBinding:
    """One import of one name: ``import module``, or ``from module import attribute``."""

    name: str
    statement: str
    module: str
    attribute: str | None

    def value(self) -> object:
        """What the import would give now; None if it was never done in this process."""
        module = sys.modules.get(self.module)
        if self.attribute is None:
            top = self.module.partition(".")[0]
            return sys.modules.get(top) if self.name == top and " as " not in self.statement else module
        found = getattr(module, self.attribute, None)
        return found if found is not None else sys.modules.get(f"{self.module}.{self.attribute}")


class ExecutedCells:
    """Index of the cells that ran, oldest first.

    Parameters
    ----------
    cells
        Their text as Python (magics already translated). Text that does not parse is passed over: it never ran.
    """

    def __init__(self, cells: Sequence[str]) -> None:
        self._imports: dict[str, list[ImportBinding]] = {}
        self._stars: list[str] = []
        # Each with its place in the order of all.
        self._definitions: dict[str, list[tuple[int, str | None]]] = {}
        self._settings: dict[str, dict[str, None]] = {}
        bound = 0
        for text in cells:
            bindings = _bindings(text)
            for imported in bindings.imports:
                self._imports.setdefault(imported.name, []).append(imported)
            self._stars += bindings.stars
            for name, text in bindings.settings:
                self._settings.setdefault(name, {})[text] = None
            for name, source in bindings.definitions:
                bound += 1
                self._definitions.setdefault(name, []).append((bound, source))

    def import_statement(self, name: str, value: object) -> ImportBinding | None:
        """The import that made `name` what it is now; dotted imports of one package together."""
        found = [binding for binding in self._imports.get(name, ()) if binding.value() is value]
        if found:
            newest = found[-1]
            same = {
                b.statement: b for b in found if b.attribute == newest.attribute is None and " as " not in b.statement
            }
            statement = "\n".join(sorted(same)) if newest.statement in same else newest.statement
            return ImportBinding(name, statement, newest.module, newest.attribute)
        for module in reversed(self._stars):
            if getattr(sys.modules.get(module), name, None) is value:
                return ImportBinding(name, f"from {module} import {name}", module, name)
        return None

    def definition(self, name: str) -> str | None:
        """Source of the definition that bound `name` last; None if something else did."""
        return self._definitions.get(name, [(0, None)])[-1][1]

    def definitions(self, name: str) -> list[str]:
        """Sources of all definitions of `name`, newest first, if a definition bound it last.

        Some may stand in cells that failed before they came to them.
        """
        if self.definition(name) is None:
            return []
        return [source for _, source in reversed(self._definitions.get(name, [])) if source is not None]

    def is_older(self, name: str, source: str, others: Iterable[str]) -> bool:
        """Tell whether a name among `others` was bound to a value after `name` was last defined by this source."""
        made = [order for order, text in self._definitions.get(name, ()) if text == source]
        if not made:
            return False
        later = (bound for other in others for bound in self._definitions.get(other, ()))
        return any(text is None and order > made[-1] for order, text in later)

    def settings(self, names: Iterable[str], script: str) -> list[str]:
        """What cells set in what these names hold, and a script does not: attributes, items, seeds."""
        own = {text for _, text in _bindings(script).settings}
        return [text for name in names for text in self._settings.get(name, ()) if text not in own]


@dataclass(frozen=True)
class _Bindings:
    """What one cell binds, in its order; None stands for the source of what is no definition."""

    imports: tuple[ImportBinding, ...] = ()
    stars: tuple[str, ...] = ()
    definitions: tuple[tuple[str, str | None], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()


# A notebook's cells are read at each submission; a cell's text says the same every time.
@functools.lru_cache(maxsize=2000)
def _bindings(text: str) -> _Bindings:
    try:
        tree = parsed(text)
    except UNREADABLE:
        return _Bindings()
    imports: list[ImportBinding] = []
    stars: list[str] = []
    definitions: list[tuple[str, str | None]] = []
    settings: list[tuple[str, str]] = []
    lines = split_lines(text)
    stack: list[ast.AST] = list(reversed(tree.body))
    while stack:
        node = stack.pop()
        if isinstance(node, DEFINITIONS):
            definitions.append((node.name, segment(lines, node)))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if alias.name == "*":
                    stars.append(getattr(node, "module", None) or "")
                elif (binding := _import(node, alias)) is not None:
                    imports.append(binding)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            definitions.append((node.id, None))
        elif isinstance(node, ast.comprehension):
            stack += [node.iter, *node.ifs]
        elif not isinstance(node, ast.Lambda):
            settings += _setting(node)
            stack.extend(reversed(list(ast.iter_child_nodes(node))))
    return _Bindings(tuple(imports), tuple(stars), tuple(definitions), tuple(settings))


def _setting(node: ast.AST) -> list[tuple[str, str]]:
    """``module.name = value`` and ``module.seed(1)``: the name at its root, and what is set."""
    if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
        root: ast.expr = node
        text = ast.unparse(root)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _SETTING_CALLS:
        root = node.func
        text = f"{ast.unparse(root)}(...)"
    else:
        return []
    while isinstance(root, (ast.Attribute, ast.Subscript)):
        root = root.value
    return [(root.id, text)] if isinstance(root, ast.Name) else []


def _import(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ImportBinding | None:
    suffix = f" as {alias.asname}" if alias.asname else ""
    if isinstance(node, ast.Import):
        name = alias.asname or alias.name.partition(".")[0]
        return ImportBinding(name, f"import {alias.name}{suffix}", alias.name, None)
    if node.module is None or node.level or node.module == "__future__":
        return None
    return ImportBinding(
        alias.asname or alias.name, f"from {node.module} import {alias.name}{suffix}", node.module, alias.name
    )
