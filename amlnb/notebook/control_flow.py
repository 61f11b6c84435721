"""What the form of a statement says of the paths through it."""

from __future__ import annotations

import ast


def leaves(body: list[ast.stmt]) -> bool:
    """Tell whether what follows a block is never reached from its end."""
    return bool(body) and isinstance(body[-1], (ast.Raise, ast.Continue, ast.Break))


def expects_name_error(handler: ast.ExceptHandler) -> bool:
    """Tell whether an ``except`` names it: the code above is ready for a name that is not there."""
    return handler.type is not None and any(getattr(part, "id", "") == "NameError" for part in ast.walk(handler.type))


def suppresses(context: ast.expr) -> bool:
    """Tell whether a ``with`` may end its block early and go on."""
    return any("suppress" in (getattr(part, "id", ""), getattr(part, "attr", "")) for part in ast.walk(context))


def matches_all(case: ast.match_case) -> bool:
    """Tell whether no value passes a ``case`` by."""
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


def stored(statements: list[ast.stmt]) -> set[str]:
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
