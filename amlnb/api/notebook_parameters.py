"""The parameters of a notebook: those of its cell that is tagged ``parameters``, as papermill has them."""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amlnb.api.submission_words import literal
from amlnb.core import coercion
from amlnb.errors import UserErrorException
from amlnb.staged.captured_values import is_literal

_TAG = "parameters"
_TYPE_COMMENT = re.compile(r"#\s*type:\s*([\w.\[\], |]+)")
_TYPES: dict[str, type] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "list": list,
    "dict": dict,
    "tuple": tuple,
    "List": list,
    "Dict": dict,
    "Tuple": tuple,
}
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a notebook.

    Attributes
    ----------
    default
        Its value in the notebook; None also where that is no literal.
    kind
        What a value must be; None for anything.
    """

    name: str
    default: object
    kind: type | None


def read_notebook(path: str) -> dict[str, Any]:
    """Read a notebook.

    Raises
    ------
    UserErrorException
        It is missing, is no notebook of format 4, or is not Python's.
    """
    try:
        with open(path, encoding="utf-8") as file:
            notebook = json.load(file)
    except FileNotFoundError:
        raise UserErrorException(f"there is no notebook {path!r}", hint="paths are relative to this folder") from None
    except (OSError, ValueError) as error:
        raise UserErrorException(f"{path!r} cannot be read as a notebook: {error}", hint="save it again") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise UserErrorException(f"{path!r} is no notebook of format 4", hint="open it in JupyterLab and save it again")
    metadata = coercion.mapping(notebook.get("metadata"))
    language = coercion.mapping(metadata.get("kernelspec")).get("language") or coercion.mapping(
        metadata.get("language_info")
    ).get("name")
    if language not in (None, "python"):
        raise UserErrorException(f"{path!r} is a notebook of {language}, and amlnb runs those of Python")
    return notebook


def parameters_of(notebook: Mapping[str, Any]) -> dict[str, Parameter] | None:
    """Parameters of a notebook, by name; None if it has no parameters cell."""
    for cell in notebook["cells"]:
        tags = coercion.items(coercion.mapping(coercion.mapping(cell).get("metadata")).get("tags"))
        if _TAG in tags and cell.get("cell_type") == "code":
            source = cell.get("source")
            return _parameters("".join(source) if isinstance(source, list) else str(source))
    return None


def written_parameters(texts: Mapping[str, str], path: str) -> dict[str, object]:
    """Read values as they were written on a line, by the types that the notebook expects: ``1.10`` may be text.

    Raises
    ------
    UserErrorException
        The notebook cannot be used, or has no such parameters.
    """
    notebook = read_notebook(path)
    known = parameters_of(notebook) or {}
    found = {name: text if name in known and known[name].kind is str else literal(text) for name, text in texts.items()}
    return checked(found, notebook, path)


def injected(
    given: Mapping[str, object], notebook: Mapping[str, Any], path: str
) -> tuple[dict[str, object], list[str]]:
    """Check values as `checked` does, but take those for which the notebook has no parameter too, as papermill does.

    Returns
    -------
    dict, list
        The values, and what there is to tell of them.
    """
    known = parameters_of(notebook)
    unknown = [name for name in given if known is None or name not in known]
    if not unknown:
        return checked(given, notebook, path), []
    found = checked({name: value for name, value in given.items() if name not in unknown}, notebook, path)
    found.update({name: _checked_literal(name, _plain(given[name]), path) for name in unknown})
    if known is None:
        told = f"{path!r} has no cell tagged 'parameters': {', '.join(unknown)} set before its first cell"
        return found, [f"{told}; a cell that sets the same name goes before that"]
    near = {name: difflib.get_close_matches(name, known, 1) for name in unknown}
    meant = "".join(f"; did you mean {each[0]!r} by {name!r}?" for name, each in near.items() if each)
    return found, [f"{path!r} has no parameter {', '.join(map(repr, unknown))}: set after its parameters{meant}"]


def checked(given: Mapping[str, object], notebook: Mapping[str, Any], path: str) -> dict[str, object]:
    """Check values for a notebook's parameters, and return them as the types that it expects.

    Raises
    ------
    UserErrorException
        A name is not among its parameters, or a value is of another type.
    """
    if not given:
        return {}
    known = parameters_of(notebook)
    if known is None:
        raise UserErrorException(
            f"{path!r} has no parameters, and was given {', '.join(given)}",
            hint="tag a cell that sets their defaults with 'parameters' (JupyterLab: property inspector, Cell Tags)",
        )
    found = {name: _value(name, value, known, path) for name, value in given.items()}
    return {name: _checked_literal(name, value, path) for name, value in found.items()}


def _checked_literal(name: str, value: object, path: str) -> object:
    if not is_literal(value):
        raise UserErrorException(
            f"the parameter {name!r} of {path!r} cannot be {value!r}",
            hint="give finite numbers, words, and lists, tuples and dicts of them",
        )
    return value


def _plain(value: Any) -> object:
    """A value, NumPy's scalars as Python's."""
    return value.item() if type(value).__module__ == "numpy" and not getattr(value, "shape", ()) else value


def _value(name: str, value: object, known: Mapping[str, Parameter], path: str) -> object:
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        raise UserErrorException(
            f"{path!r} has no parameter {name!r}",
            hint=f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(known) or 'none'}",
        )
    kind = known[name].kind
    value = _plain(value)
    if kind is None or value is None or type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if kind is bool and isinstance(value, str) and value.lower() in _WORDS:
        return _WORDS[value.lower()]
    if kind is tuple and type(value) is list:
        return tuple(value)
    raise UserErrorException(
        f"the parameter {name!r} of {path!r} is a {kind.__name__}, and was given {value!r} ({type(value).__name__})",
        hint=f"its default is {known[name].default!r}",
    )


def _parameters(source: str) -> dict[str, Parameter]:
    try:
        tree = ast.parse("\n".join("" if line.lstrip()[:1] in ("%", "!") else line for line in source.splitlines()))
    except (SyntaxError, ValueError):
        return {}
    lines, found = source.splitlines(), {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, annotation = node.targets[0], _TYPE_COMMENT.search(lines[(node.end_lineno or node.lineno) - 1])
            told = annotation[1].strip() if annotation else None
        elif isinstance(node, ast.AnnAssign):
            target, told = node.target, ast.unparse(node.annotation)
        else:
            continue
        if isinstance(target, ast.Name):
            default = _literal(node.value)
            found[target.id] = Parameter(target.id, default, _kind(told, default))
    return found


def _kind(told: str | None, default: object) -> type | None:
    if told is not None:
        return _TYPES.get(told.partition("[")[0].strip())
    return type(default) if type(default) in _TYPES.values() else None


def _literal(node: ast.expr | None) -> object:
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
