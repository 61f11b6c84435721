import io
import itertools
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from amlnb.core import states
from amlnb.render.cards import run_card
from amlnb.render.formatting import format_progress
from amlnb.render.png import to_png
from amlnb.render.run_html import run_html
from amlnb.render.run_page import run_page
from amlnb.render.run_picture import drawn_metrics, run_scene
from amlnb.render.run_text import progress_line, run_text
from amlnb.render.scene import Text, text_width
from amlnb.render.svg import to_svg
from amlnb.specs.run_view import LogLine, MetricSummary, Progress, RunView, Series, TextStyle

from .strict_html import check_html

EVIL = "<script>alert(1)</script>\n\x00\ud800'\"&$x^2$ 中文 \u202e"


def view(curves, **fields):
    """A run with these curves, given as lists of values."""
    series = {name: Series(np.arange(len(y), dtype=float), np.array(y, float)) for name, y in curves.items()}
    metrics = {name: MetricSummary(len(y), y[-1], min(y), max(y)) for name, y in curves.items()}
    fields = {"state": states.RUNNING, "started": 1.0, "elapsed_s": 12.0, "metric_count": len(metrics), **fields}
    return RunView(id="digits_1", experiment="digits", metrics=metrics, series=series, **fields)


def log(*texts):
    return tuple(LogLine(text) for text in texts)


def decay(n=300):
    return [math.exp(-i / 60) for i in range(n)]


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


ALL_FIELDS = {
    "display_name": EVIL,
    "target": EVIL,
    "parameters": {EVIL: EVIL},
    "tags": {EVIL: EVIL, "t": None},
    "error": {"code": "x", "message": EVIL, "hint": EVIL},
    "warnings": (EVIL,) * 5,
    "reason": EVIL,
    "log_tail": (LogLine(EVIL, ((0, 9, TextStyle(1, 2, True, True, True, True, True)),)),),
    "progress": Progress(1, 3, EVIL, 5.0),
}


def test_the_picture_names_state_run_time_and_last_value():
    assert texts(to_svg(run_scene(view({"loss": decay()}))))[:4] == ["Running", "digits_1", "12 s · on local", "loss"]
    assert "0.006851" in texts(to_svg(run_scene(view({"loss": decay()}))))


@pytest.mark.parametrize("state", states.ALL)
def test_every_state_has_a_picture_a_table_and_a_text(state):
    shown = view({"loss": decay(10)}, state=state)
    assert state in texts(to_svg(run_scene(shown)))
    assert state in run_text(shown)
    check_html(run_html(shown))


def test_what_a_run_holds_is_escaped_everywhere():
    shown = view({EVIL: decay(), f"val_{EVIL}": decay()}, **ALL_FIELDS)
    svg = to_svg(run_scene(shown))
    ET.fromstring(svg)
    assert "<script" not in svg
    check_html(run_html(shown))
    assert "<script" not in run_page(shown, code=EVIL, log=EVIL, files=[(EVIL, 1)])
    for text in (run_text(shown), progress_line(shown)):
        assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)
        text.encode()
    Image.open(io.BytesIO(to_png(run_scene(shown)))).verify()


@pytest.mark.parametrize(
    "curve",
    [
        [1.0, math.nan, 2.0],
        [math.nan, math.nan],
        [math.inf, 1.0, -math.inf],
        [5.0, 5.0],
        [1e308, -1e308],
        [0.0, 5e-324],
        [1e-320, 1e300],
    ],
)
def test_awkward_curves_are_drawn(curve):
    shown = view({"x": curve})
    svg = to_svg(run_scene(shown))
    assert not re.search(r' (d|c?x|c?y)="[^"]*(nan|inf)', svg)
    to_png(run_scene(shown), 1)
    check_html(run_html(shown))


def test_gaps_and_steps_that_go_back_break_the_curve():
    series = {"x": Series(np.array([0.0, 1, 2, 1, 2]), np.array([1.0, math.nan, 1, 2, 3]))}
    shown = RunView("r", "e", states.COMPLETED, series=series, metrics={"x": MetricSummary(5, 3, 1, 3)})
    paths = re.findall(r'<path d="([^"]*)" stroke="#3d8bfd"', to_svg(run_scene(shown)))
    assert [path.count("L") for path in paths] == [1]
    assert "<circle" in to_svg(run_scene(shown))


def test_thousands_of_metrics_stay_small_and_say_so():
    curves = {f"metric {i}": decay(300) for i in range(200)}
    shown = view(curves, metric_count=100_000, log_tail=log(*["x" * 500] * 12), warnings=("w" * 900,) * 1000)
    svg, html = to_svg(run_scene(shown)), run_html(shown)
    assert "194 more curves not drawn" in texts(svg)
    assert "and 99,970 more metrics" in html
    assert "and 99,988 more metrics" in run_text(shown)
    png = to_png(run_scene(shown))
    assert len(svg) + len(html) + len(png) * 4 / 3 + len(run_text(shown)) < 100_000


def test_the_same_run_gives_the_same_bytes():
    assert to_png(run_scene(view({"loss": decay()}))) == to_png(run_scene(view({"loss": decay()})))
    assert to_svg(run_scene(view({"loss": decay()}))) == to_svg(run_scene(view({"loss": decay()})))


