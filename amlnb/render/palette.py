"""Colours that are readable on white and on a dark page alike, because a saved picture does not know its page."""

from __future__ import annotations

from amlnb.core import states

INK = "#7d838c"  # text: contrast 3.9 on white, 4.8 on Lab's dark grey
FAINT = "#8b919a"
GRID = "#808080"
CURVES = ("#3d8bfd", "#f0852d", "#21a675", "#b06fe0", "#e5588a", "#12a5b8")

GREEN, RED, BLUE, AMBER, GREY = "#21a366", "#e2504a", "#3d8bfd", "#d99018", "#8b919a"

_STATE_COLOURS = {
    states.COMPLETED: GREEN,
    states.FAILED: RED,
    states.CANCELED: AMBER,
    states.CANCEL_REQUESTED: AMBER,
    states.NOT_RESPONDING: AMBER,
    states.RUNNING: BLUE,
    states.STARTING: BLUE,
    states.FINALIZING: BLUE,
}
_STATE_MARKS = {states.COMPLETED: "✓", states.FAILED: "✗", states.CANCELED: "■", states.NOT_RESPONDING: "?"}


def state_colour(state: str) -> str:
    """Colour of a state; grey for what has not begun."""
    return _STATE_COLOURS.get(state, GREY)


def state_mark(state: str) -> str:
    """One character that tells a state without colour."""
    return _STATE_MARKS.get(state, "●" if state in _STATE_COLOURS else "○")


# The 16 colours of a terminal as most show them: black, red, green, yellow, blue, magenta, cyan, white; bright ones.
_TERMINAL = (
    (0, 0, 0),
    (205, 49, 49),
    (13, 152, 88),
    (183, 129, 3),
    (36, 114, 200),
    (188, 63, 188),
    (17, 148, 185),
    (229, 229, 229),
    (102, 102, 102),
    (241, 76, 76),
    (35, 199, 120),
    (222, 170, 30),
    (59, 142, 234),
    (214, 112, 214),
    (41, 184, 219),
    (255, 255, 255),
)
# Ground of text that is shown inversely; it has to do on a white and on a dark page.
INVERSE = "rgba(128,128,128,0.4)"
# Luminances with a contrast of at least 3.5 on white and 3.3 on JupyterLab's dark ground (#111111).
_DARKEST, _LIGHTEST = 0.135, 0.25

_VISIBLE = 1.5

RGB = tuple[int, int, int]


def terminal_rgb(colour: int | RGB) -> RGB:
    """Red, green and blue of one of a terminal's 16 colours; any other is given as it is."""
    return _TERMINAL[colour] if isinstance(colour, int) else colour


def readable(rgb: RGB) -> RGB:
    """Make a colour dark enough for a white page and light enough for a dark one; its hue stays."""
    linear = [_linear(value) for value in rgb]
    luminance = _luminance(rgb)
    if luminance > _LIGHTEST:
        linear = [value * _LIGHTEST / luminance for value in linear]
    elif luminance < _DARKEST:
        share = (_DARKEST - luminance) / (1 - luminance)
        linear = [value + (1 - value) * share for value in linear]
    red, green, blue = (_encoded(value) for value in linear)
    return red, green, blue


def contrasting(ground: RGB, wanted: RGB | None = None) -> RGB:
    """Return the wanted colour if it can be told from a ground, else black or white."""
    behind = _luminance(ground)
    if wanted is not None:
        low, high = sorted((behind, _luminance(wanted)))
        if (high + 0.05) / (low + 0.05) >= _VISIBLE:
            return wanted
    return (0, 0, 0) if behind > 0.18 else (255, 255, 255)


def hex_colour(rgb: RGB) -> str:
    """``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _luminance(rgb: RGB) -> float:
    """Relative luminance, 0 to 1, as WCAG 2 defines it."""
    red, green, blue = (_linear(value) for value in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)


def _encoded(linear: float) -> int:
    share = linear * 12.92 if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
    return round(share * 255)
