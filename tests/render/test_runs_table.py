import math

import pytest

from amlnb.core import states
from amlnb.render.better import best, direction
from amlnb.render.formatting import format_size
from amlnb.render.runs_table import runs_html, runs_text
from amlnb.render.table import Cell, Column, table_html, table_text
from amlnb.specs.runs_view import RunRow, RunsView

from .strict_html import check_html

EVIL = "<script>alert(1)</script>\n\x00\ud800'\"&$x^2$ 中文 \u202e"


def table(rows, **fields):
    return RunsView("experiment e", tuple(rows), fields.pop("total", len(rows)), **fields)


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("loss", -1),
        ("val_loss", -1),
        ("loss/train", -1),
        ("valLoss", -1),
        ("RMSE", -1),
        ("testMSE", -1),
        ("perplexity", -1),
        ("epoch time", -1),
        ("error", -1),
        ("accuracy", 1),
        ("top5_accuracy", 1),
        ("eval/F1", 1),
        ("f1@10", 1),
        ("R2", 1),
        ("auc", 1),
        ("mean reward", 1),
        ("score", 1),
        ("lr", 0),
        ("lossless", 0),
        ("timestep", 0),
        ("accuracy_loss", 0),  # both: it is not known which
        ("", 0),
        ("\ud800", 0),
    ],
)
def test_a_metrics_name_tells_which_way_is_better(name, way):
    assert direction(name) == way


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("loss", [2.0, 1.0, 3.0], 1.0),
        ("accuracy", [2.0, 1.0, 2.0], 2.0),
        ("loss", [None, math.nan, 1.0], None),
        ("loss", [-math.inf, 1.0, 2.0], 1.0),
        ("loss", [1.0, 1.0], None),
        ("lr", [1.0, 2.0], None),
        ("loss", [], None),
    ],
)
def test_the_best_is_among_the_numbers_that_can_be_compared(name, values, expected):
    assert best(name, values) == expected


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_600, "1.0 MB"), (5e15, "5000.0 TB")]
)
def test_sizes_read_as_people_say_them(count, text):
    assert format_size(count) == text


def test_a_table_of_runs_as_text():
    rows = [
        RunRow(
            f"digits_1_{i:08x}",
            "e",
            states.COMPLETED if i else states.FAILED,
            number=i + 1,
            display_name="wide" if i == 2 else None,
            elapsed_s=float(i),
            parameters={"rate": str(i), "width": "8"},
            metrics={"loss": (3 - i) / 7, "n": 5.0},
            curve_of="loss",
            curve=(3.0, 2.0, 1.0) if i else (),
            output_bytes=2000 * i,
            tags={"kind": None, **({"sweep": "a"} if i else {})},
            error=None if i else "out of memory",
        )
        for i in range(3)
    ]
    assert runs_text(table(rows)) == (
        "experiment e: 3 runs\n"
        "all with width = 8, tag kind\n"
        "             run          rate      loss  n  curve of loss   time  outputs  tags     error\n"
        "✗ Failed     #1 00000000     0    0.4286  5                 0.0 s                    out of memory\n"
        "✓ Completed  #2 00000001     1    0.2857  5  █▄▁            1.0 s   2.0 kB  sweep=a\n"
        "✓ Completed  #3 wide         2  ★ 0.1429  5  █▄▁            2.0 s   4.0 kB  sweep=a"
    )
    check_html(runs_html(table(rows)))
    assert "all of these with width = 8" in runs_text(table(rows, total=4))


def test_a_failed_run_is_never_the_best():
    ended = [(states.COMPLETED, 0.3), (states.FAILED, 0.1), (states.RUNNING, 0.2), (states.CANCELED, 0.2)]
    rows = [RunRow(f"r_{i}", "e", state, metrics={"mse": mse}) for i, (state, mse) in enumerate(ended)]
    marked = [line.partition("r_")[2] for line in runs_text(table(rows)).splitlines()[2:]]
    assert [line.split()[1:] for line in marked] == [["0.3000"], ["0.1000"], ["★", "0.2000"], ["★", "0.2000"]]
    assert "★" not in runs_text(table(rows[:2]))


