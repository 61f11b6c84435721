"""A log's colours on a page."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.live.terminal import terminal_line
from amlnb.render import palette
from amlnb.render.log_html import lines_html

GROUNDS = {"white": (255, 255, 255), "dark": (0x11, 0x11, 0x11)}


def html(raw):
    return lines_html([terminal_line(raw)[0]])


def contrast(one, other):
    high, low = sorted((palette._luminance(one), palette._luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("raw", "css"),
    [
        ("\x1b[1mx", "font-weight:bold"),
        ("\x1b[2mx", "opacity:0.7"),
        ("\x1b[3mx", "font-style:italic"),
        ("\x1b[4mx", "text-decoration:underline"),
        ("\x1b[7mx", f"background-color:{palette.INVERSE}"),
        ("\x1b[37;41mx", "background-color:#cd3131;color:#e5e5e5"),
        ("\x1b[43mx", "background-color:#b78103;color:#000000"),
        ("\x1b[37;47mx", "background-color:#e5e5e5;color:#000000"),
        ("\x1b[48;2;0;0;90mx", "background-color:#00005a;color:#ffffff"),
        ("\x1b[31;7mx", "background-color:#cd3131;color:#ffffff"),
    ],
)
def test_a_style_is_an_inline_style(raw, css):
    assert html(raw) == f'<span style="{css}">x</span>'


def test_text_between_styled_parts_is_there():
    assert re.sub("<[^>]*>", "", html("a\x1b[31mb\x1b[0mc\x1b[32md\x1b[0me")) == "abcde"


@pytest.mark.parametrize("ground", GROUNDS)
@given(rgb=st.tuples(*[st.integers(0, 255)] * 3))
def test_any_colour_is_readable_on_white_and_on_dark(ground, rgb):
    assert contrast(palette.readable(rgb), GROUNDS[ground]) > 3.2


@given(rgb=st.tuples(*[st.integers(0, 255)] * 3))
def test_a_ground_has_a_text_that_is_readable_on_it(rgb):
    assert contrast(palette.contrasting(rgb), rgb) > 4.4


@given(st.text(alphabet="<>&\"'/ab\x1b[;m0123456789:", max_size=80))
def test_nothing_in_a_log_becomes_markup(raw):
    tags = re.findall("<[^>]*>", html(raw))
    allowed = re.compile(r'</span>|<span style="[a-z0-9#:;(),. -]*">')
    assert all(allowed.fullmatch(tag) for tag in tags)


def test_what_stands_in_a_log_cannot_leave_its_line():
    raw = '\x1b[31m</span></pre><script>alert(1)</script>"\x1b]0;<b>\x07'
    assert '&lt;/span&gt;&lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt;"</span>' in html(raw)


def test_a_log_of_many_colours_is_plain_behind_the_first_of_them():
    line = terminal_line("".join(f"\x1b[38;5;{i % 200 + 20}m<" for i in range(2000)))[0]
    written = lines_html([line] * 16)
    assert written.count("<span") == 120
    assert len(written) < 16 * 240 * 4 + 120 * 45
