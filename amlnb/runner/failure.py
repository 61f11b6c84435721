"""What a Python process of a run leaves when it ends by an exception: its last frames and their local values.

Names, types and shapes only (and numbers): text that helps, without the data itself.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any, Dict, List, Optional, Type

_FRAMES = 5
_LOCALS = 30
_LONGEST_MESSAGE = 4000
_LONGEST_LINE = 200


def record(kind: Type[BaseException], error: BaseException, traceback: Optional[TracebackType], folder: str) -> None:
    """Write ``<folder>/<random>.json`` about an uncaught exception."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - a broken __str__ of the user's must not hide the failure
        message = "<its __str__ failed>"
    frames = []
    while traceback is not None:
        frames.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    document = {
        "pid": os.getpid(),
        "type": kind.__name__,
        "message": message[:_LONGEST_MESSAGE],
        "frames": [describe_frame(frame, line) for frame, line in frames[-_FRAMES:]],
    }
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, os.urandom(6).hex() + ".json")
    with open(path + ".new", "x") as file:
        file.write(json.dumps(document))
    os.rename(path + ".new", path)


def describe_frame(frame: FrameType, line: int) -> Dict[str, Any]:
    """File, line, its text, function and local values of a frame."""
    import linecache

    values = [
        (name, value)
        for name, value in frame.f_locals.items()
        if not name.startswith("__") and not _is_definition(value)
    ]
    return {
        "file": frame.f_code.co_filename,
        "line": line,
        "text": linecache.getline(frame.f_code.co_filename, line).strip()[:_LONGEST_LINE],
        "function": frame.f_code.co_name,
        # Of very many the last: what was made just before the failure.
        "locals": [dict(describe_value(value), name=name) for name, value in values[-_LOCALS:]],
    }


def describe_value(value: Any) -> Dict[str, Any]:
    """Type of a value, its shape, dtype or length, and the value itself if it is a number, a bool or None."""
    kind = type(value)
    module = kind.__module__
    told: Dict[str, Any] = {"type": kind.__name__ if module == "builtins" else f"{module}.{kind.__name__}"}
    if value is None or isinstance(value, (bool, int, float)):
        # A NumPy number is one too, and its own repr names its type.
        told["value"] = repr(float(value) if isinstance(value, float) else value)[:40]
        return told
    # Only known containers are asked: a foreign property may compute, block or fail.
    if isinstance(value, (str, bytes, list, tuple, dict, set, frozenset)):
        told["length"] = len(value)
    elif module.partition(".")[0] in ("numpy", "pandas", "torch", "jax", "jaxlib", "tensorflow", "scipy", "chainer"):
        try:
            if hasattr(value, "shape"):
                told["shape"] = [int(n) for n in value.shape]
            if hasattr(value, "dtype"):
                told["dtype"] = str(value.dtype)
        except Exception:  # noqa: BLE001 - the shape is a courtesy; the failure itself must still be told
            told.pop("shape", None)
    return told


def _is_definition(value: Any) -> bool:
    return isinstance(value, (type, type(sys))) or type(value).__name__ in ("function", "builtin_function_or_method")


def read(folder: str) -> List[Dict[str, Any]]:
    """Read all documents of a ``failures`` folder, the oldest first; damaged ones are passed over."""
    found = []
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".json")]
    except OSError:
        return []
    for path in sorted((os.path.join(folder, name) for name in names), key=os.path.getmtime):
        try:
            with open(path) as file:
                document = json.load(file)
        except (OSError, ValueError):
            continue
        if isinstance(document, dict):
            found.append(document)
    return found
