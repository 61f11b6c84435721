"""Which runs wait for a slot of this host, and how many stand before them."""

import os

import pytest

from amlnb.core import layout
from amlnb.engine import queue
from amlnb.engine.slots import WaitingLine, count

TOLD = "waits for a free slot"


class Queue:
    """A queue of runs, and the line of those that wait, by a clock that is set by hand."""

    def __init__(self, cache, folder):
        self.cache, self.folder, self.now, self.tickets = cache, folder, 0.0, {}
        self.line = WaitingLine(lambda: self.now)

    def add(self, *run_ids, kind="local"):
        for run_id in run_ids:
            directory = self.folder / run_id
            directory.mkdir()
            given = {"run_id": run_id, "directory": str(directory), "data": str(self.folder)}
            ticket = queue.Ticket(**given, target="t", definition={"kind": kind}, snapshot=None, workspace={})
            self.tickets[run_id] = queue.add(ticket)

    def begin(self, run_id):
        attempts = self.folder / run_id / layout.ATTEMPTS
        attempts.mkdir()
        (attempts / "1.json").write_text("{}")

    def reasons(self, *run_ids):
        self.now += 2.0
        return [self.line.reason(run_id) for run_id in run_ids]


@pytest.fixture
def waiting(own_cache, tmp_path):
    with open(os.path.join(own_cache, "slots"), "w", encoding="ascii") as file:
        file.write("1")
    return Queue(own_cache, tmp_path)


def test_who_waits_is_told_how_many_stand_before(waiting):
    waiting.add("a", "b", "c", "d")
    waiting.begin("a")
    told = [TOLD, f"{TOLD}; 1 run stands before it", f"{TOLD}; 2 runs stand before it"]
    assert waiting.reasons("a", "b", "c", "d") == [None, *told]
    queue.remove(waiting.tickets["a"])
    waiting.begin("b")
    assert waiting.reasons("b", "c", "d") == [None, *told[:2]]


def test_who_starts_at_once_waits_for_nothing(waiting):
    waiting.add("a", "b")
    assert waiting.reasons("a", "b", "unknown") == [None, TOLD, None]


def test_runs_of_other_machines_neither_wait_for_a_slot_nor_take_one(waiting):
    waiting.add("far", kind="ssh")
    waiting.begin("far")
    waiting.add("farther", kind="ssh")
    waiting.add("a")
    assert waiting.reasons("far", "farther", "a") == [None, None, None]


def test_a_damaged_ticket_hides_no_other(waiting):
    waiting.add("a", "b", "c")
    with open(os.path.join(waiting.cache, "queue", waiting.tickets["a"]), "w", encoding="ascii") as file:
        file.write("{")
    assert waiting.reasons("a", "b", "c") == [None, None, TOLD]


def test_the_queue_is_looked_at_once_a_second_however_often_one_asks(waiting):
    waiting.add("a", "b")
    assert waiting.reasons("b") == [TOLD]
    waiting.begin("a")
    assert waiting.line.reason("a") is None
    queue.remove(waiting.tickets["a"])
    assert waiting.line.reason("b") == TOLD
    assert waiting.reasons("b") == [None]


def test_there_is_a_slot_a_core_unless_a_file_says_otherwise(own_cache):
    assert count(own_cache) >= 1
    for text, expected in (("3", 3), ("0", 1)):
        with open(os.path.join(own_cache, "slots"), "w", encoding="ascii") as file:
            file.write(text)
        assert count(own_cache) == expected
