"""What a job reads of metrics: the same as the toolkit, and not more than is asked for."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amlnb.core import events
from amlnb.store import light_reader
from amlnb.store.run_reader import RunReader
from amlnb.tracking import create
from amlnb.tracking.tracked_run import TrackedRun
from tests.tracking.conftest import record


@pytest.fixture
def run(tmp_path):
    directory = create.create_run(str(tmp_path / "runs"), record("r"))
    return TrackedRun(directory, "r", "tracking", "0", owned=True)


def both(run, name=None):
    run.flush()
    reader = RunReader(run.directory)
    reader.refresh()
    whole = reader.metrics()
    light = light_reader.read_metrics(run.directory, "r", name)
    assert light == (whole if name is None else {each: whole[each] for each in whole if each == name})
    return light


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.floats(allow_nan=False), st.text(), st.booleans()))))
def test_it_says_what_the_toolkit_says(tmp_path_factory, logged):
    directory = create.create_run(str(tmp_path_factory.mktemp("w") / "runs"), record("r"))
    run = TrackedRun(directory, "r", "tracking", "0", owned=True)
    for name, value in logged:
        run.log(name, value)
    for name in (None, "a", "none"):
        both(run, name)


def test_lines_of_values_are_not_read_where_no_metric_is_asked_for(run, monkeypatch):
    for number in range(5):
        run.log_row("row", a=number)
        run.log("text", f"t{number}")
    run.flush()
    decoded = []
    decode = events.decode
    monkeypatch.setattr(events, "decode", lambda line: decoded.append(line) or decode(line))
    light_reader.read_facts(run.directory)
    assert not [line for line in decoded if b'"value"' in line]
    light_reader.read_metrics(run.directory, "r", "text")
    assert len([line for line in decoded if b'"value"' in line]) == 5


def test_a_record_that_leads_into_the_middle_of_a_line_is_none(run):
    run.log_row("row", a=1)
    run.log_row("row", a=2)
    run.flush()
    journals = os.path.join(run.directory, "journals")
    (name,) = [each for each in os.listdir(journals) if each.endswith(".events")]
    path = os.path.join(journals, name)
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    # The same lines as another program may write them, and one byte further on.
    spaced = [json.dumps(json.loads(line)).encode() if line else line for line in lines]
    with open(path, "wb") as file:
        file.write(b"\n".join(spaced))
    assert light_reader.read_metrics(run.directory, "r") == {}
