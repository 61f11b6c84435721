"""What is shown of a run: plain values between those who read runs and those who draw them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class MetricSummary:
    """One metric in four numbers.

    Attributes
    ----------
    count
        Number of points.
    last, min, max
        ``min`` and ``max`` are those of the finite points, NaN if there are none.
    """

    count: int
    last: float
    min: float
    max: float


@dataclass(frozen=True)
class Series:
    """A curve, already short enough to be drawn.

    Attributes
    ----------
    x
        float64, shape (n,): step, or position where no step was logged; in the order logged.
    y
        float64, shape (n,); NaN and infinities are kept.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes
    ----------
    done, total
        So much of so much; both finite and not negative.
    text
        What is being done.
    left_s
        Seconds until the end at the pace so far; None if that is not known.
    """

    done: float
    total: float
    text: str | None = None
    left_s: float | None = None

    @property
    def fraction(self) -> float:
        """Between 0 and 1; of nothing all is done."""
        return min(1.0, self.done / self.total) if self.total > 0 else 1.0


@dataclass(frozen=True)
class TextStyle:
    """How a terminal shows text.

    Attributes
    ----------
    colour, ground
        Of the text and behind it: the number of one of the terminal's 16 colours, red, green and blue (0 to 255), or
        None for the terminal's own.
    """

    colour: int | tuple[int, int, int] | None = None
    ground: int | tuple[int, int, int] | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    inverse: bool = False


@dataclass(frozen=True)
class LogLine:
    """A line of a log as a terminal leaves it.

    Attributes
    ----------
    text
        Without control codes.
    styles
        (begin, end, style) of the parts of the text that are not plain, in order.
    """

    text: str
    styles: tuple[tuple[int, int, TextStyle], ...] = ()


@dataclass(frozen=True)
class RunView:
    """A run at one moment.

    Attributes
    ----------
    state
        As `amlnb.core.states` names them, overlays included.
    started, ended
        Unix time in seconds; None while it has not.
    elapsed_s
        Seconds since the start (until the end); 0 before the start.
    error
        ``{"code", "message", "hint"?, "details"?}`` of a failed run.
    parameters
        What the run was given, as text.
    metrics
        Numeric metrics in the order of first use; at most as many as the reader was asked for.
    metric_count
        How many there are.
    series
        Curves of those metrics that have more than one point and are to be drawn.
    progress
        How far it is; None once it has ended, or where it does not tell.
    log_tail
        Last lines of the run's output.
    log_earlier
        How many lines there are before those; None if that would have been costly to find out.
    """

    id: str
    experiment: str
    state: str
    display_name: str | None = None
    attempt: int = 0
    target: str = "local"
    reason: str | None = None
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    elapsed_s: float = 0.0
    error: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str | None] = field(default_factory=dict)
    metrics: dict[str, MetricSummary] = field(default_factory=dict)
    metric_count: int = 0
    series: dict[str, Series] = field(default_factory=dict)
    progress: Progress | None = None
    log_tail: tuple[LogLine, ...] = ()
    log_earlier: int | None = 0

    @property
    def name(self) -> str:
        """The run's display name, else its id."""
        return self.display_name or self.id
