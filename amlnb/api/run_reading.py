"""The reading half of ``Run``: what its methods do once the toolkit is there."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from amlnb.api.environment import Environment
from amlnb.api.run import Run
from amlnb.api.run_configuration import DEFAULT_ENVIRONMENT
from amlnb.core import coercion, states
from amlnb.core.filters import has
from amlnb.core.replay import RunFacts
from amlnb.engine import deaths, follow
from amlnb.engine import look as looking
from amlnb.engine.kept_environment import kept_lock
from amlnb.errors import FormatError, UserErrorException
from amlnb.specs.environment_spec import EnvironmentSpec
from amlnb.store import series
from amlnb.store.index import RunSummary
from amlnb.store.pandas_extra import need_pandas
from amlnb.store.run_reader import RunReader

if TYPE_CHECKING:
    import pandas as pd

_FAILS_WITHIN_S = 5.0


def open_reader(directory: str) -> RunReader:
    """Open a run directory for reading."""
    return RunReader(directory)


def look(reader: RunReader) -> RunFacts:
    """Bring a reader up to date, do what is owed to the run, and return what is known of it."""
    looking.look(reader)
    return reader.facts()


def cancel(run: Run) -> None:
    """Ask for a run's end."""
    looking.cancel(run._reader(), f"pid {os.getpid()}")


def end(run: Run, state: str, error: dict[str, Any] | None) -> None:
    """End a run that does not live in this process, as its client says.

    One that some process made is sealed; one that was submitted is ended where it is said to have failed, and goes on
    where it is said to be complete: that is what its own end will tell.
    """
    reader = run._reader()
    if states.is_terminal(look(reader).phase):
        return
    if reader.record.get("owner") is not None:
        deaths.seal_run(reader, {"state": state, "error": error})
    elif state == states.FAILED:
        looking.cancel(reader, f"pid {os.getpid()}", error)
        # v1 said Failed at once; what hears of it here takes a moment.
        list(follow.as_ended([reader], _FAILS_WITHIN_S))
    else:
        print(f"Warning: complete() leaves the run {run.id!r} as it is: it ends when its script does")


def run_at(directory: str, experiment: Any = None) -> Run:
    """Make a run object of a run directory."""
    reader = RunReader(directory)
    run = Run._attached(directory, reader.id, reader.experiment, "client", owned=False)
    run._kept_reader = reader
    if experiment is not None:
        run._experiment = experiment
    return run


def metric_series(run: Run, name: str, index: str) -> pd.Series[Any]:
    """One metric as a pandas Series."""
    if index not in ("step", "time"):
        raise UserErrorException(f"the index of a metric is 'step' or 'time', not {index!r}")
    reader = run._reader()
    reader.refresh()
    known = reader.metric_names()
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        raise UserErrorException(
            f"the run {run.id!r} has no metric {name!r}",
            hint=f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(known[:20]) or 'none so far'}",
        )
    return series.to_pandas(reader.series(name), name, index)


def system_metrics(run: Run) -> pd.DataFrame:
    """What a run used of its machine, as a table over time."""
    need_pandas("a table of what a run used")
    import pandas as pd

    columns = {name: series.to_pandas(points, name, "time") for name, points in run._reader().system_series().items()}
    if not columns:
        return pd.DataFrame(index=pd.DatetimeIndex([], name="time"))
    # The metrics of one sample are logged microseconds apart: the first one's time stands for all.
    times = next(iter(columns.values())).index
    aligned = [
        column.reindex(times, method="nearest", tolerance=pd.Timedelta(seconds=1)) for column in columns.values()
    ]
    return pd.concat(aligned, axis=1)


def matches(summary: RunSummary, tags: Any, properties: Any, kind: str | None, status: str | None) -> bool:
    """Tell whether a run has these tags (a key, or a dict of key and value), properties, type and state."""
    return (
        has(summary.tags, tags)
        and has(summary.properties, properties)
        and (kind is None or summary.type == kind)
        and (status is None or summary.state == status)
    )


def environment(directory: str, record: Mapping[str, Any]) -> Environment:
    """What was asked for as the environment of a run; where nothing was, the Python that it had.

    Raises
    ------
    FormatError
        The run's record is damaged, or of a newer version.
    """
    definition = coercion.mapping(record.get("definition"))
    asked = definition.get("environment")
    if isinstance(asked, Mapping):
        try:
            return Environment.from_spec(EnvironmentSpec.from_dict(asked))
        except (TypeError, AttributeError) as error:
            raise FormatError(f"the environment in the record of {directory!r} is damaged: {error}") from error
    return _given(definition)


def _given(definition: Mapping[str, Any]) -> Environment:
    """The Python that a run was given, as an environment."""
    found = Environment(DEFAULT_ENVIRONMENT)
    found.environment_variables = {}
    found.python.user_managed_dependencies = True
    found.python.interpreter_path = str(definition.get("interpreter") or found.python.interpreter_path)
    return found


def environment_document(directory: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The environment of a run as v1 told it; ``lock`` is what it was exactly, where it was built."""
    definition = coercion.mapping(record.get("definition"))
    try:
        document = environment(directory, record).to_document()
    except UserErrorException:  # damaged, or a newer version's: all else can be told
        document = _given(definition).to_document()
    document["environmentVariables"] = coercion.mapping(definition.get("environment_variables"))
    lock = kept_lock(directory)
    if lock is not None:
        document["lock"] = {
            "builder": lock.tool,
            "python": lock.python,
            "image": lock.image,
            "packages": lock.versions(),
        }
    return document
