"""A curve that is taken in piece by piece is the curve that is read at once, and a page that gets deltas has it."""

import json
import math
import os
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlnb.core import records
from amlnb.live.curves import Curves
from amlnb.live.deltas import Cursor, delta, resumed
from amlnb.store import series
from amlnb.store.journals import WriterReader
from amlnb.store.summaries import Summaries

NAMES = ("loss", "accuracy", "words")


class Journal:
    """A writer's two files, written as bytes so that any order and any delay can be had."""

    def __init__(self, folder, role, number):
        self.base = os.path.join(folder, f"{role}-host-{number}-1-x")
        self.owed = []  # event lines that a mirror has not brought yet
        self.length = 0
        self.ids = {}
        self._append(".events", b"")

    def _append(self, ending, data):
        with open(self.base + ending, "ab") as file:
            file.write(data)

    def _line(self, event, late):
        line = json.dumps(event).encode() + b"\n"
        at = self.length
        self.length += len(line)
        self.owed.append(line)
        if not late:
            self.bring()
        return at

    def bring(self):
        self._append(".events", b"".join(self.owed))
        self.owed = []

    def log(self, name, value, step, time, late=False):
        if name not in self.ids:
            self.ids[name] = len(self.ids)
            self._line({"t": "name", "id": self.ids[name], "name": name}, late)
        number = self.ids[name]
        if isinstance(value, float):
            kind, bits = records.FLOAT64, struct.pack("<d", value)
        elif value is None:
            kind, bits = records.NONE, bytes(8)
        elif isinstance(value, int):
            kind, bits = records.INT64, struct.pack("<q", value)
        else:
            at = self._line({"t": "value", "id": number, "k": "list", "v": value}, late)
            kind, bits = records.LINE, struct.pack("<q", at)
        step = records.NO_STEP if step is None else step
        self._append(".metrics", struct.pack("<IHHqd", number, kind, records.MAGIC, step, time) + bits)


class Page:
    """What a page makes of the frames it gets."""

    def __init__(self, points):
        self.points = points
        self.cursors = {}
        self.columns = {}
        self.sampled = {}

    def follow(self, curves):
        for curve in curves.told:
            cursor = self.cursors.setdefault(curve.name, Cursor())
            frame = delta(curve, cursor, self.points, 1, 0)
            if frame is None:
                continue
            arrays = np.array([frame.step, frame.time, frame.value])
            if frame.replaces:
                assert frame.first == 0
                self.columns[curve.name] = arrays
                self.sampled[curve.name] = frame.sampled
            else:
                assert not frame.sampled
                before = self.columns.get(curve.name, np.empty((3, 0)))
                self.columns[curve.name] = np.concatenate([before, arrays], axis=1)
            assert frame.total == len(curve.points.value)
            assert self.columns[curve.name].shape[1] == cursor.held <= 2 * self.points

    def reconnect(self, curves):
        """The connection broke: all that is left is how many points of each metric the page knows of."""
        have = {name: cursor.sent for name, cursor in self.cursors.items()}
        self.cursors = {curve.name: resumed(curve, have.get(curve.name, 0), self.points) for curve in curves.told}
        for name, cursor in self.cursors.items():
            cursor.held = min(cursor.held, self.columns[name].shape[1]) if name in self.columns else 0


VALUES = st.one_of(
    st.floats(width=32),
    st.integers(-5, 5),
    st.none(),
    st.lists(st.one_of(st.floats(-9, 9), st.text(max_size=1)), max_size=3),
)
LOG = st.tuples(
    st.just("log"),
    st.integers(0, 3),
    st.sampled_from(NAMES),
    VALUES,
    st.one_of(st.none(), st.integers(-3, 90)),
    st.integers(0, 9),
    st.booleans(),
)
STEPS = st.lists(
    st.one_of(
        LOG,
        LOG,
        LOG,
        LOG,
        st.tuples(st.sampled_from(["bring", "poll", "send", "sum_up", "reconnect", "another_server"])),
    ),
    max_size=60,
)


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in ("step", "time", "value")
    )


class Story:
    """Writers, a server that reads them, and a page."""

    def __init__(self, folder, roles, points):
        self.journals = [Journal(folder, role, number) for number, role in enumerate(roles)]
        self.page = Page(points)
        self.restart()

    def restart(self):
        self.writers = [WriterReader(journal.base) for journal in self.journals]
        self.curves, self.summaries = Curves(), Summaries()

    def log(self, which, name, value, step, time, late):
        self.journals[which % len(self.journals)].log(name, value, step, float(time), late)

    def bring(self):
        for journal in self.journals:
            journal.bring()

    def poll(self):
        for writer in self.writers:
            writer.refresh()
        self.curves.take(self.writers)

    def sum_up(self):
        self.summaries.take(self.writers)

    def send(self):
        self.page.follow(self.curves)

    def reconnect(self):
        self.page.reconnect(self.curves)

    def another_server(self):
        """As its page was up to date: of points whose lines were late it has sent NaN, and nobody knows that any more."""
        self.bring()
        self.poll()
        self.send()
        self.restart()
        self.poll()
        self.reconnect()


