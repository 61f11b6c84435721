import io
import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from amlnb.api.comparison import Comparison
from amlnb.core import states
from amlnb.render.code_diff import code_html, code_text, file_difference
from amlnb.render.comparison import comparison_html, comparison_text, curves_text
from amlnb.render.comparison_picture import comparison_scene, shared_metrics
from amlnb.render.png import to_png
from amlnb.render.svg import to_svg
from amlnb.specs.comparison_view import CodeView, ComparedRun, ComparisonView, FileDifference
from amlnb.specs.run_view import Series

from .strict_html import check_html

EVIL = "<script>alert(1)</script>\n\x00\ud800'\"&$x^2$ 中文 \u202e"


def curve(*values):
    return Series(np.arange(len(values), dtype=float), np.array(values, float))


def compared(label, curves=(), **fields):
    series = {name: curve(*values) for name, values in dict(curves).items()}
    fields.setdefault("metrics", {name: values[-1] for name, values in dict(curves).items()})
    return ComparedRun(label, fields.pop("state", states.COMPLETED), series=series, **fields)


TWO = ComparisonView(
    (
        compared(
            "#1 small",
            {"loss": [2.0, 1.0], "accuracy": [0.5, 0.8]},
            elapsed_s=10.0,
            parameters={"rate": "0.1", "width": "8"},
            tags={"kind": "a"},
            environment={"target": "local"},
        ),
        compared(
            "#2 large",
            {"loss": [2.0, 0.5], "accuracy": [0.5, 0.8]},
            state=states.FAILED,
            elapsed_s=25.0,
            parameters={"rate": "0.1", "width": "16", "depth": "3"},
            environment={"target": "box"},
        ),
    ),
    CodeView(
        (
            file_difference("train.py", (0, 1), (b"a = 1\nb = 2\n", b"a = 1\nb = 3\n")),
            file_difference("new.py", (None, 0), (None, b"x\n")),
            file_difference("w.npy", (0, 1), (b"\0" * 5, b"\0" * 2000)),
        ),
        same=2,
    ),
)


def test_two_runs_as_text():
    assert comparison_text(TWO) == (
        "              ━ #1 small  ╍ #2 large  difference\n"
        "state        ✓ Completed    ✗ Failed\n"
        "time                10 s        25 s      +150 %\n"
        "metrics\n"
        "loss                   1      0.5000     −50.0 %\n"  # the better one failed
        "parameters\n"
        "width                  8          16\n"
        "depth                  –           3\n"
        "tags\n"
        "kind                   a           –\n"
        "environment\n"
        "target             local         box\n"
        "the same in both: 1 metric, 1 parameter"
    )
    assert curves_text(TWO) == ("loss\n  #1 small  █▃\n  #2 large  █▁\naccuracy\n  #1 small  ▁█\n  #2 large  ▁█")
    assert code_text(TWO) == (
        "code: 3 files differ, 2 the same\n"
        "--- train.py\n@@ -1,2 +1,2 @@\n a = 1\n-b = 2\n+b = 3\n"
        "--- new.py (only in the second)\n@@ -0,0 +1 @@\n+x\n"
        "--- w.npy (no text, or too long: 5 B → 2.0 kB)"
    )
    for html in (comparison_html(TWO), code_html(TWO)):
        check_html(html)


def test_why_a_run_failed_is_told():
    runs = (compared("#1"), compared("#2", state=states.FAILED, error="out of memory"))
    assert comparison_text(ComparisonView(runs)).splitlines()[-1].split(None, 1) == ["error", "out of memory"]
    assert "\nerror" not in comparison_text(TWO)


