"""What is shown of many runs: plain values between those who read runs and those who draw them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RunRow:
    """A run as a line of a table.

    Attributes
    ----------
    number
        Position within the experiment, from 1; 0 where it is not known.
    elapsed_s
        Seconds since the start (until the end); None before the start.
    parameters
        What the run was given, as text.
    metrics
        Last value of each numeric metric, in the order of first use.
    curve_of, curve
        Name of the run's main metric, and a few of its points; empty where there is no curve.
    output_bytes
        Size of what the run left under ``outputs/``; None while it has not ended.
    error
        Why a failed run failed.
    """

    id: str
    experiment: str
    state: str
    display_name: str | None = None
    number: int = 0
    elapsed_s: float | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    curve_of: str = ""
    curve: tuple[float, ...] = ()
    output_bytes: int | None = None
    tags: dict[str, str | None] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class RunsView:
    """Runs as a table.

    Attributes
    ----------
    title
        What the runs have in common, in a few words.
    rows
        Those that are shown, in order.
    total
        How many there are.
    metrics
        Names of the metrics that were asked for; empty for the first ones.
    of_experiment
        All are of one experiment, which need not be said in each row.
    unreadable
        Number of run directories of the workspace that cannot be read.
    as_of
        Unix time at which it was so, if some of the runs are still going; None for what will not change.
    """

    title: str
    rows: tuple[RunRow, ...]
    total: int
    metrics: tuple[str, ...] = ()
    of_experiment: bool = True
    unreadable: int = 0
    as_of: float | None = None
