"""The run of a script that is not part of any run: it prints what it would have kept."""

from __future__ import annotations

from amlnb.tracking import progress, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, List, Mapping, Optional, Type


class OfflineRun:
    """What ``Run.get_context()`` gives outside of a run.

    It has the logging methods of a run and nothing else (``experiment``, ``get_metrics`` and the like raise
    AttributeError, as in v1), checks values as a run does, and prints them.
    """

    def __init__(self, run_id: Optional[str] = None) -> None:
        import uuid

        self.id = run_id or f"OfflineRun_{uuid.uuid4()}"

    def log(self, name: str, value: Any, description: str = "", step: Optional[float] = None) -> None:
        """Print a scalar."""
        values.metric_step(name, step)
        _attempted("scalar metric", values.metric_name(name), values.log_value(name, value))

    def log_list(self, name: str, value: Any, description: str = "", step: Optional[float] = None) -> None:
        """Print a list."""
        _attempted("list", values.metric_name(name), values.list_values(name, value))

    def log_row(self, name: str, description: Optional[str] = None, **kwargs: Any) -> None:
        """Print a row."""
        _attempted("row", values.metric_name(name), values.row_values(name, kwargs))

    def log_table(self, name: str, value: Mapping[str, Any], description: str = "") -> None:
        """Print a table."""
        _attempted("table", values.metric_name(name), values.table_values(name, value))

    def log_image(
        self, name: str, path: Optional[str] = None, plot: Any = None, description: str = "", step: Optional[int] = None
    ) -> None:
        """Print what the picture was."""
        _attempted("image", name, path if path is not None else plot)

    def log_confusion_matrix(self, name: str, value: Any, description: str = "") -> None:
        """Print a confusion matrix."""
        _attempted("confusion matrix", name, value)

    def log_accuracy_table(self, name: str, value: Any, description: str = "") -> None:
        """Print an accuracy table."""
        _attempted("accuracy table", name, value)

    def log_residuals(self, name: str, value: Any, description: str = "") -> None:
        """Print residuals."""
        _attempted("residuals", name, value)

    def log_predictions(self, name: str, value: Any, description: str = "") -> None:
        """Print predictions."""
        _attempted("predictions", name, value)

    def progress(self, i: float, n: float, text: Optional[str] = None) -> None:
        """Check what is given, and print nothing: the script shows its own progress."""
        progress.check(i, n, text)

    def tag(self, key: str, value: Any = None) -> None:
        """Print a tag."""
        _say(f"Attempted to add tag {key} with value {value}")

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Print tags."""
        for key, value in tags.items():
            self.tag(key, value)

    def add_properties(self, properties: Mapping[str, Any]) -> None:
        """Print properties."""
        _say(f"Attempted to add properties {dict(properties)}")

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: Optional[str] = None) -> None:
        """Print the file's name."""
        _say(f"Attempted to track file {name} at {path_or_stream}")

    def upload_files(
        self,
        names: List[str],
        paths: List[str],
        return_artifacts: bool = False,
        timeout_seconds: Optional[float] = None,
        datastore_name: Optional[str] = None,
    ) -> None:
        """Print the files' names."""
        for name, path in zip(names, paths):
            self.upload_file(name, path)

    def upload_folder(self, name: str, path: str, datastore_name: Optional[str] = None) -> None:
        """Print the folder's name."""
        _say(f"Attempted to track folder {name} at {path}")

    def child_run(self, name: Optional[str] = None, run_id: Optional[str] = None, outputs: Any = None) -> OfflineRun:
        """Return another offline run."""
        return OfflineRun(run_id or f"{self.id}.{name}")

    def flush(self, timeout_seconds: float = 300) -> None:
        """Do nothing: there is nothing to keep."""

    def complete(self, _set_status: bool = True) -> None:
        """Do nothing: there is no state."""

    def fail(self, error_details: Any = None, error_code: Optional[str] = None, _set_status: bool = True) -> None:
        """Do nothing: there is no state."""

    def cancel(self) -> None:
        """Do nothing: there is no run to cancel."""

    def __enter__(self) -> OfflineRun:  # noqa: PYI034 - typing.Self is newer than 3.7
        _say(f"[START] Run {self.id} context")
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        _say(f"[STOP] Run {self.id} context")


def _attempted(kind: str, name: str, value: object) -> None:
    _say(f"Attempted to log {kind} {name}:\n{value}")


def _say(text: str) -> None:
    """Print any text: what stdout's encoding does not have is escaped."""
    try:
        print(text)
    except UnicodeEncodeError as error:
        print(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