@pytest.mark.slow
@settings(max_examples=300)
@given(steps=STEPS, points=st.sampled_from([8, 9, 16, 1000]), roles=st.sampled_from(["0", "00", "01", "0011", "1c00"]))
def test_any_interleaving_gives_the_series(tmp_path_factory, steps, points, roles):
    story = Story(str(tmp_path_factory.mktemp("journals")), roles, points)
    for name, *given_ in [*steps, ("bring",), ("poll",), ("send",)]:
        getattr(story, name)(*given_)
    journals, curves, page = story.journals, story.curves, story.page
    whole = [WriterReader(journal.base) for journal in journals]
    for writer in whole:
        writer.refresh()
    assert_summaries(story.summaries.take(story.writers), whole)
    expected = {name: series.series(whole, name) for name in NAMES}
    assert {curve.name for curve in curves.told if len(curve.points.value)} == {
        name for name, found in expected.items() if len(found.value)
    }
    for curve in curves.told:
        found = expected[curve.name]
        assert same(curve.points, found)
        finite = found.value[np.isfinite(found.value)]
        assert curve.summary.count == len(found.value)
        assert math.isnan(curve.summary.min) if not len(finite) else curve.summary.min == finite.min()
        assert math.isnan(curve.summary.max) if not len(finite) else curve.summary.max == finite.max()
        held = page.columns[curve.name]
        if not page.sampled[curve.name]:
            assert np.array_equal(held, [found.step, found.time, found.value], equal_nan=True)
        else:
            _is_sample(held, found)


def assert_summaries(found, whole):
    """What was summed up piece by piece is what the whole sums up to."""
    expected = Summaries().take(whole)
    assert list(found) == list(expected)
    for name, told in expected.items():
        value = series.series(whole, name).value
        finite = value[np.isfinite(value)]
        by_hand = [len(value), value[-1], *((finite.min(), finite.max()) if len(finite) else (math.nan, math.nan))]
        for each in (found[name], told):
            assert np.array_equal([each[key] for key in ("count", "last", "min", "max")], by_hand, equal_nan=True)


def _is_sample(held, found):
    """Some of the points in their order; the first, the last, the lowest and the highest among them."""
    points = list(zip(found.step.tolist(), found.time.tolist(), found.value.tolist(), strict=True))
    at = 0
    for point in held.T.tolist():
        while not np.array_equal(points[at], point, equal_nan=True):
            at += 1
        at += 1
    finite = found.value[np.isfinite(found.value)]
    if len(finite):
        assert {finite.min(), finite.max()} <= set(held[2].tolist())
    assert np.array_equal(held[:, 0], points[0], equal_nan=True)
    assert np.array_equal(held[:, -1], points[-1], equal_nan=True)


def test_what_was_handed_out_stays_as_it_is(tmp_path):
    journal = Journal(tmp_path, "0", 0)
    writer, curves, seen = WriterReader(journal.base), Curves(), []
    for number in range(200):
        journal.log("loss", float(number), number, float(number))
        writer.refresh()
        assert curves.take([writer])
        seen.append(curves.told[0].points)
    for number, points in enumerate(seen):
        assert points.value.tolist() == list(range(number + 1))
    assert curves.told[0].now.generation == 0
    assert not curves.take([writer])


def test_a_second_writer_in_time_is_no_new_generation(tmp_path):
    first, second = Journal(tmp_path, "0", 0), Journal(tmp_path, "0", 1)
    writers, curves = [WriterReader(first.base), WriterReader(second.base)], Curves()
    for number in range(10):
        (first, second)[number % 2].log("loss", float(number), None, float(number))
        for writer in writers:
            writer.refresh()
        curves.take(writers)
    (curve,) = curves.told
    assert curve.points.step.tolist() == list(range(10))
    assert curve.now.generation == 0
    first.log("loss", -1.0, None, 0.5)
    writers[0].refresh()
    curves.take(writers)
    assert curve.points.value[:3].tolist() == [0, -1, 1]
    assert curve.now.generation == 1


def test_a_lower_rank_takes_the_place_of_a_higher_one(tmp_path):
    rank1, rank0 = Journal(tmp_path, "1", 0), Journal(tmp_path, "0", 1)
    writers, curves, page = [WriterReader(rank1.base), WriterReader(rank0.base)], Curves(), Page(100)
    for number in range(5):
        rank1.log("loss", 1.0, number, 1.0)
    for journal_value in (0.25, 0.5):
        for writer in writers:
            writer.refresh()
        curves.take(writers)
        page.follow(curves)
        rank0.log("loss", journal_value, 0, 9.0)
    for writer in writers:
        writer.refresh()
    curves.take(writers)
    page.follow(curves)
    assert page.columns["loss"][2].tolist() == [0.25, 0.5]


@pytest.mark.parametrize(("have", "goes_on"), [(0, False), (3, True), (5, True), (6, False), (-1, False)])
def test_a_page_goes_on_only_from_points_that_are_there(tmp_path, have, goes_on):
    journal = Journal(tmp_path, "0", 0)
    for number in range(5):
        journal.log("loss", float(number), number, 1.0)
    writer, curves = WriterReader(journal.base), Curves()
    writer.refresh()
    curves.take([writer])
    cursor = resumed(curves.told[0], have, 100)
    frame = delta(curves.told[0], cursor, 100, 1, 0)
    if goes_on:
        assert frame is None if have == 5 else (frame.replaces, frame.first, frame.value.tolist()) == (False, 3, [3, 4])
    else:
        assert (frame.replaces, frame.first, len(frame.value)) == (True, 0, 5)
