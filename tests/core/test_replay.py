"""From a run's files to its state, by tables and by properties."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.core import edits, identity, states
from amlnb.core.replay import replay

RECORD = {"id": "r", "experiment": "e"}


def state(phase, attempt=1, **more):
    return {"t": "state", "attempt": attempt, "phase": phase, "time": 1.0, **more}


def final(phase, attempt=1):
    return {"state": phase, "attempt": attempt, "ended": 2.0}


@pytest.mark.parametrize(
    ("events", "sealed", "expected"),
    [
        ([], None, "NotStarted"),
        ([state("Preparing")], None, "Preparing"),
        ([state("Running"), state("Preparing")], None, "Running"),
        ([state("Running"), state("Preparing", 2)], None, "Preparing"),
        ([state("Failed"), state("Running", 2)], None, "Running"),
        ([state("Running")], final("Completed"), "Completed"),
        ([state("Failed")], final("Completed"), "Completed"),
        ([state("Running"), state("Failed", presumed=True, seen="Running")], None, "Failed"),
        ([state("Failed", presumed=True, seen="Running"), state("Running")], None, "Failed"),
        ([state("Running"), state("Failed", presumed=True, seen="Running"), state("Finalizing")], None, "Finalizing"),
        ([state("Failed", presumed=True, seen="Starting"), state("Running")], None, "Running"),
        ([state("Failed", presumed=True, seen="Running"), state("Running")], final("Completed"), "Completed"),
        ([state("Running"), state("Failed", presumed=True, seen="Running"), state("Running", 2)], None, "Running"),
        ([state("Sleeping"), state(None), {"t": "state"}, {"t": "state", "phase": "Running"}], None, "NotStarted"),
        ([state("CancelRequested"), state("NotResponding")], None, "NotStarted"),
        # It has ended, and how cannot be told.
        ([state("Running")], {"state": "Sleeping"}, "NotResponding"),
        ([state("Running")], {}, "NotResponding"),
        ([state("Running")], {**final("Completed"), "format": 2}, "NotResponding"),
    ],
)
def test_state_of_a_run(events, sealed, expected):
    assert replay(RECORD, (), events, sealed).state == expected


def test_a_proved_death_ends_a_run_that_is_not_sealed():
    facts = replay(RECORD, (), [state("Running")], None, identity.DEAD)
    assert (facts.state, facts.error["code"]) == ("Failed", "RunnerLost")
    canceled = replay(RECORD, [{"op": "cancel"}], [state("Running")], None, identity.DEAD)
    assert canceled.state == "Canceled"
    assert replay(RECORD, (), [state("Running")], final("Completed"), identity.DEAD).state == "Completed"


def test_overlays_are_shown_over_a_phase_and_never_over_an_end():
    assert replay(RECORD, [{"op": "cancel"}], [state("Running")]).state == "CancelRequested"
    assert replay(RECORD, (), [state("Running")], None, unreachable="no route").state == "NotResponding"
    assert replay(RECORD, [{"op": "cancel"}], [], final("Completed"), unreachable="no route").state == "Completed"


def test_a_run_that_lives_in_a_process_is_running_from_the_start():
    assert replay({**RECORD, "owner": {"pid": 1}}).state == "Running"


ANY_STATE = st.builds(
    state, st.sampled_from([*states.PHASES, *states.TERMINAL, "Nonsense"]), st.integers(0, 3), time=st.floats(allow_nan=False)
)


@given(st.lists(ANY_STATE, max_size=8), st.randoms())
def test_the_order_in_which_writers_are_read_does_not_matter(events, random):
    """Within equal rank (two different ends of one attempt) the seal decides, so those are left out here."""
    ends = {(e["attempt"], e["phase"]) for e in events if e["phase"] in states.TERMINAL}
    if len({attempt for attempt, _ in ends}) < len(ends):
        return
    shuffled = list(events)
    random.shuffle(shuffled)
    one, other = replay(RECORD, (), events), replay(RECORD, (), shuffled)
    assert (one.state, one.attempt) == (other.state, other.attempt)


@given(st.lists(ANY_STATE, max_size=8), ANY_STATE)
def test_a_run_only_moves_forward(events, event):
    before, after = replay(RECORD, (), events), replay(RECORD, (), [*events, event])
    assert (after.attempt, states.rank(after.phase)) >= (before.attempt, states.rank(before.phase))


ANYTHING = st.sampled_from(
    [
        *[None, True, 0, -1, 3.5, float("nan"), "", "x", [], [1], {}, {"a": None}, [{}]],
        *[1e300, -1e300, float("inf"), 10**400, "\ud800", ["x"], {"message": [1]}],
        *["state", "warning", "tags", "properties", "Failed", "Running", "rename", "cancel", "archive"],
    ]
)
KEYS = "created exit_code signal reason ended t op phase attempt time tags remove properties state presumed seen warnings text error display_name owner started"
DAMAGED = st.dictionaries(st.sampled_from(KEYS.split()), ANYTHING, max_size=6)


@given(DAMAGED, st.lists(DAMAGED, max_size=4), st.lists(DAMAGED, max_size=4), st.none() | DAMAGED)
def test_no_damage_makes_a_reader_fail(record, edits_, events, sealed):
    facts = replay({**RECORD, **record}, edits_, events, sealed)
    assert facts.state in states.ALL
    assert facts.error is None or isinstance(facts.error, dict)
    assert all(isinstance((facts.error or {}).get(key, ""), str | None) for key in ("code", "message", "hint"))
    assert all(isinstance(each, str | None) for each in (facts.reason, facts.display_name, *facts.tags.values()))
    assert all(isinstance(each, str) for each in (*facts.properties.values(), *facts.warnings))
    assert all(type(each) in (int, type(None)) for each in (facts.exit_code, facts.signal, facts.attempt))
    for time in (facts.started, facts.ended, *facts.times.values()):
        assert time is None or dt.datetime.fromtimestamp(time, dt.UTC)


@pytest.mark.parametrize(
    ("names", "ordered"),
    [
        (["00000002-b.json", "00000001-z.json", "00000002-a.json"], ["00000001-z.json", "00000002-a.json", "00000002-b.json"]),
        (["100000000-a.json", "99999999-a.json"], ["99999999-a.json", "100000000-a.json"]),
    ],
)
def test_edits_are_ordered_by_number_and_then_by_name(names, ordered):
    assert sorted(names, key=edits.sort_key) == ordered


@pytest.mark.parametrize("name", [".new-00000001-a.json", "a-1.json", "1.json", "00000001-a.json~", "-a.json", "²-a.json"])
def test_other_files_among_the_edits_are_not_edits(name):
    assert edits.number_of(name) is None


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_tags_take_the_last_edit_and_properties_the_first(order):
    all_edits = [
        {"op": "tags", "tags": {"a": "1", "b": None}},
        {"op": "tags", "tags": {"a": "2"}, "remove": ["b"]},
        {"op": "properties", "properties": {"p": "x"}},
    ]
    edited = edits.fold({"properties": {"p": "first"}}, [all_edits[i] for i in order])
    assert edited.properties == {"p": "first"}
    assert edited.tags["a"] == ("2" if order.index(1) > order.index(0) else "1")


def test_what_is_no_text_is_left_out_and_a_number_is_told_as_one():
    edited = edits.fold(
        {"tags": {"a": 1, "b": None, "c": [1], "d": True}, "properties": {"p": 0.5, "q": {}}},
        [{"op": "tags", "tags": {"a": [2], "e": "x"}}, {"op": "properties", "properties": [1]}],
    )
    assert list(edited.tags.items()) == [("a", "1"), ("b", None), ("d", "true"), ("e", "x")]
    assert edited.properties == {"p": "0.5"}


def test_a_state_event_with_an_error_that_is_none_keeps_its_run():
    for more in ({}, {"presumed": True, "seen": "Running"}):
        facts = replay(RECORD, (), [state("Failed", error="boom", reason=[1], **more)])
        assert (facts.state, facts.error, facts.reason) == ("Failed", None, None)


HERE = {"boot_id": "b1", "machine_id": "m1", "hostname": "h1", "pid_ns": "n1"}
PROCESS = {**HERE, "pid": 7, "start": 100}


@pytest.mark.parametrize(
    ("process", "start", "expected"),
    [
        (PROCESS, 100, "alive"),
        (PROCESS, 101, "dead"),  # the pid is another process's by now
        (PROCESS, None, "dead"),
        ({**PROCESS, "start": None}, None, "dead"),
        ({**PROCESS, "boot_id": "b0"}, 100, "dead"),  # this machine has restarted
        ({**PROCESS, "boot_id": "b0", "machine_id": "m2"}, None, "unknown"),
        ({**PROCESS, "boot_id": "b0", "machine_id": ""}, None, "unknown"),
        ({**PROCESS, "boot_id": ""}, None, "unknown"),
        ({**PROCESS, "hostname": "h2"}, 100, "unknown"),
        ({**PROCESS, "pid_ns": "n2"}, 100, "unknown"),
        (None, 100, "unknown"),
        ({}, 100, "unknown"),
        ({"pid": "7"}, 100, "unknown"),
    ],
)
def test_death_is_proved_or_unknown(process, start, expected):
    assert identity.liveness(process, HERE, lambda _: start) == expected
