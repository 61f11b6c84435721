"""Values that travel between a notebook and the run of one of its cells.

`load` gives each value of the notebook back as it was when the cell was submitted; `keep` leaves values for the
notebook. Written by amlnb beside the script; needs nothing of it.
"""

from __future__ import annotations

import json
import math
import os
import pickle
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))
CAPTURED = os.path.join(_HERE, "captured_values.d")
# Relative to the run's working directory.
RETURNED = os.path.join("outputs", "returned_values")
INDEX = "values.json"
DEFINITIONS = "definitions.json"
KEY_VARIABLE = "AMLNB_RESULT_KEY"

_LITERALS = (bool, int, str, bytes, type(None))
_DEPTH_LIMIT = 20

# Values that hold the same objects lie in one file, which is read once so that they go on holding the same ones.
_shared: dict[str, Any] = {}


class UntrustedValueError(Exception):
    """A pickle that was not made by a run of whoever reads it; a pickle may execute any code when it is read."""


def load(name: str) -> Any:
    """Return the value that the notebook's variable ``name`` held."""
    return read(CAPTURED, name, trust=True)


def keep(**values: Any) -> None:
    """Leave values for the notebook, which gets them by ``run.result()``.

    A value that cannot travel is told on stderr and in place of the value; the others are kept all the same.
    """
    folder = RETURNED
    os.makedirs(folder, exist_ok=True)
    key = os.environ.get(KEY_VARIABLE)
    entries = {}
    for number, (name, value) in enumerate(values.items()):
        try:
            entries[name] = _write(folder, number, name, value, key)
        except Exception as error:  # noqa: BLE001 - a class may raise anything while it is pickled; the others are kept
            told = f"{_type_name(value)} cannot be pickled: {type(error).__name__}: {error}"
            entries[name] = {"error": told[:500]}
            sys.stderr.write(f"amlnb: the result {name!r} is not kept: {told}\n")
    path = os.path.join(folder, INDEX)
    with open(path + ".new", "w") as file:
        json.dump(entries, file, indent=1, sort_keys=True)
    os.rename(path + ".new", path)


def read(folder: str, name: str, key: str | None = None, *, trust: bool = False) -> Any:
    """Read a value that was left in a folder.

    Parameters
    ----------
    folder
        The folder with ``values.json``.
    name
        One of its names.
    key
        What a pickle must have been signed with.
    trust
        Read a pickle whoever made it.

    Raises
    ------
    UntrustedValueError
        It is a pickle, neither signed nor trusted.
    RuntimeError
        It could not be kept, or was made by versions that do not understand each other.
    KeyError, OSError, ValueError
        It is not there, or damaged.
    """
    entry = index(folder)[name]
    if "error" in entry:
        raise RuntimeError(entry["error"])
    path = os.path.join(folder, os.path.basename(entry["file"]))
    if path.endswith(".npy"):
        return _read_array(path, entry)
    if path.endswith(".npz"):
        return _read_frame(path)
    if path.endswith(".pkl"):
        if "part" not in entry:
            return _read_pickle(path, name, entry, key, trust)
        if path not in _shared:
            _shared[path] = _read_pickle(path, name, entry, key, trust)
        return _shared[path][entry["part"]]
    with open(path, encoding="utf-8") as file:
        if path.endswith(".txt"):
            import ast

            return ast.literal_eval(file.read())
        return json.load(file)


def index(folder: str) -> dict[str, dict[str, Any]]:
    """What is in a folder: ``{name: entry}``."""
    with open(os.path.join(folder, INDEX), encoding="utf-8") as file:
        found: dict[str, dict[str, Any]] = json.load(file)
    return found


# -- writing -----------------------------------------------------------------------------------------------------------


