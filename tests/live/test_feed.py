import os
import shutil
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlnb import host
from amlnb.core import states
from amlnb.core.records import NO_STEP
from amlnb.errors import UserErrorException
from amlnb.live.feed import RunFeed
from amlnb.store.run_reader import RunReader
from amlnb.testing.store_contract import final, record
from amlnb.tracking.create import create_run
from amlnb.tracking.edits import add_edit
from amlnb.tracking.journal import JournalWriter
from amlnb.tracking.seal import seal


class Story:
    """A run that this process keeps, and a feed of it."""

    def __init__(self, folder):
        self.directory = create_run(folder, {**record("r1", created=1.0), "owner": host.this_process()})
        self.writers = {}
        self.feed = RunFeed(self.directory)
        self.sealed = False

    def log(self, role, value):
        if not self.sealed:
            if role not in self.writers:
                self.writers[role] = JournalWriter(self.directory, role)
            self.writers[role].log_float("loss", value, NO_STEP)

    def progress(self, done):
        if "0" in self.writers and not self.sealed:
            self.writers["0"].write_event({"t": "progress", "time": 1.0, "done": done, "total": 9})

    def tag(self, value):
        add_edit(self.directory, {"op": "tags", "tags": {"t": value}})

    def seal(self):
        if not self.sealed:
            self.sealed = True
            seal(self.directory, final("Completed"))

    def look(self):
        self.feed.look()

    def refresh(self):
        self.feed.refresh()

    def close(self):
        for writer in self.writers.values():
            writer.close()


STEP = st.one_of(
    st.tuples(st.just("log"), st.sampled_from(["0", "1", "client"]), st.floats()),
    st.tuples(st.just("progress"), st.integers(0, 9)),
    st.tuples(st.just("tag"), st.sampled_from("ab")),
    st.tuples(st.sampled_from(["look", "look", "refresh", "seal"])),
)


@settings(max_examples=60)
@given(st.lists(STEP, max_size=25))
def test_looks_and_refreshes_in_any_order_give_what_is_in_the_files(steps):
    with tempfile.TemporaryDirectory() as folder:
        story = Story(folder)
        for name, *given_ in steps:
            version = story.feed.version
            getattr(story, name)(*given_)
            assert story.feed.version >= version
        story.close()
        story.refresh()
        reader = RunReader(story.directory)
        reader.refresh()
        facts = reader.facts()
        for name in facts.__slots__:
            assert getattr(story.feed.facts, name) == getattr(facts, name)
        found = {curve.name: curve.points for curve in story.feed.curves.told}
        assert list(found) == reader.metric_names()
        for name, points in found.items():
            assert np.array_equal(points.value, reader.series(name).value, equal_nan=True)
        assert not story.feed.replaced
        assert not story.feed.refresh()


@pytest.fixture
def story(tmp_path):
    made = Story(str(tmp_path))
    yield made
    made.close()


def settle(story):
    """Let the folders' last changes lie in the past: their times have a grain of some milliseconds."""
    for name in ("", "journals", "edits"):
        os.utime(os.path.join(story.directory, name), (1, 1))
    story.feed.refresh()


def test_what_is_new_is_told_and_nothing_else(story):
    feed = story.feed
    assert feed.facts.state == states.RUNNING
    settle(story)
    assert not feed.look()
    story.log("0", 1.0)
    assert feed.look(), "a writer that is new is seen by its folder"
    version = feed.version
    story.log("0", 2.0)
    assert feed.look()
    assert feed.version == version, "points are no news of the run"
    assert not feed.look()
    story.progress(3)
    feed.look()
    feed.refresh()
    assert feed.progress.done == 3
    assert feed.version > version
    settle(story)
    story.seal()
    assert feed.look()
    assert (feed.facts.state, feed.sealed, feed.progress) == (states.COMPLETED, True, None)
    settle(story)
    story.tag("late")
    assert feed.look()
    assert feed.facts.tags == {"t": "late"}


def test_a_bar_in_the_log_is_progress(story):
    os.makedirs(f"{story.directory}/user_logs")
    with open(f"{story.directory}/user_logs/std_log.txt", "w", encoding="utf-8") as file:
        file.write(" 45%|####5     | 45/100 [00:12<00:14,  3.87it/s]")
    assert story.feed.refresh()
    assert (story.feed.progress.done, story.feed.progress.total) == (45, 100)


@pytest.mark.parametrize("damage", ["another file", "shorter", "another run"])
def test_what_is_replaced_is_noticed(story, damage):
    for value in range(10):
        story.log("0", float(value))
    story.feed.refresh()
    (name,) = [name for name in os.listdir(f"{story.directory}/journals") if name.endswith(".metrics")]
    path = f"{story.directory}/journals/{name}"
    if damage == "another file":
        shutil.copy(path, path + ".copy")
        os.replace(path + ".copy", path)
    elif damage == "shorter":
        os.truncate(path, 64)
    else:
        shutil.copy(f"{story.directory}/run.json", f"{story.directory}/copy")
        os.replace(f"{story.directory}/copy", f"{story.directory}/run.json")
    assert story.feed.refresh()
    assert story.feed.replaced
    assert RunFeed(story.directory).curves.told[0].points.value.tolist() == list(
        range(2 if damage == "shorter" else 10)
    )


def test_a_run_that_is_gone_is_told(story):
    settle(story)
    shutil.rmtree(story.directory)
    with pytest.raises(UserErrorException, match="is gone"):
        story.feed.look()


def test_points_that_come_after_the_seal_are_taken(story, tmp_path):
    """Of a mirror whose seal was brought before the rest of its journals."""
    story.log("0", 1.0)
    mirror = str(tmp_path / "mirror")
    shutil.copytree(story.directory, mirror)
    feed = RunFeed(mirror)
    story.log("0", 2.0)
    story.seal()
    shutil.copy(f"{story.directory}/final.json", f"{mirror}/final.json")
    feed.refresh()
    assert feed.sealed
    for name in os.listdir(f"{story.directory}/journals"):
        with open(f"{story.directory}/journals/{name}", "rb") as file:
            content = file.read()
        with open(f"{mirror}/journals/{name}", "r+b") as file:
            file.write(content)
    assert feed.refresh()
    assert feed.curves.told[0].points.value.tolist() == [1, 2]
