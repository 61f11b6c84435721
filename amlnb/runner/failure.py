"""What a Python process of a run leaves when it ends by an exception: its last frames and their local values.

Names, types and shapes only (and numbers, and keys of a dict that are names): text that helps, without the data itself.
Everything that is asked of the user's own objects may raise, and costs no more than what was asked for.
"""

from __future__ import annotations

import json
import os
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any, Callable, Dict, List, Optional, Tuple, Type

_OWN_FRAMES = 5
_FRAMES = 2
_LOCALS = 30
_LONGEST_MESSAGE = 4000
_LONGEST_LINE = 200
_KEYS = 6
_LONGEST_KEY = 30
# A name such as a column or a setting has: with more digits or letters it may be a token.
_KEY = re.compile(r"(?!(?:.*\d){4})[^\W\d][\w.\-/ ]{0,23}\Z")


def record(kind: Type[BaseException], error: BaseException, traceback: Optional[TracebackType], folder: str) -> None:
    """Write ``<folder>/<random>.json`` about an uncaught exception."""
    frames = []
    while traceback is not None:
        frames.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    document = {
        "pid": os.getpid(),
        "type": kind.__name__,
        "message": _told(lambda: str(str(error)[:_LONGEST_MESSAGE]), "<its __str__ failed>"),
        "frames": [describe_frame(*frames[number]) for number in _worth_telling(frames)],
    }
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, os.urandom(6).hex() + ".json")
    with open(path + ".new", "x") as file:
        file.write(json.dumps(document))
    os.rename(path + ".new", path)


def _worth_telling(frames: List[Tuple[FrameType, int]]) -> List[int]:
    """The last frames of the person's own code, and where it ended: deep in a library nobody knows the values."""
    own = [number for number, (frame, _) in enumerate(frames) if not _is_of_library(frame.f_code.co_filename)]
    return sorted(set(own[-_OWN_FRAMES:]) | set(range(len(frames))[-_FRAMES:]))


def _is_of_library(file: str) -> bool:
    return "site-packages" in file or "dist-packages" in file or file.startswith((os.path.dirname(os.__file__), "<"))


def describe_frame(frame: FrameType, line: int) -> Dict[str, Any]:
    """File, line, its text, function and local values of a frame."""
    import linecache

    file = frame.f_code.co_filename
    return {
        "file": file,
        "line": line,
        "text": _told(lambda: linecache.getline(file, line).strip()[:_LONGEST_LINE], ""),
        "function": frame.f_code.co_name,
        "locals": _told(lambda: _describe_locals(frame), []),
    }


def _describe_locals(frame: FrameType) -> List[Dict[str, Any]]:
    values = [
        (name, value)
        for name, value in frame.f_locals.items()
        if type(name) is str and not name.startswith("__") and not _is_definition(value)
    ]
    # Of very many the last: what was made just before the failure.
    return [dict(describe_value(value), name=name) for name, value in values[-_LOCALS:]]


def describe_value(value: Any) -> Dict[str, Any]:
    """Type of a value, its shape, dtype or length, a dict's first keys, and a number, a bool or None itself."""
    told: Dict[str, Any] = _told(lambda: _describe(value), {"type": str(type(value).__name__)})
    return told


def _describe(value: Any) -> Dict[str, Any]:
    kind = type(value)
    module = str(kind.__module__)
    told: Dict[str, Any] = {"type": kind.__name__ if module == "builtins" else f"{module}.{kind.__name__}"}
    if value is None or issubclass(kind, (bool, int, float)):
        # A NumPy number is one too, and its own repr names its type.
        told["value"] = _told(
            lambda: str(repr(float(value) if isinstance(value, float) else value)[:40]), "<too long, or no repr>"
        )
    # Only known containers are asked: a foreign property may compute, block or fail.
    elif issubclass(kind, (str, bytes, list, tuple, dict, set, frozenset)):
        length = _told(lambda: len(value), None)
        if length is not None:
            told["length"] = length
        if issubclass(kind, dict):
            keys = _told(lambda: _first_keys(value), [])
            if keys:
                told["keys"] = keys
    elif module.partition(".")[0] in ("numpy", "pandas", "torch", "jax", "jaxlib", "tensorflow", "scipy", "chainer"):
        if hasattr(value, "shape"):
            shape = _told(lambda: [int(n) for n in value.shape], None)
            if shape is not None:
                told["shape"] = shape
        if hasattr(value, "dtype"):
            dtype = _told(lambda: str(value.dtype), None)
            if dtype is not None:
                told["dtype"] = dtype
    return told


def _first_keys(value: Dict[Any, Any]) -> List[str]:
    """The first keys of a dict, as Python writes them; those that may be more than names are ``...``."""
    first = [key for key, _ in zip(dict.keys(value), range(_KEYS))]
    told = [repr(key) if type(key) is int or (type(key) is str and _KEY.match(key)) else "..." for key in first]
    return [text[:_LONGEST_KEY] for text in told]


def _told(ask: Callable[[], Any], instead: Any) -> Any:
    """Ask something of the user's objects; what raises costs only its own answer, never the failure's."""
    try:
        return ask()
    except Exception:  # noqa: BLE001 - a class may raise anything when it is asked
        return instead


def _is_definition(value: Any) -> bool:
    kind = type(value)
    return issubclass(kind, (type, type(sys))) or kind.__name__ in ("function", "builtin_function_or_method")


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
