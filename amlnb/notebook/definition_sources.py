"""The source of a function or class as it stood in the cell when it ran."""

from __future__ import annotations
import __future__

import ast
import copy
import functools
import inspect
import linecache
import textwrap
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amlnb.notebook.attributes import attribute
from amlnb.notebook.source_lines import split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_LAZY = __future__.annotations.compiler_flag
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
_SEARCHED_AT_MOST = 200
_SHORT = 8000


@dataclass(frozen=True)
class DefinitionSource:
    """A definition's text and its parsed form."""

    text: str
    node: ast.stmt
    lazy_annotations: bool

    @property
    def decorated(self) -> bool:
        """Whether something else than the definition itself may be bound to its name."""
        return bool(getattr(self.node, "decorator_list", ()))


    @property
    def undecorated(self) -> str:
        """The definition's text without its decorators; its comments are lost."""
        node = copy.copy(self.node)
        node.decorator_list = []  # type: ignore[attr-defined]  # only definitions are asked
        return ast.unparse(node)


@dataclass
class _File:
    lines: list[str]
    statements: list[ast.stmt]


@dataclass
class DefinitionSources:
    """Finds sources through code objects, which know the very cell that they were compiled from."""

    _files: dict[str, _File] = field(default_factory=dict)

    def of_function(self, function: types.FunctionType, name: str) -> DefinitionSource | None:
        """Source of a function that a cell defined as `name`, decorators included.

        None if there is none to be taken: it was made inside another function, by ``exec``, or under another name.
        """
        code = function.__code__
        file = self._file(code.co_filename)
        lazy = bool(code.co_flags & _LAZY)
        if code.co_name == "<lambda>":
            found = [node for node in file.statements if _binds_lambda(node, name, code.co_firstlineno)]
            # Two on one line cannot be told apart.
            return DefinitionSource(ast.unparse(found[0]), found[0], lazy) if len(found) == 1 else None
        for node in file.statements:
            if isinstance(node, DEFINITIONS) and (node.name, first_line(node)) == (code.co_name, code.co_firstlineno):
                return DefinitionSource(segment(file.lines, node), node, lazy) if node.name == name else None
        return None

    def of_decorated(self, value: object, name: str) -> DefinitionSource | None:
        """Source of the decorated function `name` that `value` was made of, wherever in it that is kept."""
        for function in _functions_in(value):
            source = self.of_function(function, name)
            if source is not None and source.decorated:
                return source
        return None

    def of_class(self, cls: type, name: str, history: Sequence[DefinitionSource]) -> DefinitionSource | None:
        """Source of a class: found through one of its methods, or the likest of a history (newest first)."""
        for function in methods(cls):
            code = function.__code__
            file = self._file(code.co_filename)
            for node in file.statements:
                if isinstance(node, ast.ClassDef) and node.name == name and contains(node, code.co_firstlineno):
                    return DefinitionSource(segment(file.lines, node), node, bool(code.co_flags & _LAZY))
        classes = [source for source in history if isinstance(source.node, ast.ClassDef)]
        return min(classes, key=lambda source: _unlikeness(cls, source.node), default=None)

    def is_in_cell(self, function: types.FunctionType) -> bool:
        """Tell whether a function's own lines are known."""
        return bool(self._file(function.__code__.co_filename).statements)

    def _file(self, filename: str) -> _File:
        if filename not in self._files:
            text = "".join(linecache.getlines(filename))
            try:
                self._files[filename] = _File(split_lines(text), list(_top_level(parsed(text))))
            except UNREADABLE:
                self._files[filename] = _File([], [])
        return self._files[filename]


def parsed(text: str) -> ast.Module:
    """Parse a cell; a short one only once, for it is read as a cell that ran and again as a definition's file.

    Raises
    ------
    SyntaxError, ValueError, RecursionError, MemoryError
        If it is no Python.
    """
    text = text.rstrip("\n")
    return _parsed_once(text) if len(text) < _SHORT else ast.parse(text)


@functools.lru_cache(maxsize=64)
def _parsed_once(text: str) -> ast.Module:
    return ast.parse(text)


def source_of(text: str, *, lazy_annotations: bool) -> DefinitionSource:
    """Take a text that is one definition."""
    return DefinitionSource(text, ast.parse(text).body[0], lazy_annotations)


