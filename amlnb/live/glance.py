"""A glance at a run: a few points of one curve and the size of its outputs, in a millisecond however much there is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from amlnb.core import coercion, events, layout, records
from amlnb.store.journals import list_writers
from amlnb.store.plain_files import read_from, read_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RECORD = np.dtype(
    [("id", "<u4"), ("kind", "<u2"), ("magic", "<u2"), ("step", "<i8"), ("time", "<f8"), ("bits", "<u8")]
)
# A curve of more records than these blocks hold is sampled: a block of neighbours here and there holds every metric
# that is logged in turn.
_BLOCKS = 32
_BLOCK_RECORDS = 256
_NAMES_BYTES = 1 << 16
_OUTPUTS = f"{layout.WORK}/outputs/"
_UPLOADED = f"{layout.ARTIFACTS}/"


def glance_at_curve(directory: str, name: str, points: int) -> tuple[float, ...]:
    """Read a few points of a metric, in the order logged, the last one among them.

    Parameters
    ----------
    directory
        The run directory.
    name
        The metric.
    points
        How many at most; at least 2.

    Returns
    -------
    tuple of float
        Numbers only; empty if fewer than two were logged, or nothing can be read. Of several ranks, those of the first
        that logged it.
    """
    try:
        writers = list_writers(os.path.join(directory, layout.JOURNALS))
    except OSError:
        return ()
    roles = sorted({_role(base) for base in writers}, key=lambda role: (not role.isdecimal(), len(role), role))
    for role in roles:
        found = np.concatenate([_logged(base, name) for base in writers if _role(base) == role])
        if len(found) > 1:
            found = found[np.argsort(found["time"], kind="stable")]
            kept = np.unique(np.linspace(0, len(found) - 1, points).round().astype(int))
            return tuple(_numbers(found[kept]).tolist())
    return ()


def output_bytes(directory: str) -> int | None:
    """Size of what a run that has ended left under ``outputs/`` or uploaded, as its seal tells; None if it is going."""
    try:
        final = read_json(os.path.join(directory, layout.FINAL_JSON))
    except OSError:
        return None
    sizes = (final or {}).get("sizes")
    if not isinstance(sizes, dict):
        return None
    told = (size for path, size in sizes.items() if path.startswith((_OUTPUTS, _UPLOADED)))
    return sum(size for size in told if isinstance(size, int))


def _role(base: str) -> str:
    return os.path.basename(base).partition("-")[0]


def _logged(base: str, name: str) -> NDArray[np.void]:
    """Records of a metric by one writer; none of one that cannot be read, of which whoever reads the run is told."""
    try:
        metric_id = _metric_id(base, name)
        return np.empty(0, _RECORD) if metric_id is None else _records(base + ".metrics", metric_id)
    except OSError:
        return np.empty(0, _RECORD)


def _metric_id(base: str, name: str) -> int | None:
    """Id of a metric by the writer's first lines; a name stands before all that is logged under it."""
    for line in read_from(base + ".events", 0, _NAMES_BYTES).split(b"\n"):
        event = events.decode(line)
        if event is not None and event["t"] == events.NAME and event.get("name") == name:
            return coercion.integer(event.get("id"))
    return None


def _records(path: str, metric_id: int) -> NDArray[np.void]:
    """Numbers logged under an id, from the whole of a short file and from blocks of a long one."""
    count = os.stat(path).st_size // records.SIZE
    length, starts = count, [0]
    if count > _BLOCKS * _BLOCK_RECORDS:
        length = _BLOCK_RECORDS
        starts = [round(i * (count - length) / (_BLOCKS - 1)) for i in range(_BLOCKS)]
    raw = b"".join(read_from(path, start * records.SIZE, length * records.SIZE) for start in starts)
    found = np.frombuffer(raw[: len(raw) // records.SIZE * records.SIZE], _RECORD)
    numbers = (found["magic"] == records.MAGIC) & (found["id"] == metric_id) & (found["kind"] <= records.BOOL)
    kept: NDArray[np.void] = found[numbers]
    return kept


def _numbers(found: NDArray[np.void]) -> NDArray[np.float64]:
    bits = np.ascontiguousarray(found["bits"])
    return np.where(found["kind"] == records.FLOAT64, bits.view("<f8"), bits.view("<i8"))
