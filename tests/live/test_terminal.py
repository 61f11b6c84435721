import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlnb.live.terminal import LINE_LIMIT, PLAIN, plain_line, style_after, styled, terminal_line
from amlnb.specs.run_view import TextStyle


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("10%\r 50%\r100%", "100%"),
        ("a long line\rshort", "shortg line"),
        ("done\r", "done"),
        ("\x1b[31mred\x1b[0m \x1b[1;38;5;3mx\x1b[K", "red x"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("ab\b\bxy", "xy"),
        ("a\tb\x00\x07c", "a   bc"),
        ("x" * 600, "x" * 499 + "…"),
        ("a long line\r\x1b[Kshort", "short"),
        ("a long line\x1b[2K\rshort", "short      "),
        ("a long line\x1b[5G\x1b[K", "a lo"),
        ("abc\x1b[2DX\x1b[3CY", "aXc  Y"),
        ("abc\x1b[1K", "   "),
        ("x\x1b[99999Cy", "x" + " " * 498 + "…"),
        ("half \x1b[3", "half [3"),
        ("half \x1b", "half "),
    ],
)
def test_a_line_is_shown_as_a_terminal_leaves_it(raw, shown):
    assert plain_line(raw) == shown


@pytest.mark.parametrize(
    ("parameters", "style"),
    [
        ("", TextStyle()),
        ("0", TextStyle()),
        ("1;31", TextStyle(colour=1, bold=True)),
        ("97;40", TextStyle(colour=15, ground=0)),
        ("107", TextStyle(ground=15)),
        ("38;5;9", TextStyle(colour=9)),
        ("38;5;208", TextStyle(colour=(255, 135, 0))),
        ("48;5;240", TextStyle(ground=(88, 88, 88))),
        ("38;2;1;2;3;4", TextStyle(colour=(1, 2, 3), underline=True)),
        ("38:2::1:2:3", TextStyle(colour=(1, 2, 3))),
        ("38;2;999;0;0", TextStyle(colour=(255, 0, 0))),
        ("2;3;4;7", TextStyle(dim=True, italic=True, underline=True, inverse=True)),
        ("1;2;22", TextStyle()),
        ("31;39", TextStyle()),
        ("38;5", TextStyle()),
        ("38;7;1", TextStyle()),
        ("99;123456789;x", TextStyle()),
    ],
)
def test_numbers_of_a_colour_sequence(parameters, style):
    assert styled(PLAIN, parameters) == style


def test_what_is_overwritten_takes_its_colour_with_it():
    line, after = terminal_line("\x1b[31mabcd\x1b[0m\rX\x1b[1mY")
    assert line.text == "XYcd"
    assert line.styles == ((1, 2, TextStyle(bold=True)), (2, 4, TextStyle(colour=1)))
    assert after == TextStyle(bold=True)


def test_a_line_of_many_colours_has_only_the_first_of_them():
    line, _ = terminal_line("".join(f"\x1b[38;5;{i % 200 + 20}m{i % 10}" for i in range(2000)))
    assert (len(line.text), len(line.styles)) == (LINE_LIMIT, 24)


@given(st.text(alphabet="ab \t\r\b\x1b[;m0138KGCD\x9b<é中", max_size=60))
def test_any_line_is_shown_with_its_styles_in_order_and_within_it(raw):
    line, _ = terminal_line(raw)
    assert "\x1b" not in line.text
    assert "\r" not in line.text
    end = 0
    for begin, stop, style in line.styles:
        assert end <= begin < stop <= len(line.text)
        assert style != PLAIN
        end = stop


@given(st.text(alphabet="ab\n\x1b[;m0138", max_size=60))
def test_the_style_after_a_text_is_that_after_its_lines(text):
    style = PLAIN
    for raw in text.split("\n"):
        _, style = terminal_line(raw, style)
    assert style_after(text) == style
