"""Logs by byte ranges: every line once, whichever way one goes, and bounded work whatever is in the file."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LOG = "user_logs/std_log.txt"


@pytest.fixture
def a_run(make_run):
    return make_run("r")


def write(directory, data):
    path = os.path.join(directory, LOG)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def texts(part):
    return [line["text"] for line in part["lines"]]


def test_a_log_that_is_not_there_yet_is_empty(api, make_run, key):
    make_run("r", state=None)
    assert api.get(f"w/{key}/runs/r/log") == {"file": LOG, "size": 0, "from": 0, "to": 0, "lines": []}


def test_the_tail_comes_backward(api, make_run, key):
    write(make_run("r"), b"".join(b"line %d\n" % number for number in range(10_000)))
    part = api.get(f"w/{key}/runs/r/log", direction="backward", bytes=100)
    assert texts(part)[-1] == "line 9999"
    assert part["to"] == part["size"]
    assert 5 <= len(part["lines"]) <= 12
    before = api.get(f"w/{key}/runs/r/log", direction="backward", bytes=100, **{"from": part["from"]})
    assert before["to"] == part["from"]
    assert int(texts(before)[-1].split()[1]) == int(texts(part)[0].split()[1]) - 1


def test_a_byte_within_a_line_stands_for_the_line(api, make_run, key):
    write(make_run("r"), b"first\nsecond\nthird\n")
    part = api.get(f"w/{key}/runs/r/log", bytes=1, **{"from": 9})
    assert (texts(part), part["from"], part["to"]) == (["second"], 6, 13)


def test_bars_fold_and_colours_stay_across_parts(api, make_run, key):
    data = b"\x1b[31mred\n  0%\r 50%\r100%\nstill red\x1b[0m\nplain\n"
    write(make_run("r"), data)
    part = api.get(f"w/{key}/runs/r/log")
    assert texts(part) == ["red", "100%", "still red", "plain"]
    assert part["lines"][2]["styles"] == [[0, 9, {"colour": 1}]]
    later = api.get(f"w/{key}/runs/r/log", **{"from": data.index(b"still")})
    assert later["lines"][0]["styles"] == [[0, 9, {"colour": 1}]]


def test_an_unfinished_line_is_shown_and_asked_for_again(api, make_run, key):
    directory = make_run("r", state=None)
    write(directory, b"a\n 10%")
    part = api.get(f"w/{key}/runs/r/log")
    assert (texts(part), part["to"]) == (["a", " 10%"], 6)
    write(directory, b"a\n 10%\r 20%\nb\n")
    again = api.get(f"w/{key}/runs/r/log", **{"from": part["to"]})
    assert [(line["at"], line["text"]) for line in again["lines"]] == [(2, " 20%"), (12, "b")]


@given(
    lines=st.lists(st.text("abé\r\x1b[3m ", max_size=40), max_size=60),
    step=st.integers(1, 200),
    finished=st.booleans(),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_going_through_a_log_either_way_gives_every_line_once(api, a_run, key, lines, step, finished):
    data = "\n".join(lines).encode() + (b"\n" if finished and lines else b"")
    write(a_run, data)
    starts = [at for at in range(len(data)) if at == 0 or data[at - 1 : at] == b"\n"]
    at, forward = 0, []
    while at < len(data):
        part = api.get(f"w/{key}/runs/r/log", bytes=step, **{"from": at})
        forward += [line["at"] for line in part["lines"]]
        assert part["to"] > at
        at = part["to"]
    assert forward == starts
    at, backward = len(data), []
    while at > 0:
        part = api.get(f"w/{key}/runs/r/log", bytes=step, direction="backward", **{"from": at})
        backward = [line["at"] for line in part["lines"]] + backward
        assert part["from"] < at
        at = part["from"]
    assert backward == starts


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"x" * 3_000_000, b"\r 10%" * 500_000, b"\n" * 3_000_000, os.urandom(3_000_000)])
def test_what_is_no_log_is_bounded(api, make_run, key, data):
    write(make_run("r"), data)
    for query in ({}, {"direction": "backward"}, {"from": 1_500_000}, {"direction": "backward", "from": 1_500_000}):
        found = api.ask("GET", f"w/{key}/runs/r/log", bytes=1 << 20, **query)
        assert found.status == 200
        assert len(found.data) < 3_000_000


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_search_finds_every_line_once_in_steps(api, make_run, key, direction):
    data = b"".join(b"%d Error here, error there\n" % n if n % 1000 == 7 else b"%d fine\n" % n for n in range(30_000))
    write(make_run("r"), data)
    found, at = [], None
    while True:
        query = {} if at is None else {"from": at}
        part = api.get(f"w/{key}/runs/r/log/search", text="ERROR", limit=4, direction=direction, **query)
        found += [match["line"]["text"].split()[0] for match in part["matches"]]
        at = part["next"]
        if at is None:
            break
    expected = [str(n) for n in range(7, 30_000, 1000)]
    assert found == (expected if direction == "forward" else expected[::-1])


def test_a_text_over_the_border_of_two_blocks_is_found(api, make_run, key):
    write(make_run("r"), b"." * ((1 << 20) - 3) + b"needle\nrest\n")
    for direction in ("forward", "backward"):
        part = api.get(f"w/{key}/runs/r/log/search", text="needle", direction=direction)
        assert len(part["matches"]) == 1


def test_a_search_for_nothing_is_refused(api, make_run, key):
    write(make_run("r"), b"x\n")
    assert api.refused(f"w/{key}/runs/r/log/search", text="")[0] == 400
