"""What a failed run shows of its failure."""

import pytest

from amlnb.core import states
from amlnb.render.run_failure import TRACEBACK_LIMIT, FailedFrame, Local, failed_frames, local_value, traceback_lines
from amlnb.render.run_html import run_html
from amlnb.render.run_text import run_text
from amlnb.specs.run_view import LogLine, RunView

TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "the cell", line 3, in <module>',
    "    train(0.1)",
    "ValueError: boom",
]


def failed(log=(), frames=(), state=states.FAILED):
    error = {"code": "UserError", "message": "ValueError: boom", "hint": "look", "details": {"frames": list(frames)}}
    return RunView("r", "e", state, log_tail=tuple(LogLine(text) for text in log), error=error)


def frame(file, line, function="<module>", **values):
    return {
        "file": file,
        "line": line,
        "function": function,
        "locals": [{"name": name, **told} for name, told in values.items()],
    }


X = {"type": "numpy.ndarray", "shape": [64, 10], "dtype": "float32"}
RATE = {"type": "float", "value": "0.1"}


OWN = ['  File "the cell", line 3, in <module>', "    read(path)"]
LIBRARY = ['  File "/v/lib/python3.11/site-packages/pandas/io/common.py", line 9, in f', "    open()", "    ^^^^^^"]


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        ([], []),
        (["no traceback", "here"], []),
        (["epoch 1", *TRACEBACK], ["epoch 1", *TRACEBACK]),
        ([f"epoch {i}" for i in range(9)] + TRACEBACK, ["epoch 5", "epoch 6", "epoch 7", "epoch 8", *TRACEBACK]),
        ([*TRACEBACK, "", "During another:", "", *TRACEBACK], [TRACEBACK[-1], "", "During another:", "", *TRACEBACK]),
        (["epoch 1", TRACEBACK[0], *["x"] * 15], [TRACEBACK[0], *["x"] * 15]),
        (
            ["[rank0]: " + TRACEBACK[0], *[f"line {i}" for i in range(30)]],
            ["[rank0]: " + TRACEBACK[0], "  …", *[f"line {i}" for i in range(16, 30)]],
        ),
        (
            [TRACEBACK[0], *OWN, *LIBRARY * 9, "FileNotFoundError: none.csv", "hint: look"],
            [TRACEBACK[0], *OWN, "  …", *LIBRARY, "FileNotFoundError: none.csv", "hint: look"],
        ),
    ],
)
def test_the_last_traceback_is_shown(log, shown):
    lines = [line.text for line in traceback_lines(failed(log))]
    assert lines == shown
    assert len(lines) <= TRACEBACK_LIMIT
    assert traceback_lines(failed(log, state=states.COMPLETED)) == ()


@pytest.mark.parametrize(
    ("told", "value"),
    [
        ({"length": 1, "keys": ["'x'"]}, "keys 'x'"),
        ({"length": 9, "keys": ["'x'", "..."]}, "keys 'x', ..., …"),
        ({"length": 9, "keys": ["'x'" * 40]}, "keys " + "'x'" * 24 + "'x…, …"),
        ({"length": 1, "keys": "damaged"}, ""),
        ({"length": 0}, ""),
    ],
)
def test_of_a_dict_the_first_keys_are_shown(told, value):
    assert local_value({"name": "data", "type": "dict", **told}) == Local("data", f"dict of {told['length']}", value)


def test_values_of_the_innermost_and_the_outermost_place_of_the_user_s_own_code_are_shown():
    frames = [
        frame("the cell", 9, rate=RATE),
        frame("/x/work/model.py", 4, "middle", a=RATE),
        frame("/x/work/model.py", 7, "train", x=X, words={"type": "list", "length": 1200}, none={"type": "NoneType"}),
        frame("/usr/lib/python3.11/json/__init__.py", 1, "loads", s={"type": "str", "length": 3}),
        frame("/v/lib/python3.11/site-packages/numpy/core.py", 5, "dot", b=X),
    ]
    assert failed_frames(failed(frames=frames)) == [
        FailedFrame(
            "in train(), model.py, line 7",
            (
                Local("x", "numpy.ndarray (64, 10) float32", ""),
                Local("words", "list of 1,200", ""),
                Local("none", "NoneType", ""),
            ),
            0,
        ),
        FailedFrame("at line 9 of the cell", (Local("rate", "float", "0.1"),), 0),
    ]


def test_of_many_values_the_last_are_shown():
    (shown,) = failed_frames(failed(frames=[frame("a.py", 1, **{f"v{i}": RATE for i in range(30)})]))
    assert [each.name for each in shown.values] == [f"v{i}" for i in range(18, 30)]
    assert shown.hidden == 18


@pytest.mark.parametrize(
    "error",
    [
        None,
        {"message": "x"},
        {"details": {"frames": 3}},
        {"details": {"frames": [3, None, {}]}},
        {"details": {"frames": [{"locals": [None, {"name": 1, "shape": "x", "length": "y"}]}]}},
        {"details": {"traceback": "..."}},
    ],
)
def test_details_of_any_form_are_no_trouble(error):
    view = RunView("r", "e", states.FAILED, error=error)
    failed_frames(view)
    run_html(view)
    run_text(view)


def test_a_failed_run_tells_all_in_its_text_and_in_its_table():
    view = failed(["epoch 1", *TRACEBACK], [frame("the cell", 3, "train", x=X, rate=RATE)])
    assert run_text(view) == (
        "✗ Failed  run r · on local\n"
        "  ValueError: boom\n"
        "  hint: look\n"
        "  | epoch 1\n"
        "  | Traceback (most recent call last):\n"
        '  |   File "the cell", line 3, in <module>\n'
        "  |     train(0.1)\n"
        "  | ValueError: boom\n"
        "  values in train(), line 3 of the cell:\n"
        "    x     numpy.ndarray (64, 10) float32\n"
        "    rate  float  0.1"
    )
    html = run_html(view)
    for text in (
        "ValueError: boom",
        "hint: look",
        "train(0.1)",
        "values in train(), line 3 of the cell",
        "(64, 10) float32",
    ):
        assert text in html


def test_a_failure_without_traceback_shows_the_log_s_end():
    assert "Segmentation fault" in run_html(failed(["one", "Segmentation fault"]))
