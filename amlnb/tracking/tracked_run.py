"""The writing half of a run: what a training script calls.

Standard library only, Python 3.7+. Wrong types raise as in v1; a fault of the file system never does (see ``faults``).
"""

from __future__ import annotations

import os
import time

from amlnb.core import edits, events, layout, records, states
from amlnb.errors import UserErrorException
from amlnb.tracking import artifacts, create, values
from amlnb.tracking import edits as edits_
from amlnb.tracking import seal as seal_
from amlnb.tracking.context import rank
from amlnb.tracking.faults import tell_once
from amlnb.tracking.journal import JournalWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Dict, List, Mapping, Optional, Type, Union

    from typing_extensions import Self

# Versions of the documents as v1 named them.
_SCHEMAS = {
    events.CONFUSION_MATRIX: "1.0.0",
    events.ACCURACY_TABLE: "1.0.1",
    events.RESIDUALS: "1.0.0",
    events.PREDICTIONS: "1.0.0",
}


class TrackedRun:
    """A run seen from the process that writes to it.

    Parameters
    ----------
    directory
        The run's directory.
    run_id, experiment_name
        Its identity, as in ``run.json``.
    role
        Who writes: the rank of a process of the run, or ``client``.
    owned
        The calling process *is* the run (``start_logging``, ``child_run``): complete() and fail() end it.
    """

    def __init__(self, directory: str, run_id: str, experiment_name: str, role: str, *, owned: bool = False) -> None:
        self._directory = directory
        self._run_id = run_id
        self._experiment_name = experiment_name
        self._owned = owned
        self._journal = JournalWriter(directory, role)
        self._log_float = self._journal.log_float

    @property
    def id(self) -> str:
        """The run's id."""
        return self._run_id

    @property
    def directory(self) -> str:
        """The run's directory: everything about it, in plain files (docs/format.md)."""
        return self._directory

    # -- metrics ---------------------------------------------------------------------------------------------------

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

        Kept as the artifact ``<name>_<unix seconds>.png`` for a figure, under its own path for a file.

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
        if path is not None:
            artifact = artifacts.artifact_name(str(path).lstrip("/").replace("../", ""))
            self._add_file(artifact, str(path))
        else:
            artifact = self._add_plot(name, plot)
        self._journal.log_line(name, events.IMAGE, {"artifact": artifact}, values.metric_step(name, step))

    def _add_plot(self, name: str, plot: Any) -> str:
        import io

        buffer = io.BytesIO()
        if not hasattr(plot, "savefig"):
            raise UserErrorException(
                f"the plot given to log_image of {name!r} is a {type(plot).__name__}, which has no savefig",
                hint="pass matplotlib.pyplot or a Figure",
            )
        plot.savefig(buffer, format="png")
        base = f"{artifacts.name_from_metric(name)}_{int(time.time())}"
        for number in range(1000):
            artifact = base + (f"-{number}" if number else "") + ".png"
            try:
                artifacts.add_bytes(self._directory, artifact, buffer.getvalue())
                break
            except FileExistsError:
                continue
            except OSError as error:
                tell_once(artifact, error)
                break
        return artifact

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
        import json

        values.metric_name(name)
        try:
            document = json.loads(value) if isinstance(value, str) else value
            text = json.dumps(document, default=values.to_scalar)
        except (ValueError, TypeError) as error:
            raise UserErrorException(
                "the value of the {} {!r} is not JSON: {}".format(kind.replace("_", " "), name, error)
            ) from error
        if not isinstance(document, dict):
            raise UserErrorException(
                "the value of the {} {!r} is a {}, not a dict".format(
                    kind.replace("_", " "), name, type(document).__name__
                ),
                hint=f"{{'schema_type': {kind!r}, 'schema_version': {_SCHEMAS[kind]!r}, 'data': {{...}}}}",
            )
        artifact = artifacts.name_from_metric(name)
        try:
            artifacts.add_bytes(self._directory, artifact, text.encode("ascii"))
        except FileExistsError as error:
            raise _taken(artifact) from error
        except OSError as error:
            tell_once(artifact, error)
        self._journal.log_line(name, kind, {"artifact": artifact})

    # -- tags and properties ---------------------------------------------------------------------------------------

    def tag(self, key: str, value: Any = None) -> None:
        """Set a tag; values become str, None stays None."""
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set several tags at once; others stay."""
        self._edit({"op": edits.TAGS, "tags": {str(key): _text(value) for key, value in dict(tags).items()}})

    def add_properties(self, properties: Mapping[str, Any]) -> None:
        """Add properties. They are immutable: of a key given twice the first value stays."""
        added = {str(key): str(value) for key, value in dict(properties).items()}
        self._edit({"op": edits.PROPERTIES, "properties": added})

    def _edit(self, edit: Dict[str, Any]) -> None:
        """Add an edit; a fault of the file system is told and never raised: training calls this."""
        try:
            edits_.add_edit(self._directory, edit)
        except OSError as error:
            tell_once(os.path.join(self._directory, layout.EDITS), error)

    # -- files -----------------------------------------------------------------------------------------------------

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: Optional[str] = None) -> None:
        """Keep a file, or what a stream holds, as ``name`` among the run's files.

        Raises
        ------
        UserErrorException
            The path does not exist, the name leads out of the run, or it is taken.
        """
        artifact = artifacts.artifact_name(name)
        if hasattr(path_or_stream, "read"):
            try:
                artifacts.add_stream(self._directory, artifact, path_or_stream)
            except FileExistsError as error:
                raise _taken(artifact) from error
            except OSError as error:
                tell_once(artifact, error)
        else:
            self._add_file(artifact, os.fspath(path_or_stream))

    def upload_files(self, names: List[str], paths: List[str], *_: Any, **__: Any) -> None:
        """Keep several files; ``names`` and ``paths`` are of one length."""
        if len(names) != len(paths):
            raise UserErrorException(
                f"upload_files was given {len(names)} names and {len(paths)} paths",
                hint="give one name a path",
            )
        for name, path in zip(names, paths):
            self.upload_file(name, path)

    def upload_folder(self, name: str, path: str, datastore_name: Optional[str] = None) -> None:
        """Keep every file below ``path`` as ``name/<relative path>``."""
        if not os.path.isdir(path):
            raise UserErrorException(f"upload_folder: there is no folder {path!r}", hint="check the path")
        for top, _, files in os.walk(path):
            for file in files:
                full = os.path.join(top, file)
                self.upload_file(f"{name}/{os.path.relpath(full, path)}", full)

    def _add_file(self, artifact: str, path: str) -> None:
        if not os.path.isfile(path):
            raise UserErrorException(
                f"there is no file {path!r} to keep as {artifact!r}",
                hint=f"paths are relative to the working directory {os.getcwd()!r}",
            )
        try:
            artifacts.add_file(self._directory, artifact, path)
        except FileExistsError as error:
            raise _taken(artifact) from error
        except OSError as error:
            tell_once(artifact, error)

    # -- life ------------------------------------------------------------------------------------------------------

    def child_run(self, name: Optional[str] = None, run_id: Optional[str] = None, outputs: Any = None) -> Self:
        """Start a child run that lives in this process: Running until its complete() or fail()."""
        import uuid

        from amlnb import host

        child_id = run_id or str(uuid.uuid4())
        record: Dict[str, Any] = {
            "id": child_id,
            "experiment": self._experiment_name,
            "type": None,
            "created": time.time(),
            "display_name": name,
            "parent": self._run_id,
            "target": "sdk",
            "home": {"kind": "local"},
            "owner": host.this_process(),
            "definition": None,
            "snapshot": None,
            "git": None,
            "tags": {},
            "properties": {},
            "warnings": [],
        }
        directory = create.create_run(os.path.dirname(self._directory), record)
        return self._child(directory, child_id)

    def _child(self, directory: str, run_id: str) -> Self:
        return self._attached(directory, run_id, self._experiment_name, rank(), owned=True)

    @classmethod
    def _attached(cls, directory: str, run_id: str, experiment_name: str, role: str, *, owned: bool) -> Self:
        """Make a run object of a directory, whatever the constructor of the subclass takes."""
        run = cls.__new__(cls)
        TrackedRun.__init__(run, directory, run_id, experiment_name, role, owned=owned)
        return run

    def flush(self, timeout_seconds: float = 300) -> None:
        """Try once more what a fault of the file system kept out. Everything else is durable already."""
        self._journal.flush()

    def complete(self, _set_status: bool = True) -> None:
        """End a run that lives in this process as Completed; of a submitted run only flush."""
        self._end(states.COMPLETED if _set_status else None, None)

    def fail(self, error_details: Any = None, error_code: Optional[str] = None, _set_status: bool = True) -> None:
        """End a run that lives in this process as Failed; of a submitted run only flush.

        Raises
        ------
        TypeError
            ``error_details`` is neither str nor exception.
        """
        if error_details is not None and not isinstance(error_details, (str, BaseException)):
            raise TypeError(f"error_details is a str or an exception, not {type(error_details).__name__}")
        error = {"code": error_code or "UserError", "message": "" if error_details is None else str(error_details)}
        self._end(states.FAILED if _set_status else None, error)

    def _end(self, state: Optional[str], error: Optional[Dict[str, Any]]) -> None:
        self.flush()
        if not self._owned or state is None:
            return
        ended = {
            "attempt": 1,
            "state": state,
            "started": None,
            "ended": time.time(),
            "exit_code": None,
            "signal": None,
            "reason": None,
            "error": error,
            "warnings": [],
        }
        try:
            seal_.seal(self._directory, ended)
        except OSError as fault:
            tell_once(self._directory, fault)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> Optional[bool]:
        """Complete, or fail with the exception. ``SystemExit(0)`` counts as success and ends here, as in v1."""
        if kind is None or (isinstance(error, SystemExit) and error.code in (0, None)):
            self.complete()
            return kind is not None
        self.fail(f"{kind.__name__}: {error}")
        return None


def _text(value: Any) -> Optional[str]:
    return None if value is None else str(value)


def _taken(artifact: str) -> UserErrorException:
    return UserErrorException(
        f"Resource Conflict: the run has a file {artifact!r} already",
        hint="files of a run are never overwritten; choose another name",
    )
