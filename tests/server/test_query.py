"""The typed query: what it finds, what it refuses and where, and that nothing of it is ever executed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.errors import UserErrorException
from amlnb.server.query import FIELDS, Record, parse

RUN = Record(
    {
        **dict.fromkeys(FIELDS), "state": "Completed", "name": "bert-1", "number": 3, "created": 1.7e9,
        "archived": False, "elapsed": 3.5, "target": "local",
    },
    {"lr": "0.001", "opt": "adam", "amsgrad": "True", "batch": "64", "model.depth": "3"},
    {
        "loss": {"last": 0.2, "min": 0.1, "max": 3.0, "count": 10},
        "val/loss": {"last": math.nan, "min": 1.0, "max": 2.0, "count": 3},
        "acc.min": {"last": 7.0, "min": 0.0, "max": 9.0, "count": 2},
    },
    {"draft": None, "best": "yes", "lr": "shadowed"},
)  # fmt: skip
KNOWN = {"parameters": RUN.parameters, "metrics": RUN.metrics, "tags": RUN.tags}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('lr < 0.01 and state == "Completed"', True),
        ("lr < 0.01 and not state == 'Completed'", False),
        ("0.0001 < lr <= 0.001", True),
        ("0.0001 < lr < 0.001", False),
        ("batch > 9", True),  # as a number: "64" is less than "9" as text
        ("batch == 64.0", True),
        ('batch == "64"', True),
        ('batch == "64.0"', False),
        ("params.lr == 0.001", True),
        ("parameters.lr == 0.001", True),
        ('tags.lr == "shadowed"', True),
        ("metrics.loss < 0.3", True),
        ("loss.min == 0.1", True),
        ("metrics.loss.max >= 3", True),
        ("loss.count == 10", True),
        ("acc.min == 7", True),  # a metric of that very name
        ('metrics["val/loss"].min == 1', True),
        ('metrics["val/loss"] < 9', False),  # NaN
        ('metrics["val/loss"] != metrics["val/loss"]', True),
        ("model.depth == 3", True),
        ('"bert" in name', True),
        ('"Bert" in name', False),
        ('state in ["Failed", "Completed"]', True),
        ('state not in ("Failed", "Canceled")', True),
        ("lr in [0.1, 0.001]", True),
        ("draft", True),
        ("best", True),
        ("tags.missing", False),
        ("not missing", True),
        ("missing == null", True),
        ("missing < 3 or missing > 3", False),
        ("missing != 3", True),
        ("error == None", True),
        ("amsgrad == true", True),
        ("amsgrad", True),
        ("archived", False),
        ("archived == false", True),
        ("not archived and elapsed > 3", True),
        ('created > "2020-01-01"', True),
        ('"2020-01-01" <= created < "2021-01-01"', False),
        ("lr < 1 and (opt == 'sgd' or opt == 'adam')", True),
        ("-1 < lr < +1", True),
        ("true", True),
        ("opt < 'b'", True),
        ("opt < 3", False),
        ("  lr < 1  ", True),
        ("lr <\n1", True),
        ("1 < 2", True),
    ],
)
def test_a_query_finds(text, expected):
    query = parse(text)
    assert query.matches(RUN) is expected


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ("", "ends too early", "such as"),
        ("lr = 3", "character 4", "=="),
        ("lr <", "ends too early (at character 5", "such as"),
        ("lr < 3 foo", "(at character 8", "such as"),
        ("a && b", "character 3", "'and'"),
        ("a || b", "character 3", "'or'"),
        ("f(x)", "'f(x)' cannot stand", "such as"),
        ("lr + 1 < 3", "'lr + 1' cannot stand", 'metrics["lr+1"]'),
        ('"bold"', "'bold' by itself is no question", "such as name == 'bold'; words without quotes are searched for"),
        ("lr =< 3", "'=<' in the query is not understood (at character 4", "write '<='"),
        ("'=>' in name and lr => 3", "'=>' in the query is not understood (at character 21", "write '>='"),
        ("7", "by itself is no question", "such as name == '7'"),
        ('state == "completed"', "no run is ever 'completed' (at character 10", "did you mean 'Completed'?"),
        ('state in ["Failed", "Running", "lost"]', "no run is ever 'lost'", "one of NotStarted"),
        ('elapsed > "10s"', "'10s' is no number", "elapsed > 600"),
        ("layer00/grad_norm < 1", "cannot stand", 'metrics["layer00/grad_norm"]'),
        ("x[0] < 3", "'x[0]' is no name", "such as"),
        ("lambda: 1", "cannot stand", "such as"),
        ("[x for x in y]", "cannot stand", "such as"),
        ("'a' if b else 'c'", "cannot stand", "such as"),
        ("f'{x}' == 3", "cannot stand", "such as"),
        ("x := 3", "character 4", "=="),
        ("import os", "is not understood", "such as"),
        ("b'x' == 3", "cannot stand", "such as"),
        ("3j < 1", "cannot stand", "such as"),
        ("...", "cannot stand", "such as"),
        ("-lr < 3", "a number has a sign", "such as"),
        ("x" * 3000, "3,000 characters", "2,000"),
        ("not " * 400 + "x", "nested too deep", "take some"),
    ],
)
def test_what_is_no_query_is_refused_with_its_place(text, where, hint):
    with pytest.raises(UserErrorException) as refused:
        parse(text).matches(RUN)
    assert where in refused.value.message
    assert hint in refused.value.hint


@pytest.mark.parametrize("text", ["x" + ".y" * 900, "(" * 500 + "x" + ")" * 500, "[" * 900, "not(" * 450 + "x"])
def test_what_is_very_deep_does_no_harm(text):
    assert outcome(text) in (True, False, None)


def outcome(text):
    """Whether the run matches; None if the text is refused, with a hint."""
    try:
        query = parse(text)
        query.check(KNOWN)
        return query.matches(RUN)
    except UserErrorException as error:
        return None if error.hint else "refused without a hint"


def test_a_time_that_is_none_is_told():
    with pytest.raises(UserErrorException, match="'soon' is no time"):
        parse("created < 'soon'").matches(RUN)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("los < 3", "did you mean loss?"),
        ("metrics.lss < 3", "did you mean loss?"),
        ("params.optt == 'x'", "did you mean opt?"),
        ("tags.bets", "did you mean best?"),
        ("stat == 'x'", "did you mean state"),
        ("params.loss < 3", "such as"),
        ("time > 10", "elapsed, in seconds"),
        ("Age < 60", "created, a time"),
        ("status == 'Failed'", "the query says state"),
        ("experiment == groessen", 'a text stands in quotes: "groessen"'),
        ("opt in [sgd, rmsprop]", 'a text stands in quotes: "sgd"'),
        ("name == los", 'a text stands in quotes: "los"; or did you mean loss?'),
        ("state == Completed", 'a state is a text: "Completed"'),
        ("größe > 5", 'did you mean metrics["größe <b>w</b>"]?'),
        ("GRÖSSE > 5", 'did you mean metrics["größe <b>w</b>"]?'),
        ("metrics.val < 1", 'did you mean metrics["val/loss"]?'),
        ("von > 1", 'did you mean tags["von-bis"]?'),
    ],
)
def test_a_name_that_no_run_has_is_told_with_near_ones(text, hint):
    known = {**KNOWN, "metrics": [*RUN.metrics, "größe <b>w</b>"], "tags": [*RUN.tags, "von-bis"]}
    with pytest.raises(UserErrorException) as refused:
        parse(text).check(known)
    assert hint in refused.value.hint


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                "lr",
                "<",
                "3",
                "and",
                "not",
                "(",
                ")",
                "in",
                "[",
                "]",
                "'a'",
                "metrics",
                ".",
                "==",
                "null",
                "loss",
                ",",
                "-",
            ]
        ),
        max_size=12,
    ).map(" ".join)
)
def test_any_text_is_a_query_or_is_refused(text):
    assert outcome(text) in (True, False, None)
