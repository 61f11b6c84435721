"""What was done to a function or class after its definition ran, as statements that do it again."""

from __future__ import annotations

import abc
import ast
import builtins
import types
from typing import TYPE_CHECKING

from amlnb.notebook.definition_sources import DEFINITIONS, contains, underlying
from amlnb.notebook.values import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from amlnb.notebook.definition_sources import DefinitionSource, DefinitionSources

_LITERAL_LIMIT = 400
_ABSENT = object()
# What an expression may consist of to be computed again without calling anything.
_COMPUTED = (
    *(ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
    *(ast.Constant, ast.Name, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Subscript),
    *(ast.Tuple, ast.List, ast.Set, ast.Dict),
)


class UntoldChangeError(Exception):
    """A definition was changed in a way that no statement tells; the text says how."""


def is_stale(value: object, name: str, source: DefinitionSource, variables: Mapping[str, object]) -> bool:
    """Tell whether a definition's source would now make something else: a base, a decorator or a value is another one.

    A class whose base was defined anew keeps the old base until its own cell runs again.
    """
    node = source.node
    decorators = getattr(node, "decorator_list", [])
    told = [*decorators, *getattr(node, "bases", [])]
    if any(isinstance(part, ast.Name) and part.id == name for part in told):
        return True
    if isinstance(value, type) and isinstance(node, ast.ClassDef):
        pairs = [*_attributes(value, node), *(p for method in _own_methods(value, node) for p in _defaults(*method))]
        stale = _has_other_base(value, node, variables) or _has_lost_attribute(value, source, variables)
    elif isinstance(value, types.FunctionType):
        pairs = [] if decorators else list(_defaults(value, node))
        told_none = any(_text(part) is None for part in vars(value).values())
        stale = _has_other_decorator(value, node, variables) if decorators else told_none
    else:
        return False
    return stale or any(said.id == name or _is_other(said, now, variables) for said, now in pairs)


def _attributes(cls: type, node: ast.ClassDef) -> Iterator[tuple[ast.Name, object]]:
    """Plain names in a class body's assignments, and what they stood for."""
    for attribute, said in _bound_in_body(node).items():
        now = vars(cls).get(attribute)
        is_descriptor = hasattr(now, "__get__") and not isinstance(now, types.FunctionType)  # a slot, for one
        if isinstance(said, ast.Name) and not is_descriptor:
            yield said, now


def _defaults(function: types.FunctionType, node: ast.stmt) -> Iterator[tuple[ast.Name, object]]:
    """Plain names that are defaults, and what they stood for."""
    arguments = _arguments(node)
    if arguments is None:
        return
    named = function.__kwdefaults__ or {}
    pairs = [
        *zip(arguments.defaults, function.__defaults__ or (), strict=False),
        *((said, named.get(arg.arg)) for arg, said in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)),
    ]
    yield from ((said, now) for said, now in pairs if isinstance(said, ast.Name))


def _has_lost_attribute(cls: type, source: DefinitionSource, variables: Mapping[str, object]) -> bool:
    """Tell whether a class was given an object that neither its lines make nor a literal tells."""
    body = _bound_in_body(source.node)
    for attribute, now in _data(cls, source):
        said = body.get(attribute, ...)
        made = said is not ... and (said is None or literal(_computed(said, variables)) is None)
        if not made and _text(now) is None and not registered_in(now):
            return True
    return False


def registered_in(container: object) -> list[type | types.FunctionType]:
    """Definitions of the notebook in a registry: they put themselves in as they are defined."""
    parts = container.values() if isinstance(container, dict) else container if isinstance(container, list) else ()
    return [part for part in parts if isinstance(part, (type, types.FunctionType)) and part.__module__ == "__main__"]


def _data(cls: type, source: DefinitionSource) -> Iterator[tuple[str, object]]:
    """Attributes that are plain values, of a class to which no decorator or metaclass adds its own."""
    if type(cls) in {type, abc.ABCMeta} and not source.decorated and not issubclass(cls, tuple):
        for attribute, now in vars(cls).items():
            if not (attribute.startswith(("__", "_abc_")) or hasattr(now, "__get__")):
                yield attribute, now


