"""Which names a piece of code takes from outside: order-aware at top level, by Python's own symbol table below it."""

from __future__ import annotations

import ast
import symtable
from dataclasses import dataclass, field

# As symtable names their scopes (from 3.14 on in angle brackets).
_COMPREHENSIONS = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})
_NESTED = (
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)


@dataclass(frozen=True)
class FreeNames:
    """The names that code reads and does not make itself.

    Attributes
    ----------
    eager
        Read while the code executes, before it binds them.
    deferred
        Read only when a function that the code defines is called.
    optional
        Read where the code may have bound them already, depending on the path taken.
    bound
        Bound by the code, on any path.
    stars
        Modules whose names it imports by ``*``.
    """

    eager: frozenset[str]
    deferred: frozenset[str]
    optional: frozenset[str]
    bound: frozenset[str]
    stars: tuple[str, ...]

    @property
    def required(self) -> frozenset[str]:
        """Names that must come from outside, whenever they are read."""
        return self.eager | self.deferred


def free_names(source: str, tree: ast.Module | None = None, *, lazy_annotations: bool = False) -> FreeNames:
    """Find the names that ``source`` takes from outside.

    Parameters
    ----------
    source
        Python that compiles.
    tree
        Its parsed form, when the caller has it.
    lazy_annotations
        Annotations are not evaluated (``from __future__ import annotations`` holds).

    Returns
    -------
    FreeNames
        Builtins are among the names: whether a name is builtin depends on who asks.
    """
    if tree is None:
        tree = ast.parse(source)
    lazy = lazy_annotations or any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(a.name == "annotations" for a in node.names)
        for node in tree.body
    )
    flow = _Flow(source.splitlines(), lazy)
    flow.block(tree.body)
    return flow.result()


@dataclass
class _ScopeNames:
    """Names of an inner scope that reach the top level."""

    eager: set[str] = field(default_factory=set)
    deferred: set[str] = field(default_factory=set)
    optional: set[str] = field(default_factory=set)
    assigned: set[str] = field(default_factory=set)