def test_of_three_runs_it_is_told_which_files_differ():
    files = (FileDifference("a.py", (0, 1, 0)), FileDifference("b.py", (None, 0, 1)))
    view = ComparisonView(tuple(compared(f"#{i}") for i in range(3)), CodeView(files, 1))
    assert code_text(view) == (
        "code: 2 files differ, 1 the same\nthe same letter is the same content\n"
        "file  #0  #1  #2\na.py   a   b   a\nb.py   –   a   b"
    )
    assert "difference" not in comparison_text(view)
    check_html(code_html(view))


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (CodeView(same=3), "code: the same in both"),
        (CodeView(unknown="it is gone"), "code: not compared, because it is gone"),
    ],
)
def test_code_without_differences(code, told):
    view = ComparisonView(TWO.runs, code)
    assert code_text(view) == told
    check_html(code_html(view))


def test_the_picture_has_a_chart_a_shared_metric_and_a_line_style_a_run():
    svg = to_svg(comparison_scene(TWO))
    texts = [element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:5] == ["#1 small", "#2 large", "loss", "0.5000", "1"]
    assert svg.count('stroke="#f0852d" stroke-width="1.7" stroke-dasharray="6,3.5"') == 2
    assert svg.count('stroke="#3d8bfd" stroke-width="1.7"/>') == 2
    with Image.open(io.BytesIO(to_png(comparison_scene(TWO)))) as image:
        assert image.size[0] == 1440


def test_dashes_reach_the_png():
    """A dashed line paints fewer points than a solid one."""
    first, second = (compared(label, {"m": [0.0, 1.0]}) for label in "ab")
    flat = compared("a", {"m": [5.0, 5.0]})

    def painted(runs):
        with Image.open(io.BytesIO(to_png(comparison_scene(ComparisonView(runs))))) as image:
            return int((np.asarray(image.convert("RGBA"))[..., :3] == (0xF0, 0x85, 0x2D)).all(-1).sum())

    assert 0 < painted((flat, second)) < painted((first, second)) * 3


def test_what_no_two_runs_share_is_not_drawn():
    runs = (compared("a", {"x": [1, 2], "y": [1, 2]}), compared("b", {"y": [1, 2]}), compared("c", {"z": [1, 2]}))
    assert shared_metrics(runs) == ["y"]
    assert comparison_scene(ComparisonView((runs[0], runs[2]))) is None
    assert curves_text(ComparisonView((runs[0], runs[2]))) == ""


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((1.0, 1.5), "+50.0 %"),
        ((-1.0, -1.5), "−50.0 %"),
        ((2.0, 2.0), None),
        ((0.0, 1.0), None),
        ((math.nan, 1.0), None),
        ((1e-300, 1e300), None),
        ((1.0, 1000.0), "+99,900 %"),
        ((1.0, 1e9), "+1e11 %"),
        ((9.999, 10.0), "+0.01 %"),
        ((1.00001, 1.00002), None),  # shown as the same
    ],
)
def test_the_difference_of_two_numbers_is_told_in_percent(values, text):
    runs = tuple(compared(f"#{i}", metrics={"n": value}) for i, value in enumerate(values))
    told = comparison_text(ComparisonView(runs))
    assert text in told if text else "%" not in told


def test_what_runs_hold_is_escaped():
    run = {
        "parameters": {EVIL: EVIL},
        "tags": {EVIL: EVIL},
        "environment": {EVIL: EVIL},
        "metrics": {EVIL: math.nan},
        "elapsed_s": 1.0,
        "error": EVIL,
    }
    evil = ComparedRun(EVIL, states.FAILED, series={EVIL: curve(1, math.inf, 2)}, **run)
    files = (
        file_difference(EVIL, (0, 1), (EVIL.encode("utf-8", "replace"), b"\x1b[31m<b>\n")),
        FileDifference(EVIL, (0, 1), note=EVIL),
    )
    other = ComparedRun(EVIL, states.RUNNING, series={EVIL: curve(1, 2)})
    for runs in ((evil, evil), (evil, other), (evil, other, other)):
        files = tuple(replace(file, versions=tuple(range(len(runs)))) for file in files)
        view = ComparisonView(runs, CodeView(files, unknown=EVIL if len(runs) > 2 else ""))
        svg = to_svg(comparison_scene(view))
        ET.fromstring(svg)
        to_png(comparison_scene(view), 1)
        for html in (comparison_html(view), code_html(view)):
            check_html(html)
            assert "<script" not in html
        for text in (comparison_text(view), code_text(view), curves_text(view)):
            assert not {"\x00", "\u202e", "\ud800", "\x1b"} & set(text)


