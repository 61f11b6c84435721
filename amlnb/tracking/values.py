"""From what a user logs to what is stored: v1's rules for scalars, lists, rows and tables.

Wrong shapes raise :class:`~amlnb.errors.UserErrorException`, as v1 did; what is no scalar is kept as its ``repr``.
"""

from __future__ import annotations

from amlnb.core import records
from amlnb.errors import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional, Union

    Scalar = Union[None, bool, int, float, str]

_PLAIN = frozenset([float, int, bool, str, type(None)])
_LONGEST_SHOWN = 80
# Python refuses to turn ints of more than 4300 digits into decimal text; they are kept in hexadecimal, as a str.
_LONGEST_INT_BITS = 14000
_LONGEST_STEP_BITS = 1023


def to_scalar(value: Any) -> Scalar:
    """Turn a scalar of Python, NumPy, torch or the like into a plain one; anything else into its ``repr``."""
    if type(value) in _PLAIN:
        if type(value) is int and value.bit_length() > _LONGEST_INT_BITS:
            return hex(value)
        plain: Scalar = value
        return plain
    unboxed = _unbox(value)
    if unboxed is not value:
        return to_scalar(unboxed) if type(unboxed) in _PLAIN else _subclass(unboxed)
    return _subclass(value)


def log_value(name: str, value: Any) -> Scalar:
    """Check and convert the value of ``Run.log``. Lists, ranges and generators are refused, as in v1."""
    if isinstance(value, (list, range, set, frozenset)) or hasattr(value, "__next__"):
        raise UserErrorException(
            f"the metric {name!r} was given a {type(value).__name__}, and log takes one scalar",
            hint=f"use run.log_list({name!r}, values) for several values",
        )
    return to_scalar(value)


def list_values(name: str, values: Any) -> List[Scalar]:
    """Check and convert the values of ``Run.log_list``: any iterable of scalars."""
    if isinstance(values, (str, bytes, dict)) or not hasattr(values, "__iter__"):
        raise UserErrorException(
            f"log_list of {name!r} takes a list of scalars, and was given {_shown(values)}",
            hint=f"use run.log({name!r}, value) for one value",
        )
    if hasattr(values, "tolist") and hasattr(values, "ndim"):
        if values.ndim != 1:
            raise UserErrorException(
                f"log_list of {name!r} takes one dimension, and was given an array of shape {tuple(values.shape)}",
                hint="log its rows one by one, or array.ravel()",
            )
        values = values.tolist()
    return [_element("log_list", name, value) for value in values]


def row_values(name: str, row: Mapping[str, Any]) -> Dict[str, Scalar]:
    """Check and convert the columns of ``Run.log_row``."""
    if not row:
        raise UserErrorException(f"log_row of {name!r} was given no column", hint=f"run.log_row({name!r}, x=1, y=2)")
    return {str(column): _element("log_row", name, value) for column, value in row.items()}


def table_values(name: str, table: Any) -> Dict[str, List[Scalar]]:
    """Check and convert the columns of ``Run.log_table``: a dict of lists of one length."""
    if not isinstance(table, dict):
        raise UserErrorException(
            f"log_table of {name!r} takes a dict of lists, and was given {_shown(table)}",
            hint=f"run.log_table({name!r}, {{'x': [1, 2], 'y': [3, 4]}})",
        )
    columns: Dict[str, List[Scalar]] = {}
    for column, values in table.items():
        if not isinstance(values, (list, tuple)):
            raise UserErrorException(
                f"column {column!r} of the table {name!r} is a {type(values).__name__}, not a list",
                hint="give plain lists; an array has .tolist()",
            )
        columns[str(column)] = [_element("log_table", name, value) for value in values]
    lengths = {column: len(values) for column, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise UserErrorException(
            f"the columns of the table {name!r} differ in length: {lengths}",
            hint="pad the shorter ones with None",
        )
    return columns


def metric_name(name: Any) -> str:
    """Check a metric's name: any non-empty text."""
    if not isinstance(name, str) or not name:
        raise UserErrorException(f"a metric's name is a non-empty str, not {_shown(name)}", hint="run.log('loss', 0.3)")
    return name


def metric_step(name: str, step: Any) -> Optional[Union[int, float]]:
    """Check and convert a step: an int, a float, or None. A whole float is an int."""
    if step is None:
        return None
    unboxed = to_scalar(step)
    if isinstance(unboxed, int) and unboxed.bit_length() <= _LONGEST_STEP_BITS:
        return int(unboxed)
    if isinstance(unboxed, float) and unboxed.is_integer() and abs(unboxed) < records.INT64_MAX:
        return int(unboxed)
    if not isinstance(unboxed, float):
        raise UserErrorException(
            f"the step of {name!r} is a number, not {_shown(step)}", hint="pass step=epoch or leave it out"
        )
    return unboxed


def _element(call: str, name: str, value: Any) -> Scalar:
    if isinstance(value, (list, tuple, dict, set)) or (_dimensions(value) and _size(value) != 1):
        raise UserErrorException(
            f"{call} of {name!r} takes scalars, and one of its values is {_shown(value)}",
            hint="log nested values with log_table, or as several lists",
        )
    return to_scalar(value)


def _unbox(value: Any) -> Any:
    """Return the Python scalar inside a NumPy scalar, a 0-d array, or a tensor of one element."""
    item = getattr(value, "item", None)
    if item is None or not hasattr(value, "dtype"):
        return value
    if _dimensions(value) and (_size(value) != 1 or not hasattr(value, "numel")):
        return value
    try:
        return item()
    except (TypeError, ValueError, RuntimeError):
        return value


def _dimensions(value: Any) -> int:
    dimensions = getattr(value, "ndim", None)
    return dimensions if isinstance(dimensions, int) else 0


def _size(value: Any) -> int:
    numel = getattr(value, "numel", None)
    size = numel() if callable(numel) else getattr(value, "size", 0)
    return size if isinstance(size, int) else 0


def _subclass(value: Any) -> Scalar:
    for plain in (bool, int, float, str):
        if isinstance(value, plain):
            return to_scalar(plain(value))
    if getattr(getattr(value, "dtype", None), "kind", "") == "f" and not _dimensions(value):
        return float(value)  # NumPy's longdouble, which no Python scalar is inside of
    return repr(value)


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # an int with more digits than Python likes to print
        text = "a value too long to show"
    if len(text) > _LONGEST_SHOWN:
        text = text[:_LONGEST_SHOWN] + "..."
    return f"{text} ({type(value).__name__})"