def _write(folder: str, number: int, name: str, value: Any, key: str | None) -> dict[str, Any]:
    """Write one value by the first form that holds it exactly, and return its entry."""
    # A name may be longer than a file's, or differ from another only by case.
    base = f"{number}-{name[:40]}" if _is_ascii(name) else str(number)
    plain = _plain_text(value)
    if plain is not None:
        return _write_text(folder, base + plain[0], plain[1])
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and (type(value) is numpy.ndarray or isinstance(value, numpy.generic)):
        if not value.dtype.hasobject:
            with open(os.path.join(folder, base + ".npy"), "wb") as file:
                numpy.save(file, value, allow_pickle=False)
            entry: dict[str, Any] = {"file": base + ".npy"}
            return dict(entry, scalar=True) if isinstance(value, numpy.generic) else entry
    elif pandas is not None and type(value) in (pandas.DataFrame, pandas.Series):
        arrays = frame_arrays(value)
        if arrays is not None:
            numpy = numpy or __import__("numpy")
            with open(os.path.join(folder, base + ".npz"), "wb") as file:
                numpy.savez(file, **arrays)
            return {"file": base + ".npz"}
    return _write_pickle(folder, base + ".pkl", name, value, key)


def _plain_text(value: Any) -> tuple[str, str] | None:
    """The value as JSON or as a literal, after the ending of its file; None if neither holds it."""
    try:
        if is_json(value):
            return ".json", json.dumps(value)
        if is_literal(value):
            return ".txt", ascii(value)
    except ValueError:
        pass  # an integer of more digits than Python writes
    return None


def _write_text(folder: str, name: str, text: str) -> dict[str, Any]:
    with open(os.path.join(folder, name), "w", encoding="ascii") as file:
        file.write(text)
    return {"file": name}


def _write_pickle(folder: str, file_name: str, name: str, value: Any, key: str | None) -> dict[str, Any]:
    import io

    buffer = io.BytesIO()
    packages: dict[str, str] = {}
    _pickler(buffer, packages).dump(value)
    data = buffer.getvalue()
    with open(os.path.join(folder, file_name), "wb") as file:
        file.write(data)
    entry = {"file": file_name, "python": "{}.{}".format(*sys.version_info[:2]), "packages": packages}
    return dict(entry, signature=_signature(name, entry, data, key)) if key else entry


def _pickler(buffer: Any, packages: dict[str, str]) -> Any:
    """A pickler that notes whose objects it meets; classes that the notebook has by source are named, not copied."""
    base: Any = pickle.Pickler
    shared: dict[int, Any] = {}
    try:
        import cloudpickle
    except ImportError:
        pass
    else:
        base, shared = cloudpickle.Pickler, _definitions_of_notebook()

    class Pickler(base):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            for owner in (getattr(obj, "__module__", None), type(obj).__module__):
                package = str(owner or "").partition(".")[0]
                version = getattr(sys.modules.get(package), "__version__", None)
                if isinstance(version, str):
                    packages[package] = version
            if id(obj) in shared or base is pickle.Pickler:
                return NotImplemented
            return super().reducer_override(obj)

    return Pickler(buffer, protocol=4)


def _definitions_of_notebook() -> dict[int, Any]:
    """Functions and classes of the script that the notebook has too, by identity."""
    main = vars(sys.modules["__main__"])
    try:
        with open(os.path.join(CAPTURED, DEFINITIONS), encoding="utf-8") as file:
            names: list[str] = json.load(file)
    except FileNotFoundError:
        return {}
    return {id(main[name]): main[name] for name in names if name in main}


