"""The metrics of a run, as a training script logs them: scalars, lists, rows, tables, pictures and documents.

Standard library only, Python 3.7+. Wrong types raise as in v1; a fault of the file system never does (see ``faults``).
"""

from __future__ import annotations

import os
import time

from amlnb.core import events, records
from amlnb.errors import UserErrorException
from amlnb.tracking import artifacts, values
from amlnb.tracking.forks import importing
from amlnb.tracking.journal import JournalWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Optional, Union

# Versions of the documents as v1 named them.
_SCHEMAS = {
    events.CONFUSION_MATRIX: "1.0.0",
    events.ACCURACY_TABLE: "1.0.1",
    events.RESIDUALS: "1.0.0",
    events.PREDICTIONS: "1.0.0",
}


class MetricLog:
    """What is logged to one run by this process.

    Parameters
    ----------
    directory
        The run's directory.
    role
        Who writes: the rank of a process of the run, or ``client``.
    """

    def __init__(self, directory: str, role: str) -> None:
        self._directory = directory
        self._journal = JournalWriter(directory, role)
        self._log_float = self._journal.log_float

    def log(self, name: str, value: Any, description: str = "", step: Optional[float] = None) -> None:
        """Log one scalar; when this returns, the point survives ``kill -9``.

        Parameters
        ----------
        name
            The metric. Values logged under one name form a list, in order.
        value
            A number, str, bool or None; a NumPy or tensor scalar is unboxed; anything else is kept as its ``repr``.
        description
            Accepted as in v1, and not kept.
        step
            Position on the x axis.

        Raises
        ------
        UserErrorException
            A list, range or generator (see :meth:`log_list`), or a name that is not a non-empty str.
        """
        if type(value) is float and type(name) is str and name:
            if step is None:
                self._log_float(name, value)
                return
            if type(step) is int and -(2**63) < step < 2**63:
                self._log_float(name, value, step)
                return
        self._log_any(values.metric_name(name), values.log_value(name, value), values.metric_step(name, step))

    def _log_any(self, name: str, value: values.Scalar, step: Optional[Union[int, float]]) -> None:
        journal = self._journal
        fits = step is None or (isinstance(step, int) and records.NO_STEP < step <= records.INT64_MAX)
        at = records.NO_STEP if step is None or not fits else int(step)
        if isinstance(value, str):
            journal.log_line(name, events.STR, value, step)
        elif isinstance(value, int) and not isinstance(value, bool):
            if fits and records.INT64_MIN <= value <= records.INT64_MAX:
                journal.log_int(name, value, at)
            else:
                journal.log_line(name, events.INT, value, step)
        elif not fits:
            journal.log_line(name, events.FLOAT, value, step)
        elif isinstance(value, float):
            journal.log_float(name, value, at)
        elif value is None:
            journal.log_int(name, 0, at, records.NONE)
        else:
            journal.log_int(name, int(value), at, records.BOOL)

    def log_list(self, name: str, value: Any, description: str = "", step: Optional[float] = None) -> None:
        """Log several scalars at once; a second list under the same name is appended to the first.

        ``value`` is any iterable of scalars, a generator or one-dimensional array included; an empty one is dropped.
        """
        logged = values.list_values(values.metric_name(name), value)
        if logged:
            self._journal.log_line(name, events.LIST, logged, values.metric_step(name, step))

    def log_row(self, name: str, description: Optional[str] = None, **kwargs: Any) -> None:
        """Log one row of a table, a column a keyword."""
        self._journal.log_line(values.metric_name(name), events.ROW, values.row_values(name, kwargs))

    def log_table(self, name: str, value: Mapping[str, Any], description: str = "") -> None:
        """Log a table: a dict of lists of one length. An empty dict is dropped."""
        columns = values.table_values(values.metric_name(name), value)
        if columns:
            self._journal.log_line(name, events.TABLE, columns)

    def log_image(
        self, name: str, path: Optional[str] = None, plot: Any = None, description: str = "", step: Optional[int] = None
    ) -> None:
        """Log a picture: the path of a file, or a matplotlib figure (or ``pyplot`` itself).

        Kept as the artifact ``<name>_<unix seconds>.png`` for a figure, under its own path for a file; where that name
        is taken, with a number before its ending.

        Raises
        ------
        UserErrorException
            Neither or both of ``path`` and ``plot``; a path that cannot be read; a plot that cannot be saved.
        """
        values.metric_name(name)
        if (path is None) == (plot is None):
            raise UserErrorException(
                f"log_image of {name!r} takes either path or plot", hint="run.log_image('loss', plot=figure)"
            )
        at = values.metric_step(name, step)
        if path is not None:
            source = os.fspath(path)
            artifacts.check_file(source, name)
            wanted = artifacts.name_from_path(source)
            artifact = artifacts.log_file(self._directory, wanted, source)
        else:
            wanted = f"{artifacts.name_from_metric(name)}_{int(time.time())}.png"
            artifact = artifacts.log_bytes(self._directory, wanted, _picture(name, plot))
        self._journal.log_line(name, events.IMAGE, {"artifact": artifact}, at)

    def log_confusion_matrix(self, name: str, value: Any, description: str = "") -> None:
        """Log a confusion matrix: a dict (or JSON text) with ``schema_type``, ``schema_version`` and ``data``."""
        self._log_document(events.CONFUSION_MATRIX, name, value)

    def log_accuracy_table(self, name: str, value: Any, description: str = "") -> None:
        """Log an accuracy table, in the same form."""
        self._log_document(events.ACCURACY_TABLE, name, value)

    def log_residuals(self, name: str, value: Any, description: str = "") -> None:
        """Log a residuals chart, in the same form."""
        self._log_document(events.RESIDUALS, name, value)

    def log_predictions(self, name: str, value: Any, description: str = "") -> None:
        """Log a predictions chart, in the same form."""
        self._log_document(events.PREDICTIONS, name, value)

    def _log_document(self, kind: str, name: str, value: Any) -> None:
        with importing:
            import json

        values.metric_name(name)
        try:
            document = json.loads(value) if isinstance(value, str) else value
            text = json.dumps(document, default=_plain)
        except (ValueError, TypeError) as error:
            raise UserErrorException(
                "the value of the {} {!r} is not JSON: {}".format(kind.replace("_", " "), name, error),
                hint=f"{{'schema_type': {kind!r}, 'schema_version': {_SCHEMAS[kind]!r}, 'data': {{...}}}}",
            ) from error
        if not isinstance(document, dict):
            raise UserErrorException(
                "the value of the {} {!r} is a {}, not a dict".format(
                    kind.replace("_", " "), name, type(document).__name__
                ),
                hint=f"{{'schema_type': {kind!r}, 'schema_version': {_SCHEMAS[kind]!r}, 'data': {{...}}}}",
            )
        wanted = artifacts.name_from_metric(name)
        artifact = artifacts.log_bytes(self._directory, wanted, text.encode("ascii"))
        self._journal.log_line(name, kind, {"artifact": artifact})


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else values.to_scalar(value)


def _picture(name: str, plot: Any) -> bytes:
    import io

    if not hasattr(plot, "savefig"):
        raise UserErrorException(
            f"the plot given to log_image of {name!r} is a {type(plot).__name__}, which has no savefig",
            hint="pass matplotlib.pyplot or a Figure",
        )
    buffer = io.BytesIO()
    plot.savefig(buffer, format="png")
    return buffer.getvalue()
