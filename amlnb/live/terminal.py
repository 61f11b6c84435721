"""One line of a log as a terminal shows it: what is overwritten is gone, colours are kept, other codes dropped."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby

from amlnb.specs.run_view import LogLine, TextStyle

LINE_LIMIT = 500
_STYLE_LIMIT = 24
PLAIN = TextStyle()
_SPECIAL = re.compile(r"[\x00-\x08\x09\x0b-\x1f\x7f]")
# Text; a control sequence (CSI with its parameters and its letter), an OSC, a two-character escape; or one character.
_TOKENS = re.compile(
    r"(?P<text>[^\x00-\x08\x0b-\x1f\x7f]+)"
    r"|\x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<letter>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\^_a-z]"
    r"|(?P<move>[\r\x08])"
    r"|."
)
_STYLES = re.compile(r"\x1b\[([0-?]*)m")
_LONGEST_NUMBER = 5
# Numbers that switch one thing on or off.
_SWITCHES: dict[int, dict[str, bool | None]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"inverse": True},
    21: {"underline": True},
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    27: {"inverse": False},
    39: {"colour": None},
    49: {"ground": None},
}


def terminal_line(raw: str, style: TextStyle = PLAIN) -> tuple[LogLine, TextStyle]:
    """Show one line as a terminal leaves it.

    Parameters
    ----------
    raw
        Without its line break.
    style
        What the lines before have switched on.

    Returns
    -------
    tuple of (LogLine, TextStyle)
        The line, of at most 500 characters, longer ones cut with an ellipsis, and at most 24 styled parts; and the
        style with which the next line begins.
    """
    if style is PLAIN and not _SPECIAL.search(raw):
        return LogLine(raw if len(raw) <= LINE_LIMIT else raw[: LINE_LIMIT - 1] + "…"), style
    characters: list[str] = []
    styles: list[TextStyle] = []
    column = 0
    for token in _TOKENS.finditer(raw):
        if token["text"] is not None:
            indent = column % 4
            text = (" " * indent + token["text"]).expandtabs(4)[indent:]
            missing = column - len(characters)
            if missing > 0:
                characters += " " * missing
                styles += [PLAIN] * missing
            characters[column : column + len(text)] = text
            styles[column : column + len(text)] = [style] * len(text)
            column += len(text)
        elif token["letter"] == "m":
            style = styled(style, token["parameters"])
        elif token["letter"] == "K":
            _erase(characters, styles, column, token["parameters"])
        elif token["letter"] in ("C", "D", "G"):
            column = _moved(column, token["letter"], token["parameters"])
        elif token["move"] is not None:
            column = 0 if token["move"] == "\r" else max(0, column - 1)
    return _line("".join(characters), styles), style


def style_after(text: str) -> TextStyle:
    """Style that a text leaves switched on."""
    style = PLAIN
    # What stood before the last reset no longer matters.
    for found in _STYLES.finditer(text, max(0, text.rfind("\x1b[0m"), text.rfind("\x1b[m"))):
        style = styled(style, found[1])
    return style


def plain_line(raw: str) -> str:
    """Text of one line as a terminal leaves it."""
    return terminal_line(raw)[0].text


def styled(style: TextStyle, parameters: str) -> TextStyle:
    """Apply the numbers of an SGR sequence (ECMA-48, 8.3.117): ``1;31``, ``38;5;208``, ``38;2;255;0;0``, or none."""
    numbers = [int(part) if part.isdecimal() and len(part) <= _LONGEST_NUMBER else 0 for part in _parts(parameters)]
    while numbers:
        number = numbers.pop(0)
        if number == 0:
            style = PLAIN
        elif number in _SWITCHES:
            style = replace(style, **_SWITCHES[number])  # type: ignore[arg-type]  # each of its own field
        elif number in (38, 48):
            colour = _extended(numbers)
            if colour is not None:
                style = replace(style, colour=colour) if number == 38 else replace(style, ground=colour)
        elif 30 <= number <= 37 or 90 <= number <= 97:
            style = replace(style, colour=number - 30 if number < 90 else number - 82)
        elif 40 <= number <= 47 or 100 <= number <= 107:
            style = replace(style, ground=number - 40 if number < 100 else number - 92)
    return PLAIN if style == PLAIN else style


def _parts(parameters: str) -> list[str]:
    # 38:2::255:0:0 is the same as 38;2;255;0;0, with a colour space that nobody names.
    return parameters.replace(":2::", ";2;").replace(":", ";").split(";")


def _extended(numbers: list[int]) -> int | tuple[int, int, int] | None:
    """Take one of 256 colours, or a true one, from the numbers that follow 38 or 48."""
    kind = numbers.pop(0) if numbers else None
    if kind == 5 and numbers:
        return _of_256(min(numbers.pop(0), 255))
    if kind == 2 and len(numbers) >= 3:
        red, green, blue = (min(numbers.pop(0), 255) for _ in range(3))
        return red, green, blue
    numbers.clear()  # what it means is not known
    return None


def _of_256(number: int) -> int | tuple[int, int, int]:
    """256 colours as xterm has them: 16 of the terminal's own, a cube of six steps, 24 greys."""
    if number < 16:
        return number
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return grey, grey, grey
    steps = (0, 95, 135, 175, 215, 255)
    number -= 16
    return steps[number // 36], steps[number // 6 % 6], steps[number % 6]


def _erase(characters: list[str], styles: list[TextStyle], column: int, parameters: str) -> None:
    if parameters in ("", "0"):
        del characters[column:], styles[column:]
        return
    count = min(column + 1, len(characters)) if parameters == "1" else len(characters)
    characters[:count] = " " * count
    styles[:count] = [PLAIN] * count


def _moved(column: int, letter: str, parameters: str) -> int:
    by = int(parameters) if parameters.isdecimal() and len(parameters) <= _LONGEST_NUMBER else 1
    column = by - 1 if letter == "G" else column + by if letter == "C" else column - by
    return min(max(column, 0), LINE_LIMIT)


def _line(text: str, styles: list[TextStyle]) -> LogLine:
    if len(text) > LINE_LIMIT:
        text = text[: LINE_LIMIT - 1] + "…"
    parts: list[tuple[int, int, TextStyle]] = []
    begin = 0
    for style, run in groupby(styles[: len(text)]):
        end = begin + len(list(run))
        if style is not PLAIN and len(parts) < _STYLE_LIMIT:
            parts.append((begin, end, style))
        begin = end
    return LogLine(text, tuple(parts))
