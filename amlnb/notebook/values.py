"""How a value travels: as an expression, as JSON, as arrays, and only if nothing else will do as a pickle."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

from amlnb.notebook.attributes import attribute
from amlnb.notebook.pickling import NotHereError, Pickled, mutable_parts, pickled
from amlnb.notebook.refusals import Refusal, culprit, refusal
from amlnb.notebook.symbols import VALUE_LIMIT_BYTES, RefusedSymbol, StoredValue, ValueSymbol, format_bytes
from amlnb.staged import captured_values

if TYPE_CHECKING:
    from collections.abc import Collection

    from amlnb.notebook.pickling import Surroundings

_LITERAL_LIMIT = 400
_DEPTH_LIMIT = 20
_SIZED = (list, tuple, set, frozenset, dict, str, bytes)
_SCALARS = (bool, int, str, bytes, type(None))
# Builtins that expressions call: a notebook may use these names for something else.
_EMPTY: dict[type, str] = {dict: "{}", list: "[]", set: "set()"}
_CALLED = frozenset({"complex", "float", "frozenset", "range", "set"})


def describe_value(name: str, value: object, around: Surroundings) -> ValueSymbol | RefusedSymbol:
    """Decide how a value travels.

    Parameters
    ----------
    name
        The variable's name.
    value
        What it holds now; a file is written from it later, in the same call of the magic.
    around
        The notebook: a pickle refers to its definitions instead of holding copies of them.
    """
    summary = summarize(value)
    told = refusal(value)
    if told is not None:
        return RefusedSymbol(name, summary, told.reason, told.hint)
    parts, twice = mutable_parts(value)
    holds = frozenset(parts)
    if not twice:
        expression = literal(value, shadowed=_CALLED & around.variables.keys())
        if expression is not None and len(expression) <= _LITERAL_LIMIT:
            return ValueSymbol(name, expression, summary, holds=holds)
        stored = _stored_plainly(value)
        if stored is not None:
            return _checked(ValueSymbol(name, stored, summary, holds=holds))
    made = _pickled(name, value, summary, around)
    if isinstance(made, RefusedSymbol):
        return made
    return _checked(_pickle_symbol(name, summary, made, _stored_pickle(made), _EMPTY.get(type(value))))


def describe_together(values: dict[str, object], around: Surroundings) -> dict[str, ValueSymbol | RefusedSymbol]:
    """Decide how values travel that share mutable objects: names of one object as such, others in one pickle."""
    first = next(iter(values))
    if all(value is values[first] for value in values.values()):
        own = describe_value(first, values[first], around)
        found: dict[str, ValueSymbol | RefusedSymbol] = {first: own}
        for name in list(values)[1:]:
            found[name] = ValueSymbol(name, first, summarize(values[name]), depends=frozenset({first}))
        return found
    names = ", ".join(values)
    made = _pickled(first, values, f"together with {names}", around)
    if isinstance(made, RefusedSymbol):
        return {name: RefusedSymbol(name, summarize(value), made.reason, made.hint) for name, value in values.items()}
    own_file = _stored_pickle(made)
    found = {}
    for name, value in values.items():
        stored = own_file if name == first else StoredValue(".pkl", own_file.write, 0, part_of=first)
        symbol = _checked(_pickle_symbol(name, summarize(value), made, stored))
        found[name] = symbol
    return found


def _pickled(name: str, value: object, summary: str, around: Surroundings) -> Pickled | RefusedSymbol:
    try:
        return pickled(value, around)
    except Exception as error:  # noqa: BLE001 - any class may raise anything while it is pickled
        if isinstance(error, RecursionError) or isinstance(error.__cause__, RecursionError):
            return RefusedSymbol(
                name, summary, "it is nested too deeply to be pickled", "save it to a file and load it in the cell"
            )
        where = culprit(name, value)
        part: Refusal | None = refusal(error.part) if isinstance(error, NotHereError) else None
        if where is not None:
            path, inner = where
            reason, hint = f"{path} is {inner.what}", f"leave {path} out of it, or make {name} inside the cell"
        elif part is not None:
            reason, hint = f"it holds {part.what}", part.hint
        else:
            reason, hint = f"it cannot be pickled ({_first_line(error)})", f"make {name} inside the cell instead"
        return RefusedSymbol(name, summary, reason, hint)


def _pickle_symbol(
    name: str, summary: str, made: Pickled, stored: StoredValue, empty: str | None = None
) -> ValueSymbol:
    return ValueSymbol(
        name,
        stored,
        summary,
        depends=made.refers,
        reads=made.reads,
        modules=made.modules,
        empty=empty,
        holds=frozenset(made.memo),
    )


def _stored_pickle(made: Pickled) -> StoredValue:
    data = made.data
    return StoredValue(".pkl", lambda path: _save_bytes(path, data), len(data), made.packages)


def _checked(symbol: ValueSymbol) -> ValueSymbol | RefusedSymbol:
    """Refuse what is larger than the limit."""
    size = symbol.content.size_bytes if isinstance(symbol.content, StoredValue) else 0
    if size <= VALUE_LIMIT_BYTES:
        return symbol
    return RefusedSymbol(
        symbol.name,
        f"{symbol.summary}, {format_bytes(size)}",
        f"it is larger than {format_bytes(VALUE_LIMIT_BYTES)}",
        f"save {symbol.name} to a file and load it in the cell; for another machine, name the file by --with",
    )


def literal(value: object, *, shadowed: Collection[str] = ()) -> str | None:
    """Write a builtin value as an expression that makes an equal one of the same types; None if that cannot be done.

    Parameters
    ----------
    value
        Anything.
    shadowed
        Builtins that the expression must not call.
    """
    try:
        return _literal(value, 0, shadowed)
    except ValueError:
        return None


def _literal(value: Any, depth: int, shadowed: Collection[str]) -> str:
    kind = type(value)
    if depth > _DEPTH_LIMIT or (kind in _SIZED and len(value) > _LITERAL_LIMIT):
        raise ValueError
    if kind in _SCALARS:
        return repr(value)
    if kind is float and math.isfinite(value):
        return repr(value)
    if kind is list:
        return f"[{', '.join(_literal(item, depth + 1, shadowed) for item in value)}]"
    if kind is tuple:
        inner = ", ".join(_literal(item, depth + 1, shadowed) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if kind is dict:
        items = [(_literal(k, depth + 1, shadowed), _literal(v, depth + 1, shadowed)) for k, v in value.items()]
        return f"{{{', '.join(f'{k}: {v}' for k, v in items)}}}"
    if kind is set and value:
        return f"{{{', '.join(sorted(_literal(item, depth + 1, shadowed) for item in value))}}}"
    if kind not in {float, complex, set, frozenset, range} or kind.__name__ in shadowed:
        raise ValueError
    return _call(value, depth, shadowed)


def _call(value: Any, depth: int, shadowed: Collection[str]) -> str:
    kind = type(value)
    if kind is float:
        return f'float("{value}")'
    if kind is complex:  # the signs of its zeros do not survive `1-0j`
        return f"complex({_literal(value.real, depth, shadowed)}, {_literal(value.imag, depth, shadowed)})"
    if kind is frozenset and value:
        return f"frozenset({{{', '.join(sorted(_literal(item, depth + 1, shadowed) for item in value))}}})"
    return repr(value)


def summarize(value: object) -> str:
    """A value in a few words: its type, and its shape or length."""
    kind = type(value)
    shape, dtype = attribute(value, "shape"), attribute(value, "dtype")
    if isinstance(shape, tuple) and all(isinstance(n, int) for n in shape):
        if not shape:
            return f"{dtype} scalar"
        word = kind.__name__ if dtype is None else f"{dtype} {'array' if kind.__name__ == 'ndarray' else kind.__name__}"
        return f"{word}, {' x '.join(str(n) for n in shape)}"
    if kind in {list, tuple, set, frozenset, dict, str, bytes}:
        return f"{kind.__name__} of {len(value)}"  # type: ignore[arg-type]
    module = "" if kind.__module__ in {"builtins", "__main__"} else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"


def _stored_plainly(value: object) -> StoredValue | None:
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and (type(value) is numpy.ndarray or isinstance(value, numpy.generic)):
        array: Any = value
        if array.dtype.hasobject:
            return None
        scalar = isinstance(value, numpy.generic)
        return StoredValue(".npy", lambda path: _save_array(path, array), array.nbytes, scalar=scalar)
    if pandas is not None and type(value) in {pandas.DataFrame, pandas.Series}:
        arrays = captured_values.frame_arrays(value)
        if arrays is None:
            return None
        size = sum(array.nbytes for array in arrays.values())
        return StoredValue(".npz", lambda path: _save_arrays(path, arrays), size)
    if captured_values.is_json(value):
        try:
            text = json.dumps(value)
        except ValueError:  # an integer of more digits than Python writes
            return None
        return StoredValue(".json", lambda path: _save_bytes(path, text.encode()), len(text))
    return None


def _save_array(path: str, array: Any) -> None:
    import numpy as np

    with open(path, "wb") as file:
        np.save(file, array, allow_pickle=False)


def _save_arrays(path: str, arrays: dict[str, Any]) -> None:
    import numpy as np

    with open(path, "wb") as file:
        np.savez(file, **arrays)


def _save_bytes(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
