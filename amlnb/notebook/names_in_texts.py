"""Names that code reads out of texts: quoted or lazy annotations, `eval`, `exec`, and what pandas' `query` is told."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_EVALUATED = frozenset({"eval", "exec"})
_OF_FRAMES = frozenset({"query", "eval"})
_AT_NAME = re.compile(r"@([^\W\d]\w*)")


def names_in_texts(tree: ast.Module, *, lazy_annotations: bool) -> set[str]:
    """Find them; they may be names of something else (a column, a local variable), or of nothing."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found.update(_of_call(node))
        elif isinstance(node, (ast.AnnAssign, ast.arg)) and node.annotation is not None:
            found.update(_of_annotation(node.annotation, lazy=lazy_annotations))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns is not None:
            found.update(_of_annotation(node.returns, lazy=lazy_annotations))
    return found


def _of_call(node: ast.Call) -> Iterator[str]:
    texts = [text for argument in node.args[:1] for text in _texts(argument)]
    if isinstance(node.func, ast.Attribute) and node.func.attr in _OF_FRAMES:
        for text in texts:
            yield from _AT_NAME.findall(text)
    elif isinstance(node.func, ast.Name) and node.func.id in _EVALUATED:
        for text in texts:
            yield from _names(text, "exec")


def _of_annotation(node: ast.expr, *, lazy: bool) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield from _names(part.value, "eval")
        elif lazy and isinstance(part, ast.Name):
            yield part.id


def _texts(node: ast.expr) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _names(text: str, mode: str) -> Iterator[str]:
    try:
        tree = ast.parse(text.strip(), mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # no code: a word of `Literal`, a part of a text
        return
    for part in ast.walk(tree):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            yield part.id
