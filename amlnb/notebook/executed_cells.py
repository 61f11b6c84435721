"""What the cells that ran have bound: their imports and definitions, by source."""

from __future__ import annotations
import __future__

import ast
import inspect
import linecache
import sys
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


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
        self._definitions: dict[str, str | None] = {}  # None: bound last by something else
        for text in cells:
            self._add(text)

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
        return self._definitions.get(name)

    def _add(self, text: str) -> None:
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        lines = text.splitlines()
        stack: list[ast.AST] = list(reversed(tree.body))
        while stack:
            node = stack.pop()
            if isinstance(node, _DEFINITIONS):
                self._definitions[node.name] = _segment(lines, node)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                self._add_import(node)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self._definitions[node.id] = None
            elif not isinstance(node, ast.Lambda):
                stack.extend(reversed(list(ast.iter_child_nodes(node))))

    def _add_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            suffix = f" as {alias.asname}" if alias.asname else ""
            if isinstance(node, ast.Import):
                name = alias.asname or alias.name.partition(".")[0]
                binding = ImportBinding(name, f"import {alias.name}{suffix}", alias.name, None)
            elif node.module is None or node.level or node.module == "__future__":
                continue
            elif alias.name == "*":
                self._stars.append(node.module)
                continue
            else:
                name = alias.asname or alias.name
                binding = ImportBinding(
                    name, f"from {node.module} import {alias.name}{suffix}", node.module, alias.name
                )
            self._imports.setdefault(name, []).append(binding)


@dataclass(frozen=True)
class DefinitionSource:
    """A definition's text, as it stood in the cell when it ran."""

    text: str
    lazy_annotations: bool


def function_source(function: types.FunctionType, name: str) -> DefinitionSource | None:
    """Source of the function that `name` holds, decorators included; from the very cell that ran.

    None if there is none to be taken: it was made inside another function, by ``exec``, or under another name.
    """
    code = function.__code__
    tree, lines = _parsed(code.co_filename)
    lazy = bool(code.co_flags & __future__.annotations.compiler_flag)
    for node in _top_level(tree):
        if (
            isinstance(node, _DEFINITIONS)
            and node.name == name == code.co_name
            and _first_line(node) == code.co_firstlineno
        ):
            return DefinitionSource(_segment(lines, node), lazy)
        if code.co_name == "<lambda>" and isinstance(node, ast.Assign) and _is_lambda_of(node, name, code):
            return DefinitionSource(ast.unparse(node), lazy)
    return None


def class_source(cls: type, name: str) -> DefinitionSource | None:
    """Source of a class, found through one of its methods; None if it has none written in a cell."""
    for member in vars(cls).values():
        inner = inspect.unwrap(getattr(member, "__func__", getattr(member, "fget", member)))
        if not isinstance(inner, types.FunctionType) or inner.__qualname__ != f"{cls.__qualname__}.{inner.__name__}":
            continue
        code = inner.__code__
        tree, lines = _parsed(code.co_filename)
        for node in _top_level(tree):
            if (
                isinstance(node, ast.ClassDef)
                and node.name == name
                and node.lineno <= code.co_firstlineno <= _last_line(node)
            ):
                return DefinitionSource(
                    _segment(lines, node), bool(code.co_flags & __future__.annotations.compiler_flag)
                )
    return None


def _parsed(filename: str) -> tuple[ast.Module, list[str]]:
    text = "".join(linecache.getlines(filename))
    try:
        return ast.parse(text), text.splitlines()
    except (SyntaxError, ValueError):
        return ast.Module([], []), []


def _top_level(tree: ast.Module) -> list[ast.stmt]:
    """Statements at module level, those inside ``if``, ``try``, ``with`` and loops too."""
    found: list[ast.stmt] = []
    stack: list[ast.AST] = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.stmt):
            found.append(node)
        if not isinstance(node, (*_DEFINITIONS, ast.expr)):
            stack.extend(ast.iter_child_nodes(node))
    return found


def _is_lambda_of(node: ast.Assign, name: str, code: types.CodeType) -> bool:
    target = node.targets[0]
    lambdas = [part for part in ast.walk(node) if isinstance(part, ast.Lambda)]
    return (
        len(node.targets) == len(lambdas) == 1
        and isinstance(target, ast.Name)
        and target.id == name
        and node.value is lambdas[0]
        and node.value.lineno == code.co_firstlineno
    )


def _first_line(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _segment(lines: list[str], node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    return "\n".join(lines[_first_line(node) - 1 : node.end_lineno])