def _own_methods(cls: type, node: ast.stmt) -> Iterator[tuple[types.FunctionType, ast.stmt]]:
    """Methods that stand in a class's lines without a decorator, and their nodes."""
    for statement in getattr(node, "body", []):
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and not statement.decorator_list:
            member = vars(cls).get(statement.name)
            if isinstance(member, types.FunctionType) and member.__qualname__ == f"{cls.__qualname__}.{statement.name}":
                yield member, statement


def _has_other_base(cls: type, node: ast.ClassDef, variables: Mapping[str, object]) -> bool:
    bases = (*cls.__mro__, *getattr(cls, "__orig_bases__", ()))
    for base in node.bases:
        now = _now(base.id, variables) if isinstance(base, ast.Name) else object
        # `NamedTuple` and its like stand for other classes.
        if not any(now is one for one in bases) and not hasattr(now, "__mro_entries__"):
            return True
    return False


def _has_other_decorator(value: types.FunctionType, node: ast.stmt, variables: Mapping[str, object]) -> bool:
    outermost = node.decorator_list[0]  # type: ignore[attr-defined]  # only definitions have decorators
    while isinstance(outermost, ast.Call):
        outermost = outermost.func
    decorator = _now(outermost.id, variables) if isinstance(outermost, ast.Name) else ...
    if isinstance(decorator, types.FunctionType) and decorator.__module__ == "__main__":
        return not _holds_code(decorator.__code__, value.__code__) and value.__code__.co_name != node.name  # type: ignore[attr-defined]
    return not callable(decorator) and decorator is not ...


def _now(name: str, variables: Mapping[str, object]) -> object:
    return variables.get(name, getattr(builtins, name, _ABSENT))


def _is_other(said: ast.Name, now: object, variables: Mapping[str, object]) -> bool:
    """Tell whether a name stands for another object by now, and the object that it stood for cannot be written out."""
    then = _now(said.id, variables)
    if then is now:
        return False
    return then is _ABSENT or literal(now) is None or isinstance(now, (list, dict, set))


def _arguments(node: ast.stmt) -> ast.arguments | None:
    found = getattr(node, "args", None) or getattr(getattr(node, "value", None), "args", None)
    return found if isinstance(found, ast.arguments) else None


def _holds_code(outer: types.CodeType, inner: types.CodeType) -> bool:
    parts = [part for part in outer.co_consts if isinstance(part, types.CodeType)]
    return inner in parts or any(_holds_code(part, inner) for part in parts)


def of_function(
    function: types.FunctionType, name: str, source: DefinitionSource, variables: Mapping[str, object]
) -> list[str]:
    """Attributes that a function was given, and defaults that are no longer what its source would make them."""
    if source.decorated:
        return []
    changes = []
    for attribute, value in vars(function).items():
        text = _text(value)
        if text is not None and attribute.isidentifier():
            changes.append(f"{name}.{attribute} = {text}")
    return changes + _other_defaults(function, name, source.node, variables)


def _other_defaults(
    function: types.FunctionType, path: str, node: ast.stmt, variables: Mapping[str, object]
) -> list[str]:
    arguments = _arguments(node)
    if arguments is None:
        return []
    changes = []
    expressions, values = arguments.defaults, function.__defaults__ or ()
    texts = [_default(*pair, variables) for pair in zip(expressions, values, strict=False)]
    if len(expressions) != len(values) or any(changed for _, changed in texts):
        whole = ", ".join(text for text, _ in texts)
        changes.append(f"{path}.__defaults__ = ({whole}{',' if len(texts) == 1 else ''})")
    for argument, said in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        named = function.__kwdefaults__ or {}
        if said is not None and argument.arg in named:
            text, changed = _default(said, named[argument.arg], variables)
            changes += [f"{path}.__kwdefaults__[{argument.arg!r}] = {text}"] if changed else []
    return changes