def frame_arrays(value: Any) -> dict[str, Any] | None:
    """A data frame or series as one array a column; None where its types have no plain array form."""
    import numpy as np

    frame = value.to_frame() if value.ndim == 1 else value
    rows, labels_of_columns = frame.index, frame.columns
    names = [rows.name, labels_of_columns.name, value.name if value.ndim == 1 else None]
    if not (_is_plain_labels(labels_of_columns) and rows.nlevels == 1 and all(_is_plain_name(name) for name in names)):
        return None
    if getattr(value, "attrs", None) or not getattr(getattr(value, "flags", None), "allows_duplicate_labels", True):
        return None
    columns = [column_array(frame.iloc[:, number]) for number in range(frame.shape[1])]
    labels = column_array(rows.to_series(), missing=False)
    if labels is None or any(column is None for column in columns):
        return None
    arrays = {f"c{number}": column for number, column in enumerate(columns)}
    meta = {
        "columns": labels_of_columns.tolist(),
        "columns_dtype": str(labels_of_columns.dtype),
        "columns_range": _range(labels_of_columns),
        "index_name": names[0],
        "columns_name": names[1],
        "name": names[2],
        "series": value.ndim == 1,
        "dtypes": [str(dtype) for dtype in frame.dtypes],
        "index_dtype": str(rows.dtype),
        "range": _range(rows),
        "freq": getattr(rows, "freqstr", None),
    }
    return dict(arrays, index=labels, meta=np.frombuffer(json.dumps(meta).encode(), dtype="u1"))


def column_array(series: Any, missing: bool = True) -> Any:
    """A column as a plain array; None where its type has none. ``missing`` allows None and NaN among texts."""
    import numpy as np

    array = series.to_numpy()
    kind = getattr(series.dtype, "kind", "O")
    if isinstance(series.dtype, np.dtype) and kind in "biufcmM":
        return array
    # Text is kept as JSON: a fixed-width array would cost the longest text a row.
    is_text = str(series.dtype) in ("object", "str")
    if is_text and all(type(item) is str or (missing and _is_missing(item)) for item in array):
        return np.frombuffer(json.dumps(array.tolist()).encode(), dtype="u1")
    return None


def _is_missing(item: Any) -> bool:
    return item is None or (type(item) is float and math.isnan(item))


def is_json(value: Any, depth: int = 0) -> bool:
    """Tell whether JSON gives back an equal value of the same types."""
    kind = type(value)
    if kind in (bool, int, float, str, type(None)):
        return True
    if depth > _DEPTH_LIMIT:
        return False
    if kind is list:
        return all(is_json(item, depth + 1) for item in value)
    return kind is dict and all(type(k) is str and is_json(v, depth + 1) for k, v in value.items())


def is_literal(value: Any, depth: int = 0) -> bool:
    """Tell whether Python reads the value's ``ascii`` form back as a literal."""
    kind = type(value)
    if kind is float:
        return bool(abs(value) < float("inf"))
    if kind in _LITERALS:
        return True
    if depth > _DEPTH_LIMIT:
        return False
    if kind in (list, tuple) or (kind is set and value):
        return all(is_literal(item, depth + 1) for item in value)
    return kind is dict and all(is_literal(k, depth + 1) and is_literal(v, depth + 1) for k, v in value.items())


# -- reading -----------------------------------------------------------------------------------------------------------


def _read_array(path: str, entry: dict[str, Any]) -> Any:
    import numpy as np

    array = np.load(path, allow_pickle=False)
    return array[()] if entry.get("scalar") else array


def _read_frame(path: str) -> Any:
    import pandas as pd

    rows: Any
    meta, columns, rows = _read_columns(path)
    if meta["range"] is not None:
        rows = pd.RangeIndex(*meta["range"])
    frame = pd.DataFrame(dict(enumerate(columns)), index=rows)
    for number, dtype in enumerate(meta["dtypes"]):
        if dtype in ("object", "str") and any(_is_missing(item) for item in columns[number]):
            # Neither may pandas infer another type, nor an older one make the text "nan" of what is missing.
            frame[number] = pd.Series(columns[number], index=frame.index, dtype=object)
            if dtype == "str" and str(pd.Series(["a"]).dtype) == "str":
                frame[number] = frame[number].astype(dtype)
        elif str(frame.dtypes.iloc[number]) != dtype:
            frame[number] = frame[number].astype(dtype)
    if meta["columns_range"] is not None:
        frame.columns = pd.RangeIndex(*meta["columns_range"])
    else:
        frame.columns = pd.Index(meta["columns"], dtype=meta["columns_dtype"])
    frame.columns.name, frame.index.name = meta["columns_name"], meta["index_name"]
    if meta["freq"] is not None:
        rows = frame.index  # the frame's own, not the array that it was made of
        rows.freq = meta["freq"]
    return frame.iloc[:, 0].rename(meta["name"]) if meta["series"] else frame


