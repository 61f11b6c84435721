"""Which names of the scopes inside a piece of code reach the top level; Python's own symbol table tells."""

from __future__ import annotations

import ast
import symtable
from dataclasses import dataclass, field

# As symtable names their scopes (from 3.14 on in angle brackets).
_COMPREHENSIONS = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})
# Evaluated when they are asked for, under the names of 3.12 and of later versions.
_LAZY = frozenset({"annotation", "TypeVar bound", "type variable", "type alias"})


@dataclass
class ScopeNames:
    """Names that one definition or expression takes from outside.

    Attributes
    ----------
    eager, deferred
        As of `amlnb.notebook.names.FreeNames`.
    in_class
        Read in the body of a class that binds them as well.
    assigned
        Top-level names that a function inside binds, by ``global``.
    """

    eager: set[str] = field(default_factory=set)
    deferred: set[str] = field(default_factory=set)
    in_class: set[str] = field(default_factory=set)
    assigned: set[str] = field(default_factory=set)


def scope_names(source: str, node: ast.AST, own: set[str], *, lazy_annotations: bool) -> ScopeNames:
    """Find them.

    Parameters
    ----------
    source
        One statement, or an expression in brackets.
    node
        Its parsed form.
    own
        Names that it binds at top level itself.
    lazy_annotations
        Annotations are not evaluated.
    """
    if lazy_annotations:
        source = f"from __future__ import annotations\n{source}"
    table = symtable.symtable(source, "<cell>", "exec")
    names = ScopeNames()
    for symbol in table.get_symbols():
        # From 3.12 on the variables of a comprehension stand in the scope around it, as if they were assigned there.
        if symbol.is_referenced() and (not symbol.is_assigned() or symbol.get_name() in own):
            names.eager.add(symbol.get_name())
    changed = {part.id for part in _changed(node, deep="global" in source) if isinstance(part, ast.Name)}
    for child in table.get_children():
        _descend(child, names, changed, deferred=False)
    names.deferred -= {"annotations"} if lazy_annotations else set()
    return names


def _changed(node: ast.AST, *, deep: bool) -> list[ast.expr]:
    """Targets of ``x += 1`` and ``del x``, which read the name as well; the symbol table calls them assigned.

    In functions they matter only for names that are declared global.
    """
    found: list[ast.expr] = []
    waiting = [node] if deep or isinstance(node, ast.ClassDef) else []
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.AugAssign):
            found.append(part.target)
        elif isinstance(part, ast.Delete):
            found += part.targets
        elif isinstance(part, ast.stmt) and (deep or not isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))):
            waiting += ast.iter_child_nodes(part)
        elif isinstance(part, (ast.ExceptHandler, ast.match_case)):
            waiting += part.body
    return found


def _descend(table: symtable.SymbolTable, names: ScopeNames, changed: set[str], *, deferred: bool) -> None:
    kind = str(getattr(table.get_type(), "value", table.get_type()))
    if kind == "function":
        deferred = deferred or table.get_name().strip("<>") not in _COMPREHENSIONS
    elif kind in _LAZY:
        deferred = True
    for symbol in table.get_symbols():
        name = symbol.get_name()
        read = symbol.is_referenced() or name in changed
        if symbol.is_global() and read:
            (names.deferred if deferred else names.eager).add(name)
        elif kind == "class" and read and symbol.is_local() and not deferred:
            names.in_class.add(name)
        if symbol.is_declared_global() and symbol.is_assigned():
            names.assigned.add(name)
    for child in table.get_children():
        _descend(child, names, changed, deferred=deferred)