@pytest.mark.slow
def test_a_large_comparison_stays_small_and_says_what_is_hidden():
    rng = np.random.default_rng(0)
    runs = tuple(
        compared(
            f"#{i} " + "n" * 60,
            {f"metric number {j}": rng.random(150) for j in range(24)},
            metrics={f"m{j}_loss": i + j / 7 for j in range(200)},
            parameters={f"p{j}": "v" * 50 + str(i) for j in range(100)},
            tags={f"t{j}": "w" * 50 + str(i) for j in range(100)},
        )
        for i in range(20)
    )
    before, after = ("\n".join(f"line {i} {word}" * 20 for i in range(2000)).encode() for word in "ab")
    files = tuple(file_difference(f"f{i}.py", (0, 1) * 10, (before, after)) for i in range(3))
    files += tuple(FileDifference(f"g{i}.py", (0, 1) * 10) for i in range(100))
    many, two = ComparisonView(runs, CodeView(files)), ComparisonView(runs[:2], CodeView(files))
    assert "not shown: 8 more runs, 310 more rows" in comparison_text(many)
    assert "not shown: 73 more files" in code_text(two)
    assert "not shown: 11,753 more lines" in code_text(two)
    for view in (many, two):
        assert "18 more shared metrics not drawn" in to_svg(comparison_scene(view))
        for data, _ in Comparison(view).bundles():
            assert sum(len(value.encode()) for value in data.values()) < 100_000


@pytest.mark.parametrize("letter", ["x", "<", "漢", "\N{GRINNING FACE}"])
def test_a_comparison_stays_small_in_every_script(letter):
    """A character is up to four bytes, and as many more where HTML writes it by its name."""
    code = CodeView((file_difference("a.py", (0, 1) * 6, (b"", "\n".join([letter * 118] * 240).encode())),))
    names = [f"{number} {letter * 40}" for number in range(30)]
    runs = tuple(
        compared(
            f"#{i} {letter * 30}",
            state=states.FAILED,
            error=letter * 60,
            parameters=dict.fromkeys(names, f"{i} {letter * 40}"),
            tags=dict.fromkeys(names, f"{i} {letter * 40}"),
            metrics=dict.fromkeys(names, i + 0.1),
        )
        for i in range(12)
    )
    for view in (ComparisonView(runs, code), ComparisonView(runs[:2], code)):
        for data, _ in Comparison(view).bundles():
            assert sum(len(value.encode()) for value in data.values()) < 100_000
            assert len(data["text/html"].encode()) > 1000
            check_html(data["text/html"])
        if letter not in "x<":
            assert "not shown: " in comparison_text(view) + code_text(view)


@pytest.mark.parametrize(
    ("path", "contents", "shown"),
    [
        ("a.py", (b"x", b"\xff"), ()),  # not UTF-8
        ("a.py", (b"x" * 2_000_000, b"y"), ()),
        ("a.py", (b"x\n" * 5000, b"y"), ()),
        (
            "n.ipynb",
            (
                b'{"cells": [{"cell_type": "code", "source": ["a\\n", "b"], "outputs": [1]}]}',
                b'{"cells": [{"cell_type": "code", "source": "a\\nc", "outputs": []}]}',
            ),
            ("@@ -1,3 +1,3 @@", " # %% [code]", " a", "-b", "+c"),
        ),
        ("n.ipynb", (b"{", b"}"), ("@@ -1 +1 @@", "-{", "+}")),
    ],
)
def test_only_text_is_compared_line_by_line_and_of_notebooks_their_cells(path, contents, shown):
    assert file_difference(path, (0, 1), contents).diff == shown
