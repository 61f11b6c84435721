"""Shapes of the answers, as `labextension/src/core/contract.ts` has them: the OpenAPI document is made of these."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from amlnb.core import states

# A number; what JSON does not have stands as text: "NaN", "Infinity", "-Infinity".
JsonNumber = Annotated[float, "number"]
State = Annotated[str, states.ALL]
Can = Literal["cancel", "resubmit", "rename", "tag", "archive", "delete"]


class Fault(TypedDict):
    """Body of every answer that is an error."""

    message: str
    hint: str | None


class About(TypedDict):
    """What serves."""

    version: str
    acts: bool
    page: str


class WorkspaceInfo(TypedDict):
    """A workspace; `key` names it in addresses."""

    key: str
    name: str
    path: str
    current: bool


class Workspaces(TypedDict):
    """The workspaces that are served."""

    workspaces: list[WorkspaceInfo]


class Found(TypedDict):
    """The workspace that holds a run."""

    workspace: WorkspaceInfo


class ExperimentInfo(TypedDict):
    """An experiment, its runs without children and archived ones; `newest` is when its newest run was made."""

    name: str
    runs: int
    running: int
    newest: float | None


class Experiments(TypedDict):
    """The experiments of a workspace."""

    experiments: list[ExperimentInfo]


class MetricSummary(TypedDict):
    """A metric in four numbers; lowest and highest are those of the finite points."""

    count: int
    last: JsonNumber
    min: JsonNumber
    max: JsonNumber


class RunRow(TypedDict):
    """A run as a row of a table."""

    id: str
    experiment: str
    number: int
    name: str | None
    type: str | None
    state: State
    target: str
    parent: str | None
    created: float
    started: float | None
    ended: float | None
    elapsed_s: float | None
    archived: bool
    script: str | None
    error: str | None
    parameters: dict[str, str]
    tags: dict[str, str | None]
    metrics: dict[str, MetricSummary]


class Columns(TypedDict):
    """Names among the runs that match."""

    parameters: list[str]
    metrics: list[str]
    tags: list[str]


class Best(TypedDict):
    """The best value of a metric, and whose it is."""

    direction: Literal["min", "max"] | None
    value: JsonNumber | None
    run: str | None


class Runs(TypedDict):
    """A page of the table of runs."""

    runs: list[RunRow]
    total: int
    unreadable: int
    columns: Columns
    best: dict[str, Best]


class GroupMetric(TypedDict):
    """A metric over the runs of a group: mean, lowest and highest of the last values."""

    count: int
    mean: JsonNumber
    low: JsonNumber
    high: JsonNumber


class Group(TypedDict):
    """Runs that have a value in common."""

    value: str | None
    runs: int
    ids: list[str]
    metrics: dict[str, GroupMetric]


class Groups(TypedDict):
    """Runs by the values of a column."""

    by: str
    groups: list[Group]


class Progress(TypedDict):
    """How far a run is."""

    done: float
    total: float
    text: str | None
    left_s: float | None


class Local(TypedDict):
    """A local value of a frame."""

    name: str
    type: str
    value: str


class FailureFrame(TypedDict):
    """A frame of a failure."""

    file: str
    line: int | None
    function: str
    code: str
    locals: list[Local]


class Failure(TypedDict):
    """Why a run failed; the person's own frames come first."""

    code: str | None
    message: str
    hint: str | None
    details: str | None
    frames: list[FailureFrame]


class LogFile(TypedDict):
    """The log that is shown first."""

    file: str
    bytes: int


class RunDocument(RunRow):
    """Everything about a run but its points, its log and its files."""

    attempt: int
    reason: str | None
    warnings: list[str]
    failure: Failure | None
    progress: Progress | None
    properties: dict[str, str]
    git: dict[str, str]
    environment: dict[str, str]
    command: str | None
    host: str | None
    children: int
    log: LogFile
    can: list[Can]


class Submitted(TypedDict):
    """A run that was submitted."""

    run: str
    experiment: str
    workspace: str


class NotebookParameter(TypedDict):
    """A parameter of a notebook."""

    name: str
    value: str
    type: str | None
    help: str | None


class NotebookParameters(TypedDict):
    """What the cell tagged "parameters" sets."""

    parameters: list[NotebookParameter]


class Target(TypedDict):
    """A compute target."""

    name: str
    type: str


class Choices(TypedDict):
    """What may stand in the form of a submission."""

    targets: list[Target]
    environments: list[str]
    experiments: list[str]