def _read_columns(path: str) -> Any:
    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        meta = json.loads(arrays["meta"].tobytes().decode())
        columns = [_column_values(arrays[f"c{n}"], dtype) for n, dtype in enumerate(meta["dtypes"])]
        return meta, columns, _column_values(arrays["index"], meta["index_dtype"])


def _column_values(array: Any, dtype: str) -> Any:
    return json.loads(array.tobytes().decode()) if dtype in ("object", "str") else array


def _read_pickle(path: str, name: str, entry: dict[str, Any], key: str | None, trust: bool) -> Any:
    with open(path, "rb") as file:
        data = file.read()
    if not trust and not (key and _is_signed(name, entry, data, key)):
        raise UntrustedValueError(name)
    here = "{}.{}".format(*sys.version_info[:2])
    if here != entry["python"]:
        raise RuntimeError(
            "The value of '{}' was pickled by Python {} and cannot be trusted in Python {}.\n"
            "hint: make it inside the cell, or run on the notebook's own Python".format(name, entry["python"], here)
        )
    for package, version in entry["packages"].items():
        found = _version(package)
        if found is not None and found.split(".")[0] != version.split(".")[0]:
            raise RuntimeError(
                f"The value of '{name}' was pickled with {package} {version} and cannot be trusted with {found}.\n"
                "hint: make it inside the cell, or install the same major version"
            )
    return pickle.loads(data)  # noqa: S301 - signed, or trusted by who asks


def _version(package: str) -> str | None:
    """Version of a package that is imported or installed here; it is not imported for that. None if nobody knows."""
    found = getattr(sys.modules.get(package), "__version__", None)
    if isinstance(found, str):
        return found
    try:
        from importlib import metadata
    except ImportError:  # Python 3.7
        return None
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        pass
    if sys.version_info < (3, 10):
        return None
    owners = metadata.packages_distributions().get(package)
    return metadata.version(owners[0]) if owners else None


def _is_signed(name: str, entry: dict[str, Any], data: bytes, key: str) -> bool:
    import hmac

    signature = str(entry.get("signature")).encode("ascii", "replace")
    return hmac.compare_digest(signature, _signature(name, entry, data, key).encode("ascii"))


def _signature(name: str, entry: dict[str, Any], data: bytes, key: str) -> str:
    """Sign a pickle with all that is believed of it, so that none can stand for another."""
    import hmac

    told = json.dumps([name, entry.get("part"), entry.get("python"), entry.get("packages")], sort_keys=True)
    return hmac.new(key.encode(), told.encode("ascii") + b"\0" + data, "sha256").hexdigest()


def _type_name(value: Any) -> str:
    kind = type(value)
    module = "" if kind.__module__ in ("builtins", "__main__") else kind.__module__ + "."
    return "a " + module + kind.__qualname__


def _is_ascii(text: str) -> bool:
    return all(c < "\x80" for c in text)


def _is_plain_labels(labels: Any) -> bool:
    kind = type(labels).__name__ in ("Index", "RangeIndex", "Int64Index")  # the last is of pandas before 2.0
    plain = kind and all(type(label) in (str, int) for label in labels.tolist())
    return plain and len(set(labels)) == len(labels)


def _is_plain_name(name: Any) -> bool:
    return name is None or type(name) in (str, int)


def _range(labels: Any) -> Any:
    return [labels.start, labels.stop, labels.step] if type(labels).__name__ == "RangeIndex" else None
