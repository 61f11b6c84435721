"""``Run``: one class on both sides of a run.

In a job it needs the standard library only and costs milliseconds to import: logging, tags and files work anywhere.
What reads runs back loads the toolkit when it is called, and says so where there is none.
"""

from __future__ import annotations

from amlnb.errors import AmlnbError, RunEnvironmentException, RunFailedError
from amlnb.tracking import context, edits
from amlnb.tracking.offline import OfflineRun
from amlnb.tracking.tracked_run import TrackedRun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable, Dict, Generator, Iterator, List, Optional, Tuple

    import pandas as pd

    from amlnb.store.run_reader import RunReader

_context_runs: Dict[Tuple[str, str], Run] = {}


class Run(TrackedRun):
    """A run of an experiment.

    Parameters
    ----------
    experiment
        The experiment it belongs to.
    run_id
        Its full id.

    Raises
    ------
    UserErrorException
        The workspace has no run of that id.
    """

    _kept_result: Optional[Dict[str, Any]] = None

    def __init__(self, experiment: Any, run_id: str, outputs: Any = None, **_: Any) -> None:
        directory = _toolkit("run_relations").find_directory(experiment, run_id)
        super().__init__(directory, run_id, experiment.name, "client")
        self._experiment = experiment

    @classmethod
    def get_context(cls, allow_offline: bool = True, used_for_context_manager: bool = False, **_: Any) -> Run:
        """Return the run that this process is part of. It writes nothing, and is the same object every time.

        Outside of any run an :class:`~amlnb.tracking.offline.OfflineRun`, which prints; or, without
        ``allow_offline``, RunEnvironmentException.
        """
        found = context.current()
        if found is None:
            if not allow_offline:
                raise RunEnvironmentException(
                    "this process is not part of a run", hint="submit the script, or call get_context() to log offline"
                )
            return OfflineRun()  # type: ignore[return-value]  # as in v1: the logging half of a Run
        key = (found.run_id, found.directory)
        if key not in _context_runs:
            _context_runs[key] = cls._attached(*key[::-1], found.experiment, context.rank(), owned=False)
        return _context_runs[key]

    # -- identity --------------------------------------------------------------------------------------------------

    @property
    def experiment(self) -> Any:
        """The run's :class:`~amlnb.api.experiment.Experiment` (untyped here: it is built on this class)."""
        known = getattr(self, "_experiment", None)
        if known is None:
            known = self._experiment = _toolkit("run_relations").experiment_of(self)
        return known

    @property
    def number(self) -> int:
        """Position of the run within its experiment by time of submission, from 1."""
        return int(_toolkit("run_relations").summary_of(self).number)

    @property
    def type(self) -> Optional[str]:
        """``azureml.scriptrun`` for a submitted run; None for one that lives in a process of its own."""
        kind = self._reader().record.get("type")
        return None if kind is None else str(kind)

    @property
    def parent(self) -> Optional[Run]:
        """The parent run of a child run."""
        found: Optional[Run] = _toolkit("run_relations").parent_of(self)
        return found

    @property
    def display_name(self) -> str:
        """Name shown to people; the id where none was given."""
        return self._facts().display_name or self.id

    @display_name.setter
    def display_name(self, name: str) -> None:
        edits.add_edit(self._directory, {"op": "rename", "display_name": str(name)})

    @property
    def name(self) -> str:
        """The display name, as v1 had it."""
        return self.display_name

    # -- state -----------------------------------------------------------------------------------------------------

    def get_status(self) -> str:
        """State of the run now, by v1's names.

        A death is found out by looking: this may return Failed for a run whose processes were killed, and
        NotResponding (with the reason in :meth:`get_detailed_status`) where it cannot be known.
        """
        return str(self._facts().state)

    @property
    def status(self) -> str:
        """The same as :meth:`get_status`."""
        return self.get_status()

    def get_detailed_status(self) -> Dict[str, Any]:
        """``{"status": state, "details": reason or None}``."""
        facts = self._facts()
        return {"status": facts.state, "details": facts.reason}

    def get_details(self) -> Dict[str, Any]:
        """Everything about the run in v1's keys: runId, target, status, startTimeUtc, endTimeUtc (once ended),
        properties, inputDatasets, outputDatasets, runDefinition, logFiles, submittedBy, error, warnings.
        """
        details: Dict[str, Any] = _toolkit().details(self)
        return details

    def get_details_with_logs(self) -> Dict[str, Any]:
        """As :meth:`get_details`, with the text of the logs in place of their paths."""
        details: Dict[str, Any] = _toolkit().details(self, with_logs=True)
        return details

    def wait_for_completion(
        self, show_output: bool = False, wait_post_processing: bool = False, raise_on_error: bool = True
    ) -> Dict[str, Any]:
        """Wait until the run has ended and return :meth:`get_details`.

        Parameters
        ----------
        show_output
            Print the log as it grows.
        wait_post_processing
            Accepted as in v1: a run that has ended is complete here.
        raise_on_error
            Raise if the run Failed; else print the error. A Canceled run never raises.

        Raises
        ------
        ActivityFailedException
            The run Failed.
        ExperimentExecutionException
            Interrupted from the keyboard; the run goes on.
        """
        details: Dict[str, Any] = _toolkit("run_waiting").wait(self, show_output, raise_on_error)
        return details

    def result(self, timeout: Optional[float] = None, *, trust: bool = False) -> Dict[str, Any]:
        """Wait for the run and return the values that its cell was asked for with ``--out``.

        Parameters
        ----------
        timeout
            Seconds to wait at most; None for as long as it takes.
        trust
            Read pickles that no run submitted from here has signed; a pickle may execute any code.

        Returns
        -------
        dict
            ``{name: value}``, empty for a run that returns nothing. The same objects at every call.

        Raises
        ------
        RunFailedError
            The run Failed; the message is that of its exception.
        concurrent.futures.CancelledError
            The run was Canceled.
        TimeoutError
            It has not ended in time; it goes on.
        UserErrorException
            A value was not kept, cannot be read here, or is not trusted.
        """
        found: Dict[str, Any] = _toolkit("run_futures").result(self, timeout, trust=trust)
        return found

    def exception(self, timeout: Optional[float] = None) -> Optional[RunFailedError]:
        """Wait for the run and return what :meth:`result` would raise if it Failed; None if it Completed.

        Raises as :meth:`result` where the run was Canceled or has not ended in time.
        """
        found: Optional[RunFailedError] = _toolkit("run_futures").exception(self, timeout)
        return found

    def done(self) -> bool:
        """Whether the run has ended, in whatever state."""
        return bool(_toolkit("run_futures").done(self))

    def add_done_callback(self, function: Callable[[Run], Any]) -> None:
        """Call ``function(run)`` when the run has ended: in a thread of its own, or at once if it has ended already.

        What it raises is logged and goes no further. With the process (the kernel) its callbacks end too.
        """
        _toolkit("run_futures").add_done_callback(self, function)

    def __await__(self) -> Generator[Any, None, Dict[str, Any]]:
        """``await run`` is :meth:`result` without blocking the event loop."""
        values: Dict[str, Any]  # apart, because 3.7 knows no yield behind an annotation
        values = yield from _toolkit("run_futures").awaited(self)
        return values

    def cancel(self) -> None:
        """Ask for the run's end: TERM to all its processes, KILL after the grace. Returns without waiting.

        In the run's own job, and for one that has ended, it does nothing.
        """
        current = context.current()
        if current is not None and current.run_id == self.id:
            print("cancel() does nothing inside of the run itself")
            return
        _toolkit().cancel(self)

    def archive(self) -> None:
        """Leave the run out of listings."""
        edits.add_edit(self._directory, {"op": "archive"})

    def reactivate(self) -> None:
        """Put an archived run back into listings."""
        edits.add_edit(self._directory, {"op": "reactivate"})

    # -- tags, properties, metrics, children -------------------------------------------------------------------------

    def get_tags(self) -> Dict[str, Optional[str]]:
        """Tags of the run."""
        return dict(self._facts().tags)

    @property
    def tags(self) -> Dict[str, Optional[str]]:
        """The same as :meth:`get_tags`."""
        return self.get_tags()

    def remove_tags(self, tags: Any) -> None:
        """Remove tags by their keys."""
        edits.add_edit(self._directory, {"op": "tags", "tags": {}, "remove": [str(key) for key in tags]})

    def get_properties(self) -> Dict[str, str]:
        """Properties of the run."""
        return dict(self._facts().properties)

    @property
    def properties(self) -> Dict[str, str]:
        """The same as :meth:`get_properties`."""
        return self.get_properties()

    def get_metrics(
        self, name: Optional[str] = None, recursive: bool = False, run_type: Any = None, populate: bool = False
    ) -> Dict[str, Any]:
        """Metrics in v1's shapes: a scalar logged once, a list of several, dicts of lists for rows and tables.

        With ``name`` only that one ({} if it is not there); with ``recursive`` ``{run id: metrics}`` of the run and
        all below it that logged anything.
        """
        found: Dict[str, Any] = _toolkit("run_relations").metrics(self, name, recursive)
        return found

    def metrics(self, name: str, index: str = "step") -> pd.Series[Any]:
        """One metric as a pandas Series (float64).

        Parameters
        ----------
        name
            The metric.
        index
            ``step`` (the position where no step was logged) or ``time`` (UTC).

        Raises
        ------
        UserErrorException
            The run has no such metric.
        """
        return _toolkit().metric_series(self, name, index)  # type: ignore[no-any-return]  # behind a lazy import

    def system_metrics(self) -> pd.DataFrame:
        """What the run used of its machine, sampled every few seconds.

        Returns
        -------
        pandas.DataFrame
            Index ``time`` (UTC). Columns (float64): ``cpu_percent`` (100 is one core) and ``memory_bytes`` of the run's
            processes, ``processes``, ``host_memory_percent``; ``gpu<i>_percent`` and ``gpu<i>_memory_bytes`` of each
            GPU. Empty for a run that ended within its first second.
        """
        return _toolkit().system_metrics(self)  # type: ignore[no-any-return]  # behind a lazy import

    def get_children(
        self,
        recursive: bool = False,
        tags: Any = None,
        properties: Any = None,
        type: Optional[str] = None,
        status: Optional[str] = None,
        _rehydrate_runs: bool = True,
    ) -> Iterator[Run]:
        """Child runs, the newest first."""
        found: Iterator[Run] = _toolkit("run_relations").children(self, recursive, tags, properties, type, status)
        return found

    def get_environment(self) -> Any:
        """The `Environment` that was asked for; where none was, one with the Python that the run had."""
        return _toolkit().environment(self._reader())

    # -- files -----------------------------------------------------------------------------------------------------

    def get_file_names(self) -> List[str]:
        """Names of the run's files: ``outputs/...``, ``logs/...``, the log under both of its names, uploaded ones."""
        names: List[str] = _toolkit("run_files").names(self)
        return names

    def download_file(
        self, name: str, output_file_path: Optional[str] = None, _validate_checksum: bool = False
    ) -> None:
        """Copy a file of the run to ``output_file_path`` (by default its own name in the working directory).

        Raises
        ------
        UserErrorException
            The run has no such file; the message names those it has.
        """
        _toolkit("run_files").download(self, name, output_file_path)

    def download_files(
        self,
        prefix: Optional[str] = None,
        output_directory: Optional[str] = None,
        output_paths: Optional[List[str]] = None,
        batch_size: int = 100,
        append_prefix: bool = True,
        timeout_seconds: Optional[float] = None,
    ) -> None:
        """Copy all files whose names begin with ``prefix`` into a folder, or to the paths given."""
        _toolkit("run_files").download_all(self, prefix, output_directory, output_paths, append_prefix)

    def get_portal_url(self) -> str:
        """Address of the run's page: a fixed port of this machine a workspace, and no secret in it."""
        return str(_toolkit("run_relations").portal_url(self))

    def __repr__(self) -> str:
        try:
            state = self.get_status()
        except (OSError, RunEnvironmentException):
            state = "unknown"
        return (
            f"Run(Experiment: {self._experiment_name},\nId: {self.id},\nType: {self._type_or_none()},\nStatus: {state})"
        )

    def _repr_html_(self) -> Optional[str]:
        """What a notebook without our extension shows of a run; None where it cannot be read here."""
        try:
            return str(_toolkit("cards").run_html(self))
        except (OSError, AmlnbError):
            return None

    def _type_or_none(self) -> Optional[str]:
        try:
            return self.type
        except (OSError, RunEnvironmentException):
            return None

    def _reader(self) -> RunReader:
        """Reader of the run's directory, kept so that each look reads only what is new."""
        kept: Optional[RunReader] = getattr(self, "_kept_reader", None)
        if kept is None:
            kept = self._kept_reader = _toolkit().open_reader(self._directory)
        return kept

    def _facts(self) -> Any:
        return _toolkit().look(self._reader())


def _toolkit(module: str = "run_reading") -> ModuleType:
    """Load the part of the toolkit behind a method; in a job without amlnb installed, say what is missing."""
    from importlib import import_module

    try:
        return import_module("amlnb.api." + module)
    except (ImportError, SyntaxError) as error:
        raise RunEnvironmentException(
            f"this method reads runs, and needs amlnb itself in this environment ({error})",
            hint="pip install amlnb (Python 3.11 or newer); log, tag and upload work without it",
        ) from error
