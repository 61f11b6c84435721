"""Readers of runs, kept between requests: what a run of ten million points has is read once."""

from __future__ import annotations

import threading
from collections import OrderedDict

from amlnb.store.run_reader import RunReader
from amlnb.store.series import Series

_READERS = 6
_SERIES = 24
_BYTES = 1 << 30


class Readers:
    """The readers that were used last, and the curves that were read from them, for any number of threads.

    Parameters
    ----------
    most_bytes
        Of readers, and of curves, no more are kept; the last one used is.
    """

    def __init__(self, most_bytes: int = _BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._readers: OrderedDict[str, RunReader] = OrderedDict()
        self._series: OrderedDict[tuple[str, str], tuple[int, Series]] = OrderedDict()

    def of(self, directory: str) -> RunReader:
        """A reader of a run that is up to date.

        Raises
        ------
        UserErrorException, FormatError
            As `RunReader`.
        """
        with self._lock:
            reader = self._readers.get(directory)
        if reader is None:
            reader = RunReader(directory)
        reader.refresh()
        with self._lock:
            self._readers[directory] = reader
            self._readers.move_to_end(directory)
            while len(self._readers) > 1 and (len(self._readers) > _READERS or self._bytes() > self._most_bytes):
                gone, _ = self._readers.popitem(last=False)
                for key in [key for key in self._series if key[0] == gone]:
                    del self._series[key]
        return reader

    def _bytes(self) -> int:
        return sum(writer.bytes_read for reader in self._readers.values() for writer in reader.writers)

    def _series_bytes(self) -> int:
        return sum(kept.step.nbytes + kept.time.nbytes + kept.value.nbytes for _, kept in self._series.values())

    def series(self, directory: str, name: str) -> Series:
        """Numeric points of a metric as they are now; empty if there are none."""
        reader = self.of(directory)
        read = sum(writer.bytes_read for writer in reader.writers)
        with self._lock:
            kept = self._series.get((directory, name))
            if kept is not None and kept[0] == read:
                self._series.move_to_end((directory, name))
                return kept[1]
        found = reader.series(name)
        with self._lock:
            self._series[directory, name] = (read, found)
            while len(self._series) > 1 and (len(self._series) > _SERIES or self._series_bytes() > self._most_bytes):
                self._series.popitem(last=False)
        return found