class _Flow:
    """Follows statements in order, knowing which names are bound for certain and which on some path."""

    def __init__(self, lines: list[str], lazy_annotations: bool) -> None:
        self._lines = lines
        self._lazy = lazy_annotations
        self._definite: set[str] = set()
        self._possible: set[str] = set()
        self._eager: set[str] = set()
        self._deferred: set[str] = set()
        self._optional: set[str] = set()
        self._stars: list[str] = []

    def result(self) -> FreeNames:
        bound = self._possible
        deferred = self._deferred - bound - self._eager
        # A function may run before or after the top level has bound its name; a certain binding settles it for us.
        optional = (self._optional | ((self._deferred & bound) - self._definite)) - self._eager
        return FreeNames(
            frozenset(self._eager), frozenset(deferred), frozenset(optional), frozenset(bound), tuple(self._stars)
        )

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self._scope(self._segment(node), {node.name})
            self._bind(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node)
        elif isinstance(node, ast.If):
            self._read(node.test)
            self._branches([node.body, node.orelse])
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            self._loop(node)
        elif isinstance(node, (ast.Try, *_TRY_STAR)):
            self._try(node)  # type: ignore[arg-type]
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self._read(item.context_expr)
                if item.optional_vars is not None:
                    self._target(item.optional_vars)
            self.block(node.body)
        elif isinstance(node, ast.Match):
            self._match(node)
        else:
            self._simple(node)

    def _simple(self, node: ast.stmt) -> None:
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            self._assign(node)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                self._delete(target)
        elif node.__class__.__name__ == "TypeAlias":  # 3.12 and later
            names = _scope_names(ast.unparse(node), {node.name.id}, self._lazy)  # type: ignore[attr-defined]
            self._deferred |= names.eager | names.deferred
            self._bind(node.name.id)  # type: ignore[attr-defined]
        elif not isinstance(node, ast.Global):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self._read(child)

    def _assign(self, node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> None:
        if isinstance(node, ast.AnnAssign) and not self._lazy:
            self._read(node.annotation)
        if node.value is None:  # an annotation alone binds nothing
            return
        self._read(node.value)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self._load(node.target.id)
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            self._target(target)

    def _delete(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._load(target.id)
            self._definite.discard(target.id)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self._delete(element)
        else:
            self._target(target)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name == "*":
                self._stars.append(getattr(node, "module", None) or "")
            elif getattr(node, "module", None) != "__future__":
                self._bind(
                    alias.asname or (alias.name.partition(".")[0] if isinstance(node, ast.Import) else alias.name)
                )

    def _branches(self, bodies: list[list[ast.stmt]]) -> None:
        before, ends = set(self._definite), []
        for body in bodies:
            self._definite = set(before)
            self.block(body)
            if not (body and isinstance(body[-1], (ast.Raise, ast.Continue, ast.Break))):
                ends.append(self._definite)
        self._definite = set.intersection(*ends) if ends else before

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        before = set(self._definite)
        if isinstance(node, ast.While):
            self._read(node.test)
        else:
            self._read(node.iter)
            self._target(node.target)
        # A later turn sees what an earlier one bound.
        self._possible |= _stored(node.body)
        self.block(node.body)
        self._definite = before
        self.block(node.orelse)
        self._definite &= before | _stored(node.orelse)

    def _try(self, node: ast.Try) -> None:
        before = set(self._definite)
        self.block(node.body)
        self.block(node.orelse)
        ends = [self._definite]
        for handler in node.handlers:
            self._definite = set(before)
            if handler.type is not None:
                self._read(handler.type)
            if handler.name:
                self._bind(handler.name)
            self.block(handler.body)
            if handler.name:
                self._definite.discard(handler.name)
            if not (handler.body and isinstance(handler.body[-1], ast.Raise)):
                ends.append(self._definite)
        self._definite = set.intersection(*ends)
        self.block(node.finalbody)

    def _match(self, node: ast.Match) -> None:
        self._read(node.subject)
        before, ends = set(self._definite), [set(self._definite)]
        for case in node.cases:
            self._definite = set(before)
            for part in ast.walk(case.pattern):
                if isinstance(part, (ast.MatchValue, ast.MatchClass)):
                    self._read(part.value if isinstance(part, ast.MatchValue) else part.cls)
                for name in (getattr(part, "name", None), getattr(part, "rest", None)):
                    if isinstance(name, str):
                        self._bind(name)
            if case.guard is not None:
                self._read(case.guard)
            self.block(case.body)
            ends.append(self._definite)
        self._definite = set.intersection(*ends)

    def _target(self, node: ast.expr) -> None:
        """Take an assignment target: its parts that are expressions are read, its names are bound."""
        if isinstance(node, ast.Name):
            self._bind(node.id)
        elif isinstance(node, (ast.Tuple, ast.List)):
            for element in node.elts:
                self._target(element)
        elif isinstance(node, ast.Starred):
            self._target(node.value)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self._read(child)

    def _read(self, node: ast.expr) -> None:
        nodes = list(ast.walk(node))
        # A walrus may bind what the same expression reads.
        loaded = {part.id for part in nodes if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
        walrus = {part.target.id for part in nodes if isinstance(part, ast.NamedExpr)}
        self._possible |= walrus
        self._optional |= (loaded & walrus) - self._definite
        if any(isinstance(part, _NESTED) for part in nodes):
            self._scope(f"({ast.unparse(node)})", walrus)
        else:
            for name in loaded:
                self._load(name)
        for part in nodes:
            if isinstance(part, ast.NamedExpr):
                self._bind(part.target.id)

    def _scope(self, source: str, own: set[str]) -> None:
        names = _scope_names(source, own, self._lazy)
        for name in names.eager:
            self._load(name)
        self._deferred |= names.deferred
        self._optional |= names.optional - self._definite
        self._possible |= names.assigned

    def _load(self, name: str) -> None:
        if name in self._definite:
            return
        if name in self._possible:
            self._optional.add(name)
        else:
            self._eager.add(name)

    def _bind(self, name: str) -> None:
        self._definite.add(name)
        self._possible.add(name)

    def _segment(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        text = "\n".join(self._lines[first - 1 : node.end_lineno])
        return f"if 1:\n{text}" if node.col_offset else text


_TRY_STAR = (ast.TryStar,)


def _stored(statements: list[ast.stmt]) -> set[str]:
    """Names that these statements may bind at their own level."""
    found: set[str] = set()
    stack: list[ast.AST] = list(statements)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.alias) and node.name != "*":
            found.add(node.asname or node.name.partition(".")[0])
        elif not isinstance(node, ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))
    return found


def _scope_names(source: str, own: set[str], lazy_annotations: bool) -> _ScopeNames:
    """Names that one definition or expression takes from outside; ``own`` are those that it binds itself."""
    if lazy_annotations:
        source = f"from __future__ import annotations\n{source}"
    table = symtable.symtable(source, "<cell>", "exec")
    names = _ScopeNames()
    for symbol in table.get_symbols():
        # From 3.12 on the variables of a comprehension stand in the scope around it, as if they were assigned there.
        if symbol.is_referenced() and (not symbol.is_assigned() or symbol.get_name() in own):
            names.eager.add(symbol.get_name())
    for child in table.get_children():
        _descend(child, names, deferred=False)
    names.deferred -= {"annotations"} if lazy_annotations else set()
    return names


def _descend(table: symtable.SymbolTable, names: _ScopeNames, *, deferred: bool) -> None:
    kind = str(getattr(table.get_type(), "value", table.get_type()))
    if kind == "function":
        deferred = deferred or table.get_name().strip("<>") not in _COMPREHENSIONS
    elif kind == "annotation":
        deferred = True
    for symbol in table.get_symbols():
        name = symbol.get_name()
        if symbol.is_global() and symbol.is_referenced():
            (names.deferred if deferred else names.eager).add(name)
        elif kind == "class" and symbol.is_referenced() and symbol.is_local() and not deferred:
            names.optional.add(name)  # `class A: rate = rate` reads the outer name first
        if symbol.is_declared_global() and symbol.is_assigned():
            names.assigned.add(name)
    for child in table.get_children():
        _descend(child, names, deferred=deferred)
