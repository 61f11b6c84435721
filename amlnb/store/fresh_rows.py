"""What a run's writers have logged since the last look, by metric."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from amlnb.core import records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amlnb.store.journals import Columns, WriterReader


class Fresh(NamedTuple):
    """New rows of a metric: who wrote them, and under which id."""

    writer: WriterReader
    metric_id: int
    rows: Columns

    @property
    def part(self) -> tuple[str, int]:
        """Names the writer and its id."""
        return self.writer.base, self.metric_id


class News(NamedTuple):
    """What is new of one metric.

    Attributes
    ----------
    fresh
        Rows that were not seen before.
    completed
        Of whom rows that were seen can be read now: their name, or their lines, came later, as they may in a mirror.
    """

    fresh: list[Fresh]
    completed: list[tuple[str, int]]


class FreshRows:
    """A cursor over all that the writers of a run have read."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}  # records of each writer
        self._owed: dict[tuple[str, int], int] = {}  # rows that lack something: bytes of lines read at that time

    def take(self, writers: Sequence[WriterReader]) -> dict[str, News]:
        """What came since the last call, by metric."""
        news: dict[str, News] = {}
        for writer in writers:
            for told, metric_id in self._completed(writer):
                news.setdefault(told, News([], [])).completed.append((writer.base, metric_id))
            for metric_id, rows in self._new_rows(writer):
                name = writer.names.get(metric_id)
                if name is None or _lacks_lines(writer, rows):
                    self._owed[writer.base, metric_id] = writer.lines_read
                if name is not None:
                    news.setdefault(name, News([], [])).fresh.append(Fresh(writer, metric_id, rows))
        return news

    def _new_rows(self, writer: WriterReader) -> list[tuple[int, Columns]]:
        seen = self._seen.get(writer.base, 0)
        if writer.count == seen:
            return []
        self._seen[writer.base] = writer.count
        new = writer.since(seen)
        if new.one_head is not None:
            return [(new.one_head & 0xFFFFFFFF, new)]
        if not seen:
            writer.group()
        ids = new.metric_id
        return [
            (metric_id, new.where(ids == metric_id) if seen else writer.rows(metric_id))
            for metric_id in np.unique(ids).tolist()
        ]

    def _completed(self, writer: WriterReader) -> list[tuple[str, int]]:
        found = []
        for part, lines in list(self._owed.items()):
            base, metric_id = part
            if base != writer.base or writer.lines_read <= lines:
                continue
            name = writer.names.get(metric_id)
            if name is None or _lacks_lines(writer, writer.rows(metric_id)):
                self._owed[part] = writer.lines_read
            else:
                del self._owed[part]
            if name is not None:
                found.append((name, metric_id))
        return found


def _lacks_lines(writer: WriterReader, rows: Columns) -> bool:
    if rows.one_head is not None and rows.one_head >> 32 & 0xFFFF != records.LINE:
        return False
    offsets = rows.bits[rows.kind == records.LINE]
    return bool(len(offsets)) and int(offsets.max()) >= writer.lines_read
