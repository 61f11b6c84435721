"""What is shown of runs that are compared: plain values between those who read runs and those who draw them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amlnb.specs.run_view import Series


@dataclass(frozen=True)
class ComparedRun:
    """A run beside others.

    Attributes
    ----------
    label
        What it is called here; no other run of the comparison has the same.
    elapsed_s
        Seconds since the start (until the end); None before the start.
    error
        Why it failed; empty if it did not.
    parameters, tags, environment
        As text; an absent value is another one than an empty one.
    metrics
        Last value of each numeric metric, in the order of first use.
    series
        Curves of those metrics that have more than one point.
    """

    label: str
    state: str
    elapsed_s: float | None = None
    error: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)


@dataclass(frozen=True)
class FileDifference:
    """A file of the source that is not the same in all runs.

    Attributes
    ----------
    path
        Its path in the snapshots.
    versions
        For each run the number of its version, from 0 in the order of the runs; None where the file is not there.
    diff
        Unified diff of the first two runs, without its head; empty if there is none to show.
    note
        Why there is no diff, or what became of the file.
    """

    path: str
    versions: tuple[int | None, ...]
    diff: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class CodeView:
    """How the source of runs differs.

    Attributes
    ----------
    same
        Number of files that are the same in all runs.
    unknown
        Why the source of some run cannot be compared; empty if all can be.
    """

    files: tuple[FileDifference, ...] = ()
    same: int = 0
    unknown: str = ""


@dataclass(frozen=True)
class ComparisonView:
    """Runs side by side, in the order they were given."""

    runs: tuple[ComparedRun, ...]
    code: CodeView = field(default_factory=CodeView)
