"""Shapes of the answers about what is in a run: metrics, log, files, code. See `amlnb.server.contract`."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from amlnb.server.contract import MetricSummary, RunRow


class LoggedText(TypedDict):
    """Texts that were logged."""

    name: str
    kind: Literal["text"]
    values: list[str]


class LoggedTable(TypedDict):
    """A table that was logged."""

    name: str
    kind: Literal["table"]
    columns: list[str]
    rows: list[list[str]]
    truncated: bool


class LoggedImage(TypedDict):
    """An image that was logged: a file of the run."""

    name: str
    kind: Literal["image"]
    file: str


class Metrics(TypedDict):
    """What a run logged, and what was sampled of the machine."""

    metrics: dict[str, MetricSummary]
    system: dict[str, MetricSummary]
    logged: list[LoggedText | LoggedTable | LoggedImage]


class LogStyle(TypedDict):
    """How a terminal shows a part of a line."""

    colour: NotRequired[int | list[int]]
    ground: NotRequired[int | list[int]]
    bold: NotRequired[bool]
    dim: NotRequired[bool]
    italic: NotRequired[bool]
    underline: NotRequired[bool]
    inverse: NotRequired[bool]


class LogLine(TypedDict):
    """A line of a log, the byte at which it begins, and (begin, end, style) of what is not plain."""

    at: int
    text: str
    styles: list[tuple[int, int, LogStyle]]


# Whole lines of a log that cover the bytes [from, to); by a call, because `from` is a keyword.
LogPart = TypedDict("LogPart", {"file": str, "size": int, "from": int, "to": int, "lines": list[LogLine]})


class LogMatch(TypedDict):
    """A line that holds what was searched."""

    at: int
    line: LogLine


class LogMatches(TypedDict):
    """Lines that hold what was searched, and where to go on."""

    matches: list[LogMatch]
    next: int | None


class FileInfo(TypedDict):
    """A file of a run."""

    name: str
    bytes: int
    modified: float


class Files(TypedDict):
    """The files of a run, and why some are not among them."""

    files: list[FileInfo]
    warnings: list[str]


class ImagePreview(TypedDict):
    """A picture; `download` with `inline` brings it."""

    kind: Literal["image"]
    bytes: int


class TablePreview(TypedDict):
    """The beginning of a table."""

    kind: Literal["table"]
    columns: list[str]
    rows: list[list[str]]
    truncated: bool
    note: str | None


class TextPreview(TypedDict):
    """The beginning of a text."""

    kind: Literal["text"]
    text: str
    truncated: bool


class NoPreview(TypedDict):
    """Why there is nothing to see."""

    kind: Literal["none"]
    note: str


Preview = ImagePreview | TablePreview | TextPreview | NoPreview


class CodeFile(TypedDict):
    """A file of a run's source."""

    path: str
    bytes: int


class Code(TypedDict):
    """The source of a run."""

    files: list[CodeFile]
    entry: str | None
    unknown: str


class CodeText(TypedDict):
    """The text of a file of a run's source."""

    path: str
    text: str
    truncated: bool


class FileDiff(TypedDict):
    """How a file differs: a unified diff without its head."""

    path: str
    diff: list[str]
    note: str


class CodeDiff(TypedDict):
    """How the source of a run differs from another one."""

    files: list[FileDiff]
    same: int
    unknown: str


class ComparedRun(RunRow):
    """A run beside others."""

    label: str
    environment: dict[str, str]
    git: dict[str, str]


class Comparison(TypedDict):
    """Runs side by side."""

    runs: list[ComparedRun]


class Bundle(TypedDict):
    """An output as nbformat has it."""

    data: dict[str, Any]
    metadata: dict[str, Any]


class Outputs(TypedDict):
    """The two outputs of a run in a saved notebook."""

    picture: Bundle
    details: Bundle
