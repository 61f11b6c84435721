"""A run that this process writes to, and what a reader then says of it."""

import os
import time

import pytest

from amlnb import host
from amlnb.store.run_reader import RunReader
from amlnb.tracking import create
from amlnb.tracking.tracked_run import TrackedRun


def record(run_id, **more):
    return {
        "id": run_id,
        "experiment": "tracking",
        "type": None,
        "created": time.time(),
        "display_name": None,
        "parent": None,
        "target": "local",
        "home": {"kind": "local"},
        "owner": host.this_process(),
        "definition": None,
        "snapshot": None,
        "git": None,
        "tags": {},
        "properties": {},
        "warnings": [],
        **more,
    }


class Kept:
    """A run seen from both sides: `run` writes; the rest is read anew from its files each time."""

    def __init__(self, run):
        self.run = run

    @property
    def reader(self):
        reader = RunReader(self.run.directory)
        reader.refresh()
        assert reader.skipped == 0
        return reader

    def metrics(self):
        return self.reader.metrics()

    def steps(self, name):
        return self.reader.series(name).step.tolist()

    def file(self, name):
        with open(os.path.join(self.run.directory, "artifacts", name), "rb") as file:
            return file.read()


@pytest.fixture
def make_run(tmp_path, monkeypatch):
    """Make a run that lives in this process; `owned` as for one that was started by start_logging."""

    monkeypatch.chdir(tmp_path)  # `with run:` writes ./logs

    def make(run_id="r", runs=None, **more):
        directory = create.create_run(str(runs or tmp_path / "runs"), record(run_id))
        return Kept(TrackedRun(directory, run_id, "tracking", "0", owned=True, **more))

    return make


@pytest.fixture
def kept(make_run):
    return make_run()


@pytest.fixture
def run(kept):
    return kept.run
