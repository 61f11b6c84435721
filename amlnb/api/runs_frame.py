"""The runs of an experiment as a pandas table."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from amlnb.store.index import RunSummary
from amlnb.store.pandas_extra import need_pandas

if TYPE_CHECKING:
    import pandas as pd


def frame_of(summaries: Iterable[RunSummary]) -> pd.DataFrame:
    """One row a run; for the columns see ``Experiment.to_dataframe``.

    Raises
    ------
    UserErrorException
        pandas is not installed.
    """
    need_pandas("a table of runs")
    import pandas as pd

    rows = [_row(summary) for summary in summaries]
    frame = pd.DataFrame(rows, columns=None if rows else ["run", "number", "name", "state", "created"])
    frame["created"] = pd.to_datetime(frame["created"], unit="s", utc=True)
    for name in frame.columns:
        if name.startswith("param."):
            with contextlib.suppress(ValueError, TypeError):  # words stay words
                frame[name] = pd.to_numeric(frame[name])
    return frame


def _row(summary: RunSummary) -> dict[str, Any]:
    duration = None if summary.ended is None or summary.started is None else summary.ended - summary.started
    row = {
        "run": summary.id,
        "number": summary.number,
        "name": summary.display_name,
        "state": summary.state,
        "created": summary.created,
        "duration_s": duration,
        "target": summary.target,
        **{key: value for key, value in summary.properties.items() if key.startswith("param.")},
        **{f"tag.{key}": value for key, value in summary.tags.items()},
        **{f"metric.{name}": metric["last"] for name, metric in summary.metrics.items()},
    }
    return {_encodable(key): _encodable(value) for key, value in row.items()}


def _encodable(value: Any) -> Any:
    """Half a character, as damaged files hold them, as its escape: where pyarrow is there, pandas takes only UTF-8."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else value
