import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.errors import UserErrorException
from amlnb.server.hub_poller import Poller, pause_s
from amlnb.server.hub_topic import Topic
from amlnb.server.hub_watch import Changes
from amlnb.server.run_table import Listed
from amlnb.store.index import RunSummary

PATIENCE_S = 60


class Counter(Topic):
    """A topic that does what its test says."""

    def __init__(self, name="counter"):
        super().__init__()
        self.name = name
        self.looks = 0
        self.opens = 0
        self.error = None
        self.changes = True

    def open(self):
        self.opens += 1
        if self.error is not None:
            raise self.error

    def read(self, now):
        self.looks += 1
        self.due = now
        if self.error is not None:
            raise self.error
        self.version += self.changes
        return self.changes

    def touch(self):
        self.due = 0.0


@pytest.fixture
def poller():
    made = Poller("test", Counter, kept_s=0.0)
    yield made
    made.close()


def come_true(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_topic_is_opened_once_and_forgotten_with_its_last_listener(poller):
    told = threading.Event()
    first = poller.follow(("a",), told.set)
    second = poller.follow(("a",), told.set)
    assert first is second
    assert (first.opens, first.name, bool(poller)) == (1, "a", True)
    assert told.wait(PATIENCE_S)
    poller.leave(first, told.set)
    assert poller.get(("a",)) is first
    poller.leave(first, told.set)
    assert poller.get(("a",)) is None
    come_true(lambda: not poller.working)
    looks = first.looks
    assert poller.follow(("a",), told.set) is not first
    assert first.looks == looks


def test_what_was_left_is_kept_for_who_comes_back():
    poller = Poller("test", Counter, kept_s=3600.0)
    topics = [poller.follow((str(number),), print) for number in range(6)]
    for topic in topics:
        poller.leave(topic, print)
    assert not poller
    assert poller.get(("5",)) is None, "it is not up to date"
    looks = topics[5].looks
    assert poller.follow(("5",), print) is topics[5]
    assert topics[5].looks > looks
    assert topics[5].opens == 1
    assert poller.follow(("0",), print) is not topics[0], "of many the first ones are not kept"
    topics[4].error = UserErrorException("it was deleted")
    with pytest.raises(UserErrorException, match="deleted"):
        poller.follow(("4",), print)
    assert poller.follow(("4",), print) is not topics[4]
    poller.close()
    come_true(lambda: not poller.working)


def test_who_listens_is_told_of_changes_alone(poller):
    told = []
    topic = poller.follow(("a",), lambda: told.append(1))
    come_true(lambda: told)
    topic.changes = False
    come_true(lambda: topic.looks > topic.version + 2)
    count = len(told)
    looks = topic.looks
    come_true(lambda: topic.looks > looks + 3)
    assert len(told) == count


def test_what_cannot_be_opened_is_not_followed(poller):
    made = Counter()
    made.error = UserErrorException("there is none")
    poller._make = lambda _: made
    with pytest.raises(UserErrorException, match="there is none"):
        poller.follow(("a",), print)
    assert (made.listeners, bool(poller), poller.working) == ([], False, False)


def test_what_is_gone_is_told_and_forgotten(poller):
    told = threading.Event()
    topic = poller.follow(("a",), told.set)
    topic.error = UserErrorException("it was deleted")
    come_true(lambda: topic.gone is topic.error)
    come_true(lambda: poller.get(("a",)) is None)
    assert poller.follow(("a",), told.set) is not topic


def test_a_fault_is_passed_over_for_a_while_and_then_told(caplog):
    topic = Counter()
    topic.error = OSError(5, "Input/output error", "/runs/x")
    assert [topic.poll(now) for now in (100.0, 105.0, 109.0)] == [False, False, False]
    assert topic.gone is None
    topic.error = None
    assert topic.poll(111.0)
    topic.error = OSError(5, "Input/output error", "/runs/x")
    assert not topic.poll(113.0)
    assert topic.poll(124.0)
    assert "Input/output error" in topic.gone.message
    assert "a page's subscription ends" in caplog.text


@pytest.mark.parametrize(("spent_s", "pause"), [(0.0, 0.01), (0.0005, 0.01), (0.012, 0.1), (0.18, 1.5), (60.0, 2.0)])
def test_the_more_is_spent_the_rarer_are_the_looks(spent_s, pause):
    assert pause_s(spent_s) == pytest.approx(pause)


def listed(run, state):
    times = {"created": 0.0, "started": None, "ended": None}
    summary = RunSummary(
        directory="",
        id=run,
        experiment="e",
        number=1,
        display_name=None,
        type=None,
        state=state,
        target="local",
        parent=None,
        archived=False,
        script=None,
        arguments=[],
        error=None,
        tags={},
        properties={},
        metrics={},
        **times,
    )
    return Listed(summary, None, None, ())


LOOK = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["Running", "Completed", "Failed"]))


@given(st.lists(st.tuples(LOOK, st.booleans()), max_size=20))
def test_a_page_that_asks_now_and_then_knows_all_runs(looks):
    now, known, version = Changes(0, {}, {}, {}, 0), {}, 0
    for number, (runs, asks) in enumerate(looks, start=1):
        before = now
        now = now.after({run: listed(run, state) for run, state in runs.items()})
        assert (now is before) == ({run: each.summary.state for run, each in before.listed.items()} == runs)
        assert now.running == list(runs.values()).count("Running")
        if asks or number == len(looks):
            changed, removed = now.since(version)
            version = now.version
            assert not set(changed) & set(removed)
            for row in now.rows(changed):
                known[row["id"]] = row["state"]
            for run in removed:
                known.pop(run, None)
            assert known == runs
    assert now.since(version) == ([], [])