def segment(lines: list[str], node: Definition) -> str:
    """Text of a definition with its decorators, set to the left margin."""
    text = "\n".join(lines[first_line(node) - 1 : node.end_lineno])
    if not node.col_offset:
        return text
    dedented = textwrap.dedent(text)
    try:
        if ast.dump(ast.parse(dedented).body[0]) == ast.dump(node):
            return dedented
    except SyntaxError:  # a text over many lines stands further to the left
        pass
    return ast.unparse(node)


def first_line(node: Definition) -> int:
    """Line of the first decorator, or of the definition."""
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def contains(node: ast.stmt, line: int) -> bool:
    """Tell whether a line is one of the statement's."""
    first = first_line(node) if isinstance(node, DEFINITIONS) else node.lineno
    return first <= line <= (node.end_lineno or node.lineno)


def methods(cls: type) -> Iterator[types.FunctionType]:
    """Functions that stand in a class's own body."""
    for member in vars(cls).values():
        inner = underlying(member)
        if (
            isinstance(inner, types.FunctionType)
            and inner.__module__ == cls.__module__
            and inner.__qualname__ == f"{cls.__qualname__}.{inner.__name__}"
        ):
            yield inner


def underlying(member: object) -> object:
    """The function in a class member: of a property, a class method, a cached property, a wrapper."""
    for part in ("__func__", "fget", "func"):
        member = attribute(member, part, member)
    return inspect.unwrap(member) if callable(member) else member


def _top_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements at module level, those inside ``if``, ``try``, ``with`` and loops too."""
    stack: list[ast.AST] = list(reversed(tree.body))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, (*DEFINITIONS, ast.expr)):
            stack.extend(reversed(list(ast.iter_child_nodes(node))))


def _binds_lambda(node: ast.stmt, name: str, line: int) -> bool:
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target: ast.expr = node.targets[0]
    elif isinstance(node, ast.AnnAssign):
        target = node.target
    else:
        return False
    value = node.value
    return isinstance(value, ast.Lambda) and isinstance(target, ast.Name) and target.id == name and value.lineno == line


def _functions_in(value: object) -> Iterator[types.FunctionType]:
    """Functions that an object holds: in closures, attributes, partials."""
    waiting, seen = [value], {id(value)}
    while waiting and len(seen) < _SEARCHED_AT_MOST:
        item = waiting.pop(0)
        if isinstance(item, types.FunctionType):
            yield item
            parts = [cell.cell_contents for cell in item.__closure__ or () if cell != types.CellType()]
        elif isinstance(item, (list, tuple)):
            parts = list(item)
        else:
            parts = [attribute(item, "func"), attribute(item, "__func__")]
        parts += [attribute(item, "__wrapped__")]
        attributes = attribute(item, "__dict__", {})
        parts += attributes.values() if isinstance(attributes, dict) and not isinstance(item, type) else []
        for part in parts:
            if id(part) not in seen and not isinstance(part, (str, int, float, type, types.ModuleType, type(None))):
                seen.add(id(part))
                waiting.append(part)


def _unlikeness(cls: type, node: ast.stmt) -> int:
    """Count what a class has otherwise than a definition of it says."""
    own = vars(cls)
    members = getattr(cls, "__members__", {})
    annotations = own.get("__annotations__", {})
    found = 0
    slots = own.get("__slots__", ())
    said = {slots} if isinstance(slots, str) else set(slots)
    for statement in getattr(node, "body", []):
        if isinstance(statement, DEFINITIONS):
            said.add(statement.name)
            found += statement.name not in own
        for target in getattr(statement, "targets", [getattr(statement, "target", None)]):
            if isinstance(target, ast.Name):
                said.add(target.id)
                now = getattr(members[target.id], "value", None) if target.id in members else own.get(target.id)
                found += _differs(statement, now)
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.annotation, ast.Name):
            told = annotations.get(getattr(statement.target, "id", ""))
            name = told if isinstance(told, str) else getattr(told, "__name__", None)
            found += told is None or (isinstance(name, str) and statement.annotation.id != name)
    found += len({name for name in {*own, *annotations} if not name.startswith("_")} - said)
    bases = [base.id for base in getattr(node, "bases", []) if isinstance(base, ast.Name)]
    return found + (bool(bases) and not set(bases) & {base.__name__ for base in (*cls.__bases__, *cls.__mro__)})


def _differs(statement: ast.stmt, now: object) -> bool:
    value = getattr(statement, "value", None)
    if value is None or hasattr(now, "__get__"):  # a slot, or a field of a named tuple
        return False
    try:
        said = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return type(said) is not type(now) or repr(said) != repr(now)