def test_runs_of_several_experiments_are_named_with_theirs():
    rows = [RunRow(f"r{i}", f"exp{i}", states.RUNNING, number=1) for i in range(2)]
    assert "exp1#1 r1" in runs_text(table(rows, of_experiment=False))


def test_curves_of_several_metrics_are_named_beside_each():
    rows = [RunRow(f"r{i}", "e", states.RUNNING, curve_of=f"m{i}", curve=(1.0, 2.0)) for i in range(2)]
    assert "▁█ m1" in runs_text(table(rows))


def test_what_runs_hold_is_escaped():
    evil = RunRow(
        EVIL,
        EVIL,
        states.FAILED,
        EVIL,
        parameters={EVIL: EVIL},
        metrics={EVIL: math.nan},
        curve_of=EVIL,
        curve=(1.0, math.inf, 2.0),
        tags={EVIL: EVIL},
        error=EVIL,
    )
    for rows in ([evil], [evil, evil], [evil, RunRow("b", "c", states.RUNNING)]):
        view = RunsView(EVIL, tuple(rows), len(rows), of_experiment=False)
        html, text = runs_html(view), runs_text(view)
        check_html(html)
        assert "<script" not in html
        assert not {"\x00", "\u202e", "\ud800"} & set(text)


def test_a_long_table_is_cut_says_so_and_stays_small():
    rows = [
        RunRow(
            f"experiment_{i}_{'x' * 40}",
            "e",
            states.NOT_RESPONDING,
            display_name="n" * 200,
            number=10_000 + i,
            elapsed_s=1e5,
            parameters={f"p{j}": f"{i}" + "v" * 40 for j in range(50)},
            metrics={f"accuracy{j}": i / 7e5 for j in range(50)},
            curve_of="loss",
            curve=tuple(float(k) for k in range(16)),
            output_bytes=10**6,
            tags={"t": "w" * 100 + str(i)},
            error="e" * 300,
        )
        for i in range(1000)
    ]
    html, text = runs_html(table(rows)), runs_text(table(rows))
    assert len(html.encode()) + len(text.encode()) < 100_000
    shown = html.count("<tr>") - 1
    assert f"not shown: {1000 - shown:,} more runs, 88 more columns" in html
    assert shown > 30
    assert runs_text(table([])) == "experiment e: no runs yet."
    check_html(runs_html(table([])))
    assert "no runs yet; 2 runs cannot be read" in runs_text(table([], unreadable=2))


def test_a_hundred_runs_of_a_usual_size_are_shown():
    rows = [
        RunRow(f"r_{i:08x}", "e", states.COMPLETED, "a name", metrics={"loss": i / 7, "accuracy": i / 9}, number=i)
        for i in range(1000)
    ]
    html = runs_html(table(rows))
    assert html.count("<tr>") == 101
    assert "not shown: 900 more runs" in html
    assert "#99 a name" in runs_text(table(rows))


def test_only_the_metrics_that_were_asked_for_get_a_column():
    rows = [RunRow(f"r{i}", "e", states.COMPLETED, metrics={"a": 1.0, "b": 2.0, "c": 3.0}) for i in range(2)]
    head = runs_text(table(rows, metrics=("c", "a"))).splitlines()[1].split()
    assert head == ["run", "c", "a"]


def test_of_too_many_metrics_those_whose_best_is_known_are_shown():
    names = [f"grad{i}" for i in range(9)] + ["loss"]
    row = RunRow("r", "e", states.COMPLETED, metrics=dict.fromkeys(names, 1.0))
    assert runs_text(table([row])).splitlines()[2].split()[:3] == ["run", "loss", "grad0"]


def test_wide_characters_keep_the_columns_in_line():
    columns = [
        Column(Cell("a"), (Cell("中文"), Cell("e\u0301x")), left=True),
        Column(Cell("b"), (Cell("1"), Cell("10"))),
    ]
    assert table_text(columns) == "a      b\n中文   1\ne\u0301x    10"
    assert "e\u0301x" in table_html(columns)
