"""Values that this script took from its notebook.

`load` gives each back as it was when the cell was submitted. Written by amlnb beside the script; needs nothing of it.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "captured_values.d")


def load(name: str) -> Any:
    """Return the value that the notebook's variable ``name`` held."""
    with open(os.path.join(_FOLDER, "values.json")) as file:
        entry = json.load(file)[name]
    path = os.path.join(_FOLDER, entry["file"])
    if path.endswith(".npy"):
        return _load_array(path, entry)
    if path.endswith(".npz"):
        return _load_frame(path)
    if path.endswith(".pkl"):
        return _load_pickle(path, name, entry)
    with open(path) as file:
        return json.load(file)


def _load_array(path: str, entry: dict[str, Any]) -> Any:
    import numpy as np

    array = np.load(path, allow_pickle=False)
    return array[()] if entry.get("scalar") else array


def _load_frame(path: str) -> Any:
    import pandas as pd

    meta, columns, index = _read_columns(path)
    if meta["range"] is not None:
        index = pd.RangeIndex(*meta["range"])
    frame = pd.DataFrame(dict(enumerate(columns)), index=index)
    for number, dtype in enumerate(meta["dtypes"]):
        if str(frame.dtypes.iloc[number]) != dtype:
            frame[number] = frame[number].astype(dtype)
    frame.columns = pd.Index(meta["columns"], name=meta["columns_name"])
    frame.index.name = meta["index_name"]
    return frame.iloc[:, 0] if meta["series"] else frame


def _read_columns(path: str) -> tuple[dict[str, Any], list[Any], Any]:
    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        meta = json.loads(arrays["meta"].tobytes().decode())
        columns = [_column(arrays[f"c{n}"], dtype) for n, dtype in enumerate(meta["dtypes"])]
        return meta, columns, _column(arrays["index"], meta["index_dtype"])


def _column(array: Any, dtype: str) -> Any:
    return json.loads(array.tobytes().decode()) if dtype in ("object", "str") else array


def _load_pickle(path: str, name: str, entry: dict[str, Any]) -> Any:
    import pickle

    here = "{}.{}".format(*sys.version_info[:2])
    if here != entry["python"]:
        raise RuntimeError(
            "The value of '{}' was pickled by Python {} and cannot be trusted in Python {}.\n"
            "hint: make it inside the cell, or run on the notebook's own Python".format(name, entry["python"], here)
        )
    for package, version in entry["packages"].items():
        found = getattr(__import__(package), "__version__", version)
        if found.split(".")[0] != version.split(".")[0]:
            raise RuntimeError(
                f"The value of '{name}' was pickled with {package} {version} and cannot be trusted with {found}.\n"
                "hint: make it inside the cell, or install the same major version"
            )
    with open(path, "rb") as file:
        return pickle.load(file)  # noqa: S301 - what the notebook that submitted this script wrote