def test_the_height_does_not_change_while_a_run_goes_on():
    short, long = (
        view({"loss": decay(2)}, log_tail=log("a")),
        view({"loss": decay()}, log_tail=log(*"a" * 9), elapsed_s=1e5),
    )
    assert run_scene(short).height == run_scene(long).height
    height = re.compile(r"height:(\d+)px")
    assert height.findall(run_html(short)) == height.findall(run_html(long))


def test_the_ground_of_the_png_is_transparent_and_its_size_is_the_scenes():
    scene = run_scene(view({"loss": decay()}))
    with Image.open(io.BytesIO(to_png(scene, 2))) as image:
        assert image.size == (scene.width * 2, scene.height * 2)
        assert image.convert("RGBA").getpixel((scene.width, 4))[3] == 0


def test_a_run_as_text():
    shown = view({"loss": [2.0, 1.0]}, state=states.FAILED, error={"message": "boom", "hint": "look"}, elapsed_s=3.0)
    assert run_text(shown) == (
        "✗ Failed  run digits_1 · on local · 3.0 s\n  boom\n  hint: look\n"
        "  loss           1  (min 1, max 2, 2 points)  █▁"
    )
    assert progress_line(shown) == "amlnb: run digits_1 Failed, 3.0 s, loss 1"


def test_the_page_of_a_bundle_stands_alone():
    page = run_page(view({"loss": decay()}), code="print(1 < 2)", log="x" * 300_000, files=[("outputs/w", 5)])
    assert "print(1 &lt; 2)" in page
    assert "[100,000 characters left out]" in page
    assert not re.search(r"(src|href)=", page)
    assert not re.search("<script|@import|url\\(", page)


def test_a_curve_that_is_drawn_is_not_drawn_again_in_the_table():
    assert "curve" not in run_html(view({"loss": decay()}))
    many = view({f"metric {i}": decay(5) for i in range(9)})
    assert run_html(many).count("█") == 3
    assert drawn_metrics(many) == {f"metric {i}" for i in range(6)}


def test_a_queued_run_says_what_it_waits_for():
    queued = view({}, state=states.QUEUED, started=None)
    assert "waiting for a free slot · on local" in texts(to_svg(run_scene(queued)))


def test_a_run_that_has_not_started_says_why():
    reason = "waits for a free slot; 3 runs stand before it"
    waits = view({}, state=states.NOT_STARTED, started=None, reason=reason)
    assert f"{reason} · on local" in texts(to_svg(run_scene(waits)))
    assert reason in run_html(waits)
    assert reason in run_card(waits)


def test_a_log_that_is_cut_says_where_the_rest_is_and_none_takes_no_room():
    assert "<pre" not in run_html(view({}))
    assert "earlier lines" not in run_html(view({}, log_tail=log(*"a" * 10)))
    assert "… 3 earlier lines: amlnb run logs digits_1\na" in run_html(view({}, log_tail=log(*"a" * 12)))
    assert "… 1,003 earlier lines:" in run_html(view({}, log_tail=log(*"a" * 12), log_earlier=1000))
    assert "… earlier lines:" in run_html(view({}, log_tail=log(*"a" * 12), log_earlier=None))


def test_progress_is_a_bar_and_a_text_in_the_header_until_the_end():
    going = view({"loss": decay()}, progress=Progress(45, 100, "epoch 3", 12.4))
    shown = texts(to_svg(run_scene(going, as_of=1.0)))
    assert "45/100 · 12 s left · epoch 3" in shown
    ends = re.findall(r'<path d="M1.0 33.0L([\d.]+) 33.0"', to_svg(run_scene(going)))
    assert [float(x) for x in ends] == [719.0, 1 + 718 * 0.45]
    assert "45/100, 12 s left, epoch 3" in progress_line(going)
    assert "45/100 · 12 s left" in run_text(going)
    assert "45/100 · 12 s left · epoch 3 · as of" in run_html(going, as_of=1.0)
    ended = view({"loss": decay()}, state=states.COMPLETED)
    assert run_scene(ended).height == run_scene(going).height
    assert "33.0" not in to_svg(run_scene(ended))


def test_the_header_has_room_for_a_long_name_and_a_long_progress():
    going = view({}, display_name="n" * 100, progress=Progress(45, 100, "t" * 100, 9e5), target="t" * 50)
    header = [shape for shape in run_scene(going, as_of=1.0).shapes if isinstance(shape, Text)]
    ends = []
    for shape in header:
        width = text_width(shape.text, shape.size, bold=shape.bold)
        ends.append((shape.x - width, shape.x) if shape.anchor == "end" else (shape.x, shape.x + width))
    ends.sort()
    assert all(before[1] <= after[0] + 1 for before, after in itertools.pairwise(ends)), header


@pytest.mark.parametrize(
    ("progress", "told"),
    [
        (Progress(45, 100), "45/100"),
        (Progress(0.5, 2), "0.5000/2"),
        (Progress(2e6, 9e6, None, 100), "22 % · 1 min 40 s left"),
        (Progress(100, 100, None, 0.0), "100/100"),
        (Progress(0, 0), "0/0"),
    ],
)
def test_progress_as_text(progress, told):
    assert format_progress(progress) == told
