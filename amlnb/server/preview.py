"""What a file holds, at a glance: a picture, the beginning of a table, the beginning of a text."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
from typing import TYPE_CHECKING, Any

import numpy as np

from amlnb.render.formatting import format_size
from amlnb.server.routes import Answer
from amlnb.server.run_file import Opened, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from amlnb.server.content_contract import Preview, TablePreview
    from amlnb.server.served import Served

_ROWS = 200
_COLUMNS = 100
_CELL = 300
_TEXT_BYTES = 1 << 18
_ITEM_BYTES = 4096
_BUFFER_BYTES = 1 << 20
_PICTURE_BYTES = 50_000_000
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"BM": "image/bmp",
}


def preview(served: Served, values: dict[str, Any]) -> Answer:
    """What a file of a run holds."""
    directory = served.run_directory(values["workspace"], values["run"])
    with opened(directory, values["name"]) as file:
        told: Preview = _preview(values["name"], file)
    return Answer(told)


def raster_type(head: bytes) -> str | None:
    """Media type of a raster picture by its first bytes; None for anything else, SVG too."""
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            return kind
    return "image/webp" if head[:4] == b"RIFF" and head[8:12] == b"WEBP" else None


def _preview(name: str, file: Opened) -> Preview:
    head = file.read(0, _TEXT_BYTES)
    if raster_type(head) is not None:
        if file.size > _PICTURE_BYTES:
            return {"kind": "none", "note": f"a picture of {format_size(file.size)}: download it"}
        return {"kind": "image", "bytes": file.size}
    ending = os.path.splitext(name)[1].lower()
    reader = _READERS.get(ending)
    try:
        found = None if reader is None else reader(file, head)
    except Exception as error:  # noqa: BLE001 - whatever a file holds that is not what its ending says
        return _text(file, head) or {"kind": "none", "note": f"no {ending[1:]}: {str(error)[:_CELL]}"}
    unseen: Preview = {"kind": "none", "note": f"{format_size(file.size)} that cannot be shown: download it"}
    return found or _text(file, head) or unseen


def _text(file: Opened, head: bytes) -> Preview | None:
    if b"\0" in head:
        return None
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            return None
        text = head[: error.start].decode("utf-8")
    return {"kind": "text", "text": text, "truncated": file.size > len(head)}


def _separated(separator: str) -> Callable[[Opened, bytes], Preview | None]:
    def read(file: Opened, head: bytes) -> Preview | None:
        is_part = file.size > len(head)
        text = head.decode("utf-8-sig", errors="replace")
        if is_part:
            text = text[: text.rfind("\n") + 1]
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
        if not rows:
            return None
        return _table(rows[0], rows[1:], more=is_part)

    return read


def _json(file: Opened, head: bytes) -> Preview | None:
    """A list of objects, or an object of lists, as a table; anything else as text."""
    if file.size > len(head):
        return None
    value = json.loads(head)
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return _of_objects(value, more=False)
    if isinstance(value, dict) and value and all(isinstance(each, list) for each in value.values()):
        length = max(len(each) for each in value.values())
        rows = ([each[at] if at < len(each) else "" for each in value.values()] for at in range(min(length, _ROWS + 1)))
        return _table(list(value), list(rows), more=length > _ROWS)
    return {"kind": "text", "text": json.dumps(value, indent=2, ensure_ascii=False)[:_TEXT_BYTES], "truncated": False}


def _json_lines(file: Opened, head: bytes) -> Preview | None:
    is_part = file.size > len(head)
    lines = head[: head.rfind(b"\n") + 1].splitlines() if is_part else head.splitlines()
    values = [json.loads(line) for line in lines[: _ROWS + 1] if line.strip()]
    if not values or not all(isinstance(each, dict) for each in values):
        return None
    return _of_objects(values, more=is_part or len(lines) > _ROWS)


def _of_objects(values: Sequence[dict[str, Any]], *, more: bool) -> TablePreview:
    names = list(dict.fromkeys(name for each in values[: _ROWS + 1] for name in each))
    return _table(names, [[each.get(name, "") for name in names] for each in values[: _ROWS + 1]], more=more)


def _array(file: Opened, _: bytes) -> Preview | None:
    """A NumPy array: its first rows, read in place; objects are never unpickled."""
    with open(os.dup(file.descriptor), "rb") as stream:
        stream.seek(0)
        version = np.lib.format.read_magic(stream)
        reader = np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = reader(stream)
        note = f"{dtype}, shape ({', '.join(map(str, shape))})"
        begin = stream.tell()
    if dtype.hasobject or 0 in shape or dtype.itemsize > _ITEM_BYTES or (is_fortran and len(shape) > 1):
        return {"kind": "none", "note": note}
    # Read, not mapped: a run may cut the file off at any moment.
    width = int(np.prod(shape[1:], dtype=np.int64))
    columns = min(width, _COLUMNS + 1)
    rows = [
        np.frombuffer(file.read(begin + at * width * dtype.itemsize, columns * dtype.itemsize), dtype)
        for at in range(min(shape[0] if shape else 1, _ROWS + 1))
    ]
    names = list(dtype.names or map(str, range(columns)))
    cells = [list(row[0].item()) if dtype.names else row.tolist() for row in rows if len(row)]
    found = _table(names, cells, more=bool(shape) and shape[0] > _ROWS)
    found["note"] = note
    return found


def _parquet(file: Opened, _: bytes) -> Preview | None:
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        return {"kind": "none", "note": "pip install pyarrow on the server's side shows Parquet files"}
    with open(os.dup(file.descriptor), "rb") as stream:
        # In small parts: else all that was written at once, which may be gigabytes, is read for a few rows.
        read = parquet.ParquetFile(stream, buffer_size=_BUFFER_BYTES, pre_buffer=False)
        total, names = read.metadata.num_rows, read.schema_arrow.names
        batch = next(read.iter_batches(_ROWS, columns=names[:_COLUMNS]), None)
    rows = [] if batch is None else [list(row.values()) for row in batch.to_pylist()]
    found = _table(names, rows, more=total > _ROWS)
    found["note"] = f"{total:,} rows"
    return found


def _table(columns: Sequence[Any], rows: Iterable[Sequence[Any]], *, more: bool) -> TablePreview:
    rows = list(rows)
    is_cut = more or len(rows) > _ROWS or len(columns) > _COLUMNS
    return {
        "kind": "table",
        "columns": [_cell(each) for each in columns[:_COLUMNS]],
        "rows": [[_cell(each) for each in row[:_COLUMNS]] for row in rows[:_ROWS]],
        "truncated": is_cut,
        "note": None,
    }


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str) if value is not None else ""
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"


_READERS: dict[str, Callable[[Opened, bytes], Preview | None]] = {
    ".csv": _separated(","),
    ".tsv": _separated("\t"),
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".npy": _array,
    ".parquet": _parquet,
}
