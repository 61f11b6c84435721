"""How a value travels: as an expression, as JSON, as arrays, and only if nothing else will do as a pickle."""

from __future__ import annotations

import io
import json
import math
import pickle
import sys
import types
from typing import TYPE_CHECKING, Any

from amlnb.notebook.symbols import VALUE_LIMIT_BYTES, RefusedSymbol, StoredValue, ValueSymbol, format_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

_LITERAL_LIMIT = 400
_DEPTH_LIMIT = 20
_SCALARS = (bool, int, str, bytes, complex, type(None))


def describe_value(name: str, value: object, definable: Callable[[object], str | None]) -> ValueSymbol | RefusedSymbol:
    """Decide how a value travels.

    Parameters
    ----------
    name
        The variable's name.
    value
        What it holds now; a file is written from it later, in the same call of the magic.
    definable
        Tells the name under which the notebook defines a class or function by source, None if it does not: a pickle
        then refers to the definition instead of holding a copy of it.
    """
    summary = summarize(value)
    refusal = _refusal(value)
    if refusal is not None:
        return RefusedSymbol(name, summary, *refusal)
    expression = literal(value)
    if expression is not None and len(expression) <= _LITERAL_LIMIT:
        return ValueSymbol(name, expression, summary)
    stored = _stored_plainly(value)
    depends: frozenset[str] = frozenset()
    if stored is None:
        try:
            stored, depends = _pickled(value, definable)
        except RecursionError:
            return RefusedSymbol(
                name, summary, "it is nested too deeply to be pickled", "save it to a file and load it in the cell"
            )
        except Exception as error:  # noqa: BLE001 - any class may raise anything while it is pickled
            return RefusedSymbol(
                name, summary, f"it cannot be pickled ({_first_line(error)})", f"make {name} inside the cell instead"
            )
    if stored.size_bytes > VALUE_LIMIT_BYTES:
        return RefusedSymbol(
            name,
            f"{summary}, {format_bytes(stored.size_bytes)}",
            f"it is larger than {format_bytes(VALUE_LIMIT_BYTES)}",
            f"save {name} to a file and load it in the cell",
        )
    return ValueSymbol(name, stored, summary, depends)


def literal(value: object) -> str | None:
    """Write a builtin value as an expression that makes an equal one of the same types; None if that cannot be done."""
    try:
        return _literal(value, 0)
    except ValueError:
        return None


def _literal(value: object, depth: int) -> str:
    if depth > _DEPTH_LIMIT:
        raise ValueError
    kind = type(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else f'float("{value}")'  # type: ignore[arg-type]
    if kind in _SCALARS:
        return repr(value)
    if kind in {list, tuple, set, frozenset, dict} and len(value) > _LITERAL_LIMIT:  # type: ignore[arg-type]
        raise ValueError
    if kind is list:
        return f"[{', '.join(_literal(item, depth + 1) for item in value)}]"  # type: ignore[attr-defined]
    if kind is tuple:
        inner = ", ".join(_literal(item, depth + 1) for item in value)  # type: ignore[attr-defined]
        return f"({inner},)" if len(value) == 1 else f"({inner})"  # type: ignore[arg-type]
    if kind is dict:
        pairs = (f"{_literal(k, depth + 1)}: {_literal(v, depth + 1)}" for k, v in value.items())  # type: ignore[attr-defined]
        return f"{{{', '.join(pairs)}}}"
    if kind in {set, frozenset}:
        items = sorted(_literal(item, depth + 1) for item in value)  # type: ignore[attr-defined]
        text = f"{{{', '.join(items)}}}" if items else "set()"
        return text if kind is set else f"frozenset({text})"
    if kind is range:
        return repr(value)
    raise ValueError


def summarize(value: object) -> str:
    """A value in a few words: its type, and its shape or length."""
    kind = type(value)
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if isinstance(shape, tuple) and all(isinstance(n, int) for n in shape):
        if not shape:
            return f"{dtype} scalar"
        word = kind.__name__ if dtype is None else f"{dtype} {'array' if kind.__name__ == 'ndarray' else kind.__name__}"
        return f"{word}, {' x '.join(str(n) for n in shape)}"
    if kind in {list, tuple, set, frozenset, dict, str, bytes}:
        return f"{kind.__name__} of {len(value)}"  # type: ignore[arg-type]
    module = "" if kind.__module__ in {"builtins", "__main__"} else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"


def _refusal(value: object) -> tuple[str, str] | None:
    if isinstance(value, (io.IOBase, io.TextIOBase)):
        return "an open file belongs to this process", "open it inside the cell"
    if isinstance(value, (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)):
        return "it is half-way through running, and only this process can go on with it", "make it inside the cell"
    for base in type(value).__mro__:
        if base.__module__.startswith("ipywidgets."):
            return "a widget is drawn by this kernel", "read its value into a variable above: x = widget.value"
        if base.__module__.startswith("amlnb.api.") or base.__module__ == "amlnb.tracking.offline":
            return "it stands for something of this notebook", "inside the cell use amlnb.get_context()"
    if getattr(value, "is_cuda", False) is True:
        return "it lives in this process's GPU memory", "move it to the CPU first: x = x.cpu()"
    return None


def _stored_plainly(value: object) -> StoredValue | None:
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and (type(value) is numpy.ndarray or isinstance(value, numpy.generic)):
        array: Any = value
        if array.dtype.hasobject:
            return None
        scalar = isinstance(value, numpy.generic)
        return StoredValue(".npy", lambda path: _save_array(path, array), array.nbytes, scalar=scalar)
    if pandas is not None and type(value) in {pandas.DataFrame, pandas.Series}:
        return _stored_frame(value)
    if _is_json(value, 0):
        text = json.dumps(value)
        return StoredValue(".json", lambda path: _save_bytes(path, text.encode()), len(text))
    return None


def _stored_frame(value: Any) -> StoredValue | None:
    """A frame as one array a column; None where its types have no plain array form."""
    import numpy as np

    frame = value.to_frame() if value.ndim == 1 else value
    index = frame.index
    if not (_is_plain_labels(frame.columns) and index.nlevels == 1 and len(set(frame.columns)) == frame.shape[1]):
        return None
    columns = [_column(frame.iloc[:, number]) for number in range(frame.shape[1])]
    rows = _column(index.to_series())
    if rows is None or any(column is None for column in columns):
        return None
    arrays = {f"c{number}": column for number, column in enumerate(columns)} | {"index": rows}
    meta = {
        "columns": [_label(label) for label in frame.columns],
        "index_name": _label(index.name),
        "columns_name": _label(frame.columns.name),
        "series": value.ndim == 1,
        "dtypes": [str(dtype) for dtype in frame.dtypes],
        "index_dtype": str(index.dtype),
        "range": [index.start, index.stop, index.step] if type(index).__name__ == "RangeIndex" else None,
    }
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), dtype="u1")
    size = sum(array.nbytes for array in arrays.values() if array is not None)
    return StoredValue(".npz", lambda path: np.savez(path, **arrays), size)


