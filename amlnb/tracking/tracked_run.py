"""The writing half of a run: what a training script calls.

Standard library only, Python 3.7+. Wrong types raise as in v1; a fault of the file system never does (see ``faults``).
"""

from __future__ import annotations

import errno
import os
import time

from amlnb.core import edits, events, layout, states
from amlnb.errors import UserErrorException
from amlnb.tracking import artifacts, create, faults
from amlnb.tracking import edits as edits_
from amlnb.tracking import seal as seal_
from amlnb.tracking.context import is_alone, rank
from amlnb.tracking.forks import importing
from amlnb.tracking.metric_log import MetricLog
from amlnb.tracking.progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Dict, List, Mapping, Optional, Type

    from typing_extensions import Self

    from amlnb.tracking.console import Console

_CHILDREN_AT_MOST = 100
_CHILD_TAG = "azureml.batch_child_number"


class TrackedRun(MetricLog):
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
        super().__init__(directory, role)
        self._run_id = run_id
        self._experiment_name = experiment_name
        self._owned = owned
        self._pid = os.getpid()
        # Folder whose files are the run's outputs when it ends here.
        self._outputs: Optional[str] = None
        self._console: Optional[Console] = None
        self._progress = Progress(self._journal.write_event)

    @property
    def id(self) -> str:
        """The run's id."""
        return self._run_id

    @property
    def directory(self) -> str:
        """The run's directory: everything about it, in plain files (docs/format.md)."""
        return self._directory

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
        """Add an edit; what a fault of the file system keeps out is tried again, for training calls this."""
        faults.attempt(self._directory, str(edit["op"]), lambda: edits_.add_edit(self._directory, edit))

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
            artifacts.add_stream(self._directory, artifact, path_or_stream, self._warn)
        else:
            path = os.fspath(path_or_stream)
            artifacts.check_file(path, artifact)
            artifacts.add_file(self._directory, artifact, path, self._warn)

    def upload_files(
        self,
        names: List[str],
        paths: List[str],
        return_artifacts: bool = False,
        timeout_seconds: Optional[float] = None,
        datastore_name: Optional[str] = None,
    ) -> None:
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

    def _warn(self, text: str) -> None:
        """Put a warning among the run's own."""
        self._journal.write_event({"t": events.WARNING, "time": time.time(), "text": text})

    def progress(self, i: float, n: float, text: Optional[str] = None) -> None:
        """Tell how far the run is: shown with the time that is left, and nothing of it once the run has ended.

        Costs about a microsecond; of more than a hundred calls at most five a second are written.

        Parameters
        ----------
        i, n
            So much of so much is done. A smaller ``i`` or another ``n`` than before begins anew.
        text
            What is being done, such as ``"epoch 3"``.

        Raises
        ------
        UserErrorException
            ``i`` or ``n`` is no number of 0 or more, or ``text`` is no str.
        """
        self._progress.tell(i, n, text)

    # -- life ------------------------------------------------------------------------------------------------------

    def child_run(
        self, name: Optional[str] = None, run_id: Optional[str] = None, outputs: Optional[str] = None
    ) -> Self:
        """Start a child run that lives in this process: Running until its complete() or fail().

        Parameters
        ----------
        name
            Its display name.
        run_id
            Its id; one is made up without.
        outputs
            A folder whose files are the child's outputs when it ends.
        """
        return self._new_child(name, run_id, {}, outputs)

    def create_children(
        self, count: Optional[int] = None, tag_key: Optional[str] = None, tag_values: Any = None
    ) -> List[Self]:
        """Start several child runs that live in this process.

        Parameters
        ----------
        count
            How many, up to 100; each gets the tag ``azureml.batch_child_number`` with its number.
        tag_key, tag_values
            Instead of a count: one child for each value, which is its tag under this key.

        Raises
        ------
        UserErrorException
            Neither or both of ``count`` and ``tag_values``, or too many.
        """
        if (count is None) == (tag_values is None):
            raise UserErrorException(
                "create_children takes either a count or tag_key and tag_values",
                hint="run.create_children(count=5), or run.create_children(tag_key='fold', tag_values=['a', 'b'])",
            )
        values = list(range(count)) if isinstance(count, int) else list(tag_values or ())
        if count is not None and not isinstance(count, int):
            raise UserErrorException(f"the count of create_children is a number, not {count!r:.100}")
        if not 1 <= len(values) <= _CHILDREN_AT_MOST:
            raise UserErrorException(
                f"create_children makes 1 to {_CHILDREN_AT_MOST} runs at once, not {len(values)}",
                hint="call it several times",
            )
        key = str(tag_key or _CHILD_TAG)
        return [self._new_child(None, None, {key: _text(value)}) for value in values]

    def _watched_files(self) -> Dict[str, str]:
        """``{name: path}`` of what will be the run's outputs when it ends here."""
        top = self._outputs
        if top is None or not self._owned:
            return {}
        paths = [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
        return {"outputs/" + os.path.relpath(path, top).replace(os.sep, "/"): path for path in paths}

    def _new_child(
        self,
        name: Optional[str],
        run_id: Optional[str],
        tags: Dict[str, Optional[str]],
        outputs: Optional[str] = None,
    ) -> Self:
        with importing:
            import hashlib  # noqa: F401 - a directory's name needs it
            import uuid

        child_id = run_id or str(uuid.uuid4())
        made = create.record_of_process(self._experiment_name, child_id, name)
        record = {**made, "parent": self._run_id, "git": None, "tags": tags, "properties": {}}
        runs = self._runs_folder()
        directory = os.path.join(runs, layout.run_directory_name(self._experiment_name, child_id))
        faults.attempt(directory, "child run", lambda: create.create_run(runs, record))
        child = self._attached(directory, child_id, self._experiment_name, rank(), owned=True)
        if outputs is not None:
            child._watch_outputs(outputs)  # noqa: SLF001 - another object of this class
        return child

    def _runs_folder(self) -> str:
        """Where children are made: beside this run, or in it where it sees nothing else of its workspace."""
        beside = os.path.dirname(self._directory)
        if os.path.basename(beside) != layout.CHILDREN and is_alone(self._directory):
            return os.path.join(self._directory, layout.CHILDREN)
        return beside

    def _watch_outputs(self, folder: str) -> None:
        """Make a folder, whose files are the run's outputs when it ends here."""
        self._outputs = os.path.abspath(folder)
        try:
            os.makedirs(self._outputs, exist_ok=True)
        except OSError as error:
            self._warn(f"the folder of its outputs {folder!r} cannot be made: {error.strerror}")

    @classmethod
    def _attached(cls, directory: str, run_id: str, experiment_name: str, role: str, *, owned: bool) -> Self:
        """Make a run object of a directory, whatever the constructor of the subclass takes."""
        run = cls.__new__(cls)
        TrackedRun.__init__(run, directory, run_id, experiment_name, role, owned=owned)
        return run

    def flush(self, timeout_seconds: float = 300) -> None:
        """Try once more what a fault of the file system kept out. Everything else is durable already."""
        faults.retry()
        self._journal.flush()

    def complete(self, _set_status: bool = True) -> None:
        """End a run that lives in this process as Completed; of a submitted run only flush."""
        self._end(states.COMPLETED if _set_status else None, None)

    def fail(self, error_details: Any = None, error_code: Optional[str] = None, _set_status: bool = True) -> None:
        """End a run that lives in this process as Failed; of the submitted run of this process only flush.

        Parameters
        ----------
        error_details
            What went wrong: a text, or an exception.
        error_code
            A word for its kind; ``UserError`` by default.

        Raises
        ------
        TypeError
            ``error_details`` is neither str nor exception.
        """
        if error_details is not None and not isinstance(error_details, (str, BaseException)):
            raise TypeError(f"error_details is a str or an exception, not {type(error_details).__name__}")
        error = {"code": error_code or "UserError", "message": "" if error_details is None else str(error_details)}
        if isinstance(error_details, BaseException):
            error["message"] = f"{type(error_details).__name__}: {error_details}"
            error["debug_type"] = type(error_details).__name__
            error["debug_message"] = str(error_details)
            error["debug_stack_trace"] = _traceback(error_details)
        self._end(states.FAILED if _set_status else None, error)

    def _end(self, state: Optional[str], error: Optional[Dict[str, Any]]) -> None:
        self.flush()
        if not self._owned:
            return
        if self._outputs is not None:
            artifacts.add_folder(self._directory, "outputs", self._outputs, self._warn)
        if state is None:
            return
        ended = {"state": state, "ended": time.time(), "error": error}
        faults.attempt(self._directory, "end of the run", lambda: self._seal(ended))

    def _seal(self, ended: Dict[str, Any]) -> None:
        """Seal what is complete: the sizes in the seal are final."""
        if not self._journal.flush():
            raise OSError(errno.EAGAIN, "its metrics are not written yet", self._directory)
        seal_.seal(self._directory, ended)
        self._journal.close()

    def __enter__(self) -> Self:
        """Keep what is printed from here on as the run's ``logs/user_log.txt``, if the run lives in this process."""
        if self._owned and self._console is None:
            with importing:
                from amlnb.tracking.console import Console
            self._console = Console(self._directory)
            self._console.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> Optional[bool]:
        """Complete, or fail with the exception. ``SystemExit(0)`` counts as success and ends here, as in v1."""
        failed = error is not None and not (isinstance(error, SystemExit) and error.code in (0, None))
        console, self._console = self._console, None
        if os.getpid() != self._pid:
            return None  # a child that was forked inside of it decides nothing
        if console is not None:
            if failed and error is not None:
                console.write(_traceback(error))
            console.stop()
            artifacts.add_folder(self._directory, "logs", console.folder, self._warn, without=console.name)
        if failed:
            self.fail(error)
            return None
        self.complete()
        return kind is not None


def _text(value: Any) -> Optional[str]:
    return None if value is None else str(value)


def _traceback(error: BaseException) -> str:
    with importing:
        import traceback

    return "".join(traceback.format_exception(type(error), error, error.__traceback__))
