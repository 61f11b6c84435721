"""One reader of a run, used by several threads: what is new is read once."""

import sys
import threading

import numpy as np
import pytest

from amlnb.core import layout
from amlnb.store.run_reader import RunReader
from amlnb.tracking import create
from amlnb.tracking.journal import JournalWriter

POINTS = 20_000
THREADS = 4


@pytest.fixture
def directory(tmp_path):
    record = {"id": "r", "experiment": "e", "type": "azureml.scriptrun", "created": 1.0, "format": layout.FORMAT}
    return create.create_run(str(tmp_path), record)


@pytest.fixture
def short_turns():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("short_turns")
def test_threads_that_share_a_reader_find_each_point_once(directory):
    writer = JournalWriter(directory, "0")
    for step in range(POINTS):
        writer.log_float("loss", float(step), step)
    writer.close()
    for _ in range(10):
        reader, troubles = RunReader(directory), []
        together = threading.Barrier(THREADS)

        def look(reader=reader, together=together, troubles=troubles):
            together.wait()
            try:
                reader.refresh()
                assert len(reader.series("loss").value) == POINTS
                assert len(reader.metrics()["loss"]) == POINTS
                reader.facts()
            except BaseException as trouble:
                troubles.append(trouble)

        threads = [threading.Thread(target=look) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert troubles == []
        np.testing.assert_array_equal(reader.series("loss").value, np.arange(POINTS, dtype=float))
        assert reader.skipped == 0
