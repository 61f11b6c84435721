"""Which names a piece of code takes from outside: order-aware at top level, by Python's own symbol table below it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from amlnb.notebook.control_flow import expects_name_error, leaves, matches_all, stored, suppresses
from amlnb.notebook.inner_scopes import scope_names
from amlnb.notebook.names_in_texts import names_in_texts
from amlnb.notebook.source_lines import split_lines

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
    in_texts
        Perhaps read out of a text, when the code or one of its functions runs.
    """

    eager: frozenset[str] = frozenset()
    deferred: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    bound: frozenset[str] = frozenset()
    stars: tuple[str, ...] = ()
    in_texts: frozenset[str] = frozenset()

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
    flow = _Flow(split_lines(source), lazy)
    flow.block(tree.body)
    names = flow.result()
    in_texts = names_in_texts(tree, lazy_annotations=lazy)
    return replace(names, in_texts=frozenset(in_texts - names.required - names.optional - names.bound))


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
        # Names through which a function of this code may be called, and whether this statement reads one of them.
        self._callers: set[str] = set()
        self._early: set[str] = set()
        self._calls = False

    def result(self) -> FreeNames:
        bound = self._possible
        deferred = self._deferred - bound - self._eager
        # What a function reads may be bound when it is called: what is not bound for certain now may not be.
        optional = self._optional | (self._early & bound) | ((self._deferred & bound) - self._definite)
        return FreeNames(
            frozenset(self._eager),
            frozenset(deferred),
            frozenset(optional - self._eager),
            frozenset(bound),
            tuple(self._stars),
        )

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self._calls = False
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self._definition(node)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node)
        elif isinstance(node, ast.If):
            self._if(node)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            self._loop(node)
        elif isinstance(node, (ast.Try, ast.TryStar)):
            self._try(node)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            self._with(node)
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
            name = node.name.id  # type: ignore[attr-defined]
            self._scope(node, self._text(node), {name})
            self._bind(name)
        elif not isinstance(node, ast.Global):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self._read(child)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        in_class = self._scope(node, self._segment(node), {node.name})
        if isinstance(node, ast.ClassDef) and in_class:
            self._class_body(node, in_class)
        if node.decorator_list:  # a decorator may call what it decorates
            self._call()
        self._bind(node.name)
        self._callers.add(node.name)

    def _class_body(self, node: ast.ClassDef, names: set[str]) -> None:
        """Names that a class both reads and binds: `rate = rate` reads the outer one, `n = 1; m = n` does not."""
        body = _Flow(self._lines, self._lazy)
        body.block(node.body)
        for name in names & body._eager:
            self._load(name)
        self._optional |= (names & body._optional) - self._definite

    def _assign(self, node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> None:
        if isinstance(node, ast.AnnAssign) and not self._lazy:
            self._read(node.annotation)
        if node.value is None:  # an annotation alone binds nothing
            if not isinstance(node.target, ast.Name):
                self._target(node.target)
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
            self._possible.add(target.id)
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

    def _if(self, node: ast.If) -> None:
        bodies = []
        while True:  # a long chain of `elif` is nested as deeply
            self._read(node.test)
            bodies.append(node.body)
            if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
                break
            node = node.orelse[0]
        self._branches([*bodies, node.orelse])

    def _branches(self, bodies: list[list[ast.stmt]]) -> None:
        before, ends = set(self._definite), []
        for body in bodies:
            self._definite = set(before)
            self.block(body)
            if not leaves(body):
                ends.append(self._definite)
        self._definite = set.intersection(*ends) if ends else before

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        self._read(node.test if isinstance(node, ast.While) else node.iter)
        before = set(self._definite)
        if not isinstance(node, ast.While):
            self._target(node.target)
        # A later turn sees what an earlier one bound.
        self._possible |= stored(node.body)
        self.block(node.body)
        self._definite = set(before)
        self.block(node.orelse)
        if any(isinstance(part, ast.Break) for statement in node.body for part in ast.walk(statement)):
            self._definite = before

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        before, eager = set(self._definite), set(self._eager)
        self.block(node.body)
        if any(expects_name_error(handler) for handler in node.handlers):
            self._optional |= self._eager - eager
            self._eager &= eager
        self.block(node.orelse)
        ends = [] if leaves(node.body + node.orelse) else [self._definite]
        for handler in node.handlers:
            self._definite = set(before)
            if handler.type is not None:
                self._read(handler.type)
            if handler.name:
                self._bind(handler.name)
            self.block(handler.body)
            if handler.name:
                self._definite.discard(handler.name)
            if not leaves(handler.body):
                ends.append(self._definite)
        after = set.intersection(*ends) if ends else set(before)
        # `finally` also runs when the body has raised half-way.
        self._definite = set(before)
        self.block(node.finalbody)
        self._definite |= after

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self._read(item.context_expr)
            if item.optional_vars is not None:
                self._target(item.optional_vars)
        before = set(self._definite)
        self.block(node.body)
        if any(suppresses(item.context_expr) for item in node.items):
            self._definite = before

    def _match(self, node: ast.Match) -> None:
        self._read(node.subject)
        before, ends = set(self._definite), []
        for case in node.cases:
            self._definite = set(before)
            self._pattern(case.pattern)
            if case.guard is not None:
                self._read(case.guard)
            self.block(case.body)
            if not leaves(case.body):
                ends.append(self._definite)
        if not any(matches_all(case) for case in node.cases):
            ends.append(before)
        self._definite = set.intersection(*ends) if ends else before

    def _pattern(self, pattern: ast.pattern) -> None:
        for part in ast.walk(pattern):
            if isinstance(part, ast.MatchValue):
                self._read(part.value)
            elif isinstance(part, ast.MatchClass):
                self._read(part.cls)
            elif isinstance(part, ast.MatchMapping):
                for key in part.keys:
                    self._read(key)
            for name in (getattr(part, "name", None), getattr(part, "rest", None)):
                if isinstance(name, str):
                    self._bind(name)

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
            self._read(node)

    def _read(self, node: ast.expr) -> None:
        nodes = list(ast.walk(node))
        # A walrus may bind what the same expression reads.
        loaded = {part.id for part in nodes if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
        walrus = {part.target.id for part in nodes if isinstance(part, ast.NamedExpr)}
        self._possible |= walrus
        self._optional |= (loaded & walrus) - self._definite
        if any(isinstance(part, _NESTED) for part in nodes):
            self._scope(node, f"(\n{self._text(node)}\n)", walrus)
            if isinstance(node, ast.Lambda):
                self._calls = True
            elif any(isinstance(part, ast.Lambda) for part in nodes):
                self._call()  # who gets the function may call it at once
        else:
            for name in loaded:
                self._load(name)
        for part in nodes:
            if isinstance(part, ast.NamedExpr):
                self._bind(part.target.id)

    def _scope(self, node: ast.AST, source: str, own: set[str]) -> set[str]:
        names = scope_names(source, node, own, lazy_annotations=self._lazy)
        for name in names.eager:
            self._load(name)
        self._deferred |= names.deferred
        self._possible |= names.assigned
        return names.in_class

    def _load(self, name: str) -> None:
        if name in self._callers:
            self._call()
        if name in self._definite:
            return
        if name in self._possible:
            self._optional.add(name)
        else:
            self._eager.add(name)

    def _call(self) -> None:
        """Functions of this code may run here: what they read and is not bound yet comes from outside."""
        self._calls = True
        self._early |= self._deferred - self._definite

    def _bind(self, name: str) -> None:
        self._definite.add(name)
        self._possible.add(name)
        if self._calls:
            self._callers.add(name)

    def _segment(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        text = "\n".join(self._lines[first - 1 : node.end_lineno])
        return f"if 1:\n{text}" if node.col_offset else text

    def _text(self, node: ast.expr | ast.stmt) -> str:
        lines = self._lines[node.lineno - 1 : node.end_lineno]
        # Columns count bytes.
        lines[-1] = lines[-1].encode()[: node.end_col_offset].decode()
        lines[0] = lines[0].encode()[node.col_offset :].decode()
        return "\n".join(lines)
