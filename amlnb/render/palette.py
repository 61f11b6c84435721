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