def _column(series: Any) -> Any:
    import numpy as np

    array = series.to_numpy()
    kind = getattr(series.dtype, "kind", "O")
    if isinstance(series.dtype, np.dtype) and kind in "biufcmM":
        return array
    # Text is kept as JSON lines: a fixed-width array would cost the longest text a row.
    if str(series.dtype) in {"object", "str"} and all(type(item) is str for item in array):
        return np.frombuffer(json.dumps(array.tolist()).encode(), dtype="u1")
    return None


def _is_plain_labels(labels: Any) -> bool:
    return labels.nlevels == 1 and all(type(label) in {str, int} for label in labels.tolist())


def _label(label: object) -> str | int | None:
    return label if type(label) in {str, int} else None  # type: ignore[return-value]


def _is_json(value: object, depth: int) -> bool:
    kind = type(value)
    if kind in {bool, int, float, str, type(None)}:
        return True
    if depth > _DEPTH_LIMIT:
        return False
    if kind is list:
        return all(_is_json(item, depth + 1) for item in value)  # type: ignore[attr-defined]
    if kind is dict:
        return all(type(k) is str and _is_json(v, depth + 1) for k, v in value.items())  # type: ignore[attr-defined]
    return False


def _pickled(value: object, definable: Callable[[object], str | None]) -> tuple[StoredValue, frozenset[str]]:
    import cloudpickle

    referred: set[str] = set()
    packages: set[str] = set()

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        """Refers to the notebook's classes by name, since the script defines them by source."""

        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, (type, types.FunctionType)):
                name = definable(obj)
                if name is not None:
                    referred.add(name)
                    return NotImplemented
            packages.add((getattr(obj, "__module__", None) or type(obj).__module__ or "").partition(".")[0])
            packages.add(type(obj).__module__.partition(".")[0])
            return super().reducer_override(obj)

    buffer = io.BytesIO()
    Pickler(buffer, protocol=pickle.DEFAULT_PROTOCOL).dump(value)
    data = buffer.getvalue()
    requires = tuple((name, version) for name in sorted(packages) if (version := _version(name)) is not None)
    return StoredValue(".pkl", lambda path: _save_bytes(path, data), len(data), requires), frozenset(referred)


def _version(package: str) -> str | None:
    version = getattr(sys.modules.get(package), "__version__", None)
    return version if isinstance(version, str) else None


def _save_array(path: str, array: Any) -> None:
    import numpy as np

    with open(path, "wb") as file:
        np.save(file, array, allow_pickle=False)


def _save_bytes(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
