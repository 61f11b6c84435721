"""Metrics of a run as arrays, as v1's shapes, and as pandas objects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amlnb.core import metrics, records
from amlnb.store.journals import Columns, WriterReader
from amlnb.store.pandas_extra import need_pandas

if TYPE_CHECKING:
    import pandas as pd

_EMPTY = np.empty(0)
_INTEGERS_END = 2.0**63


@dataclass(frozen=True)
class Series:
    """The numeric points of one metric, in the order they were logged.

    Attributes
    ----------
    step
        float64, shape (n,): the step, or the position where none was given.
    time
        float64, shape (n,): Unix time in seconds.
    value
        float64, shape (n,): bools as 0 and 1, None as NaN; lists are flattened; strings are left out.
    """

    step: NDArray[np.float64]
    time: NDArray[np.float64]
    value: NDArray[np.float64]


def select(writers: Iterable[WriterReader], name: str) -> list[tuple[WriterReader, Columns]]:
    """Records of one metric, a pair a writer, of the lowest rank that logged it."""
    found: dict[str, list[tuple[WriterReader, Columns]]] = {}
    for writer in writers:
        for metric_id in writer.ids.get(name, ()):
            rows = writer.rows(metric_id)
            if len(rows.head):
                found.setdefault(writer.role, []).append((writer, rows))
    if not found:
        return []
    return found[min(found, key=metrics.role_key)]


def series(writers: Iterable[WriterReader], name: str) -> Series:
    """Numeric points of one metric; of several writers of one rank, merged by time."""
    return joined([decode(writer, rows) for writer, rows in select(writers, name)])


def joined(parts: Sequence[tuple[NDArray[np.float64], ...]]) -> Series:
    """Points of one metric from what its writers, all of one rank, logged (:func:`decode`): by time if several did."""
    if not parts:
        return Series(_EMPTY, _EMPTY, _EMPTY)
    if len(parts) > 1:
        step, time, value = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        order = np.argsort(time, kind="stable")
        step, time, value = step[order], time[order], value[order]
    else:
        step, time, value = parts[0]
    missing = np.isnan(step)
    if missing.any():
        step = np.where(missing, np.arange(len(step), dtype=np.float64), step)
    return Series(step, time, value)


def decode(writer: WriterReader, rows: Columns) -> tuple[NDArray[np.float64], ...]:
    """Steps (NaN where none was given), times and values of the numeric points among one writer's rows."""
    step = rows.step.astype(np.float64)
    missing = rows.step == records.NO_STEP
    if bool(missing.any()):
        step[missing] = np.nan
    if rows.one_head is not None and rows.one_head >> 32 & 0xFFFF == records.FLOAT64:
        return step, rows.time, rows.bits.view(np.float64)
    kinds = rows.kind
    plain = _plain_values(rows, kinds)
    if not bool((kinds == records.LINE).any()):
        return step, rows.time, plain
    return _decode_lines(writer, rows, step, plain)


def _plain_values(rows: Columns, kinds: NDArray[Any]) -> NDArray[np.float64]:
    value = rows.bits.view(np.float64).copy()
    whole = (kinds == records.INT64) | (kinds == records.BOOL)
    value[whole] = rows.bits.view(np.int64)[whole]
    value[kinds == records.NONE] = np.nan
    return value


def _decode_lines(
    writer: WriterReader, rows: Columns, step: NDArray[np.float64], plain: NDArray[np.float64]
) -> tuple[NDArray[np.float64], ...]:
    """Points of rows some of which stand in lines: lists flatten, what is no number is left out."""
    steps: list[float] = []
    times: list[float] = []
    values: list[float] = []
    columns = (rows.kind.tolist(), rows.bits.tolist(), step.tolist(), rows.time.tolist(), plain.tolist())
    for kind, bits, record_step, time, number in zip(*columns, strict=True):
        logged: Sequence[Any] = [number]
        at = record_step
        if kind == records.LINE:
            line = writer.lines.get(bits, {})
            logged = line["v"] if isinstance(line.get("v"), list) else [line.get("v")]
            at = _as_float(line["step"]) if isinstance(line.get("step"), (int, float)) else at
        numbers = [_as_float(item) for item in logged if isinstance(item, (int, float)) or item is None]
        steps += [at if len(logged) == 1 else np.nan] * len(numbers)
        times += [time] * len(numbers)
        values += numbers
    return np.array(steps, float), np.array(times, float), np.array(values, float)


def _as_float(value: float | None) -> float:
    try:
        return float("nan") if value is None else float(value)
    except OverflowError:
        return float("inf") if value is not None and value > 0 else float("-inf")


def logged_values(writers: Iterable[WriterReader], name: str) -> list[tuple[str, Any]]:
    """Everything logged under a name as ``(kind, value)``, in order: what :func:`amlnb.core.metrics.shape` takes."""
    parts = select(writers, name)
    timed: list[tuple[float, tuple[str, Any]]] = []
    for writer, rows in parts:
        timed += zip(rows.time.tolist(), _values(writer, rows), strict=True)
    if len(parts) > 1:
        timed.sort(key=lambda item: item[0])
    return [item for _, item in timed if item[0]]


def _values(writer: WriterReader, rows: Columns) -> list[tuple[str, Any]]:
    floats, integers = rows.bits.view(np.float64).tolist(), rows.bits.view(np.int64).tolist()
    found: list[tuple[str, Any]] = []
    for kind, number, integer in zip(rows.kind.tolist(), floats, integers, strict=True):
        if kind == records.FLOAT64:
            found.append((metrics.SCALAR, number))
        elif kind == records.LINE:
            found.append(metrics.line_value(writer.lines.get(integer)))
        else:
            value = {records.INT64: integer, records.BOOL: bool(integer)}.get(kind)
            found.append((metrics.SCALAR, value))
    return found


def names(writers: Iterable[WriterReader]) -> list[str]:
    """Names of all metrics, rank 0's first, each in its writer's order."""
    ordered = sorted(writers, key=lambda writer: metrics.role_key(writer.role))
    return list(dict.fromkeys(name for writer in ordered for _, name in sorted(writer.names.items())))


def to_pandas(points: Series, name: str, index: str = "step") -> pd.Series[Any]:
    """Make a pandas Series: index ``step`` (int64 where all are whole) or ``time`` (UTC), values float64.

    Raises
    ------
    UserErrorException
        pandas is not installed.
    """
    need_pandas("a metric as a Series")
    import pandas as pd

    if index == "time":
        axis: pd.Index[Any] = pd.DatetimeIndex(pd.to_datetime(points.time, unit="s", utc=True))
    else:
        # 64 bits hold no infinity, and nothing from 2**63 on: such an index stays float64.
        fits = bool((np.abs(points.step) < _INTEGERS_END).all())
        whole = points.step.astype(np.int64) if fits else points.step
        axis = pd.Index(whole if bool((whole == points.step).all()) else points.step)
    axis.name = index
    return pd.Series(points.value, index=axis, name=name)
