"""Who says first how a run shall end: every one that folds the edits, or finds the runner dead, says the same."""

import os

import pytest

from amlnb import host
from amlnb.core.edits import fold
from amlnb.engine import deaths
from amlnb.runner import relay
from amlnb.runner.launch import Launch
from amlnb.runner.main import _Runner
from amlnb.store.light_reader import read_facts
from amlnb.tracking import create, edits
from tests.tracking.conftest import record

SAID = {"code": "Mine", "message": "bad data"}
FAIL = {"op": "cancel", "by": "x", "error": SAID}
CANCEL = {"op": "cancel", "by": "y"}
WORDS = [
    ([FAIL, CANCEL], ("Failed", SAID)),
    ([CANCEL, FAIL], ("Canceled", None)),
    ([FAIL], ("Failed", SAID)),
    ([CANCEL], ("Canceled", None)),
]
DEAD = {**host.this_process(), "pid": 2**22 - 3, "start": 1}


@pytest.fixture
def make(tmp_path):
    def make(words):
        directory = create.create_run(str(tmp_path / "runs"), record("r", owner=None))
        create.publish_json(os.path.join(directory, "attempts", "1.json"), DEAD)
        for word in words:
            edits.add_edit(directory, word)
        return directory

    return make


def ended(directory):
    facts = read_facts(directory)
    return facts.state, facts.error


@pytest.mark.parametrize(("words", "end"), WORDS)
def test_the_first_word_stands_for_every_reader(make, words, end):
    assert ended(make(words)) == end


@pytest.mark.parametrize(("words", "end"), WORDS)
def test_the_first_word_stands_where_a_death_is_recorded_here(make, words, end):
    directory = make(words)
    deaths.record_death(directory)
    assert os.path.exists(os.path.join(directory, "final.json"))
    assert ended(directory) == end


@pytest.mark.parametrize(("words", "end"), WORDS)
def test_the_first_word_stands_where_a_death_is_recorded_there(make, words, end):
    directory = make(words)
    relay._record_death(directory, 1)
    assert os.path.exists(os.path.join(directory, "final.json"))
    assert ended(directory) == end


@pytest.mark.parametrize(("words", "end"), WORDS)
def test_the_first_word_stands_for_the_runner_in_whatever_order_it_finds_them(make, words, end):
    directory = make(words)
    told = {
        "directory": directory, "objects": "", "attempt": 1, "environ": {}, "run_side": "",
        "workspace": {},
    }  # fmt: skip
    runner = _Runner(Launch(told))
    runner._look_for_cancel()
    folded = fold({}, words)
    assert (runner._canceled, runner._said_failed) == (True, end[1])
    assert (folded.cancel, folded.cancel_error) == (True, end[1])


def test_what_is_no_edit_holds_nobody_up(make):
    directory = make([FAIL])
    os.mkfifo(os.path.join(directory, "edits", "00000002-aaaaaaaa.json"))
    os.mkdir(os.path.join(directory, "edits", "00000003-aaaaaaaa.json"))
    os.symlink("/nowhere", os.path.join(directory, "edits", "00000004-aaaaaaaa.json"))
    relay._record_death(directory, 1)
    assert ended(directory) == ("Failed", SAID)