def of_class(
    cls: type,
    name: str,
    source: DefinitionSource,
    variables: Mapping[str, object],
    sources: DefinitionSources,
    definable: Callable[[object], str | None],
) -> list[str]:
    """Methods and plain attributes that a class was given after its body ran.

    Raises
    ------
    UntoldChangeError
        If a method was put in that has no source of its own.
    """
    body = _bound_in_body(source.node)
    changes = []
    for attribute, member in vars(cls).items():
        function = underlying(member)
        if not isinstance(function, types.FunctionType) or function.__module__ != cls.__module__:
            continue
        if _was_put_in(function, attribute, source.node, body, sources):
            changes.append(_method(name, attribute, member, definable))
    for attribute, now in _data(cls, source):
        text = _text(now)
        if text is not None and _is_changed(body.get(attribute, ...), now, variables):
            changes.append(f"{name}.{attribute} = {text}")
    for function, node in _own_methods(cls, source.node):
        changes += _other_defaults(function, f"{name}.{function.__name__}", node, variables)
    return changes


def _was_put_in(
    function: types.FunctionType,
    attribute: str,
    node: ast.stmt,
    body: Mapping[str, ast.expr | None],
    sources: DefinitionSources,
) -> bool:
    """Tell whether a method stands outside the class's lines, and neither body nor decorator can have put it there."""
    if isinstance(body.get(attribute), ast.expr) or "<locals>" in function.__qualname__:
        return False
    return sources.is_in_cell(function) and not (
        function.__qualname__.endswith(f".{function.__name__}") and contains(node, function.__code__.co_firstlineno)
    )


def _method(name: str, attribute: str, member: object, definable: Callable[[object], str | None]) -> str:
    kinds = {staticmethod: "staticmethod({})", classmethod: "classmethod({})", property: "property({})"}
    kind = kinds.get(type(member), "{}")
    inner = getattr(member, "__func__", member)
    if isinstance(member, property) and (member.fset, member.fdel) == (None, None):
        inner = member.fget
    known = definable(inner)
    if known is None:
        raise UntoldChangeError(f"its {attribute} was put in later, and has no source of its own")
    return f"{name}.{attribute} = {kind.format(known)}"


def _bound_in_body(node: ast.stmt) -> dict[str, ast.expr | None]:
    """Names of a class body, with their expression; None for definitions and for what is bound in another way."""
    found: dict[str, ast.expr | None] = {}
    for statement in getattr(node, "body", []):
        if isinstance(statement, DEFINITIONS):
            found[statement.name] = None
            continue
        for part in ast.walk(statement):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                found[part.id] = None
        for target in getattr(statement, "targets", [getattr(statement, "target", None)]):
            if isinstance(target, ast.Name):
                found[target.id] = getattr(statement, "value", None)
    return found


def _is_changed(said: object, now: object, variables: Mapping[str, object]) -> bool:
    """Tell whether a body's expression would make another value than there is now; ``...`` if there is none."""
    if said is ...:
        return True
    return isinstance(said, ast.expr) and _default(said, now, variables)[1]


def _default(said: ast.expr, now: object, variables: Mapping[str, object]) -> tuple[str, bool]:
    """What to write for a value that an expression made once, and whether the expression would not do."""
    written = ast.unparse(said)
    if isinstance(said, ast.Name) and variables.get(said.id, now) is now:
        return written, False
    text = _text(now)
    if text is None or text == literal(_computed(said, variables)):
        return written, False
    return text, True


def _computed(said: ast.expr, variables: Mapping[str, object]) -> object:
    """What an expression makes now; something that has no literal if only running the notebook's code would tell."""
    used = {}
    for part in ast.walk(said):
        if isinstance(part, ast.Name):
            used[part.id] = variables.get(part.id, _ABSENT)
        if not isinstance(part, _COMPUTED) or (isinstance(part, ast.Name) and literal(used[part.id]) is None):
            return _ABSENT
    try:
        code = compile(ast.Expression(said), "<default>", "eval")
        return eval(code, {"__builtins__": {}}, used)  # noqa: S307 - constants and operators of builtin values
    except Exception:  # noqa: BLE001 - what the variables hold by now may not fit together
        return _ABSENT


def _text(value: object) -> str | None:
    text = literal(value)
    return text if text is not None and len(text) <= _LITERAL_LIMIT else None
