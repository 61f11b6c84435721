"""How far a run is, as its script tells it."""

import math
import os

import numpy as np
import pytest

import amlnb
from amlnb.errors import UserErrorException
from amlnb.tracking.progress import Progress


class Told:
    """What is written of a loop whose clock is set by hand."""

    def __init__(self):
        self.now = 0.0
        self.events = []
        self.progress = Progress(self.events.append, lambda: self.now)

    def at(self, now, done, total, text=None):
        self.now = now
        self.progress.tell(done, total, text)

    @property
    def done(self):
        return [event["done"] for event in self.events]


@pytest.fixture
def told():
    return Told()


def test_what_is_told_is_in_the_run_s_journal(run, kept):
    run.progress(3, 10, "epoch 3")
    (progress,) = [writer.progress for writer in kept.reader.writers if writer.progress]
    assert {name: progress[name] for name in ("done", "total", "text")} == {"done": 3, "total": 10, "text": "epoch 3"}


def test_of_few_steps_each_is_written_however_quickly_it_follows(told):
    told.at(0.0, 0, 2, "load")
    told.at(0.01, 1, 2, "train")  # for hours
    assert [event["text"] for event in told.events] == ["load", "train"]


def test_of_many_at_most_five_a_second_are_written_and_the_last(told):
    for i in range(1001):
        told.at(1 + i / 1000, i, 1000)
    assert told.done[:100] == list(range(100))
    assert len(told.done) == 100 + 5
    assert told.done[-1] == 1000
    told.events.clear()
    for i in range(11):
        told.at(10 + i / 1000, i, 10)
    assert told.done == [0, 10]


def test_slow_steps_are_all_written(told):
    for i in range(100):
        told.at(i * 600.0, i, 100)
    assert told.done == list(range(100))


def test_a_million_calls_make_a_small_journal(told):
    for i in range(1_000_001):
        told.at(i * 0.6, i, 1_000_000)  # a week
    assert len(told.events) < 12_000
    assert told.done[-1] == 1_000_000


def test_a_million_ends_make_a_small_journal(run):
    for _ in range(100_000):
        run.progress(1, 1)
    folder = os.path.join(run.directory, "journals")
    assert sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)) < 20_000


def test_the_pace_is_that_of_the_loop_that_goes_on(told):
    told.at(0.0, 1, 10)
    told.at(10.0, 6, 10)
    told.at(20.0, 1, 10)  # the next round
    told.at(22.0, 2, 10)
    told.at(23.0, 1, 5)  # another loop
    paces = [(event.get("begun"), event.get("took")) for event in told.events]
    assert paces == [(None, None), (1, 10.0), (None, None), (1, 2.0), (None, None)]


@pytest.mark.parametrize(("i", "n"), [(0, 0), (0.5, 1.0), (np.int64(3), np.float32(10)), (12, 10)])
def test_numbers_of_any_kind_are_taken(told, i, n):
    told.at(0.0, i, n)
    assert told.done == [i]
    assert type(told.events[0]["done"]) in (int, float)


@pytest.mark.parametrize(
    ("i", "n", "text"),
    [
        ("3", 10, None),
        (3, None, None),
        (-1, 10, None),
        (1, math.nan, None),
        (1, math.inf, None),
        (True, 2, None),
        ([1], 2, None),
        (1, 2, 3),
        (1, 2, b"x"),
        (10**400, 1, None),
    ],
)
def test_what_is_no_progress_is_refused_inside_and_outside_of_a_run(run, i, n, text):
    for progress in (run.progress, amlnb.progress):
        with pytest.raises(UserErrorException, match="progress"):
            progress(i, n, text)


def test_outside_of_a_run_nothing_is_printed(capsys):
    amlnb.progress(3, 10)
    assert capsys.readouterr().out == ""


def test_a_fault_of_the_file_system_does_not_stop_the_training(run, kept, capfd):
    os.rename(run.directory, run.directory + ".away")
    run.progress(1, 2)
    os.rename(run.directory + ".away", run.directory)
    run.flush()
    assert [writer.progress["done"] for writer in kept.reader.writers if writer.progress] == [1]
    assert "amlnb:" in capfd.readouterr().err
