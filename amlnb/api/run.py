"""``Run``: one class on both sides of a run.

In a job it needs the standard library only and costs milliseconds to import: logging, tags and files work anywhere.
What reads runs back loads the toolkit when it is called, and says so where there is none.
"""

from __future__ import annotations

from amlnb.api.run_content import RunContent, toolkit
from amlnb.errors import AmlnbError, RunEnvironmentException, RunFailedError, UserErrorException
from amlnb.tracking import context, edits
from amlnb.tracking.offline import OfflineRun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Generator, Iterator, Optional, Tuple

_context_runs: Dict[Tuple[str, str], Run] = {}


class Run(RunContent):
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

    _experiment: Any = None
    _kept_result: Optional[Dict[str, Any]] = None

    def __init__(self, experiment: Any, run_id: str, outputs: Any = None, **_: Any) -> None:
        if not hasattr(experiment, "_find_run"):
            raise UserErrorException(
                f"a Run is made of an Experiment and an id, not of a {type(experiment).__name__}",
                hint="Run(experiment, run_id), or Run.get(workspace, run_id)",
            )
        directory = experiment._find_run(run_id)
        super().__init__(directory, run_id, experiment.name, "client")
        self._experiment = experiment
        if outputs is not None:
            self._watch_outputs(outputs)

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
        if self._experiment is None:
            self._experiment = self._kin().experiment_of(self)
        return self._experiment

    @property
    def number(self) -> int:
        """Position of the run within its experiment by time of submission, from 1."""
        return int(toolkit("run_relations").summary_of(self).number)

    @property
    def type(self) -> Optional[str]:
        """``azureml.scriptrun`` for a submitted run; None for one that lives in a process of its own."""
        kind = self._record().get("type")
        return None if kind is None else str(kind)

    @property
    def display_name(self) -> str:
        """Name shown to people; the id where none was given."""
        return self._facts().display_name or self.id

    @display_name.setter
    def display_name(self, name: str) -> None:
        self._change({"op": "rename", "display_name": str(name)})

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
        details: Dict[str, Any] = toolkit("run_details_document").details(self)
        return details

    def get_details_with_logs(self) -> Dict[str, Any]:
        """As :meth:`get_details`, with the text of the logs in place of their paths."""
        details: Dict[str, Any] = toolkit("run_details_document").details(self, with_logs=True)
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
        details: Dict[str, Any] = toolkit("run_waiting").wait(self, show_output, raise_on_error)
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
        found: Dict[str, Any] = toolkit("run_futures").result(self, timeout, trust=trust)
        return found

    def exception(self, timeout: Optional[float] = None) -> Optional[RunFailedError]:
        """Wait for the run and return what :meth:`result` would raise if it Failed; None if it Completed.

        Raises as :meth:`result` where the run was Canceled or has not ended in time.
        """
        found: Optional[RunFailedError] = toolkit("run_futures").exception(self, timeout)
        return found

    def done(self) -> bool:
        """Whether the run has ended, in whatever state."""
        return bool(toolkit("run_futures").done(self))

    def add_done_callback(self, function: Callable[[Run], Any]) -> None:
        """Call ``function(run)`` when the run has ended: in a thread of its own, or at once if it has ended already.

        What it raises is logged and goes no further. With the process (the kernel) its callbacks end too.
        """
        toolkit("run_futures").add_done_callback(self, function)

    def __await__(self) -> Generator[Any, None, Dict[str, Any]]:
        """``await run`` is :meth:`result` without blocking the event loop."""
        values: Dict[str, Any]  # apart, because 3.7 knows no yield behind an annotation
        values = yield from toolkit("run_futures").awaited(self)
        return values

    def cancel(self) -> None:
        """Ask for the run's end: TERM to all its processes, KILL after the grace. Returns without waiting.

        In the run's own job, and for one that has ended, it does nothing.
        """
        if self._is_of_this_job():
            print("Warning: cancel() does nothing inside of the run itself")
            return
        self._ending().cancel(self)

    def _end(self, state: Optional[str], error: Optional[Dict[str, Any]]) -> None:
        super()._end(state, error)
        if state is not None and not self._owned and not self._is_of_this_job():
            self._ending().end(self, state, error)

    def _ending(self) -> Any:
        return toolkit("reading_in_job" if self._is_light() else "run_reading")

    def _is_of_this_job(self) -> bool:
        current = context.current()
        return current is not None and current.run_id == self.id

    def archive(self) -> None:
        """Leave the run out of listings."""
        self._change({"op": "archive"})

    def reactivate(self) -> None:
        """Put an archived run back into listings."""
        self._change({"op": "reactivate"})

    # -- its kin -------------------------------------------------------------------------------------------------------

    @property
    def parent(self) -> Optional[Run]:
        """The parent run of a child run.

        Raises
        ------
        UserErrorException
            In a job on another machine than the workspace's: the parent is not there.
        """
        found: Optional[Run] = self._kin().parent_of(self)
        return found

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
        found: Iterator[Run] = self._kin().children(self, recursive, tags, properties, type, status)
        return found

    def _kin(self) -> Any:
        return toolkit("reading_in_job" if self._is_light() else "run_relations")

    def submit_child(self, config: Any, tags: Any = None, **kwargs: Any) -> Run:
        """Submit a run as a child of this one; see :meth:`amlnb.api.experiment.Experiment.submit`."""
        submitted: Run = self.experiment.submit(config, tags, _parent=self.id, **kwargs)
        return submitted

    @classmethod
    def get_submitted_run(cls, **kwargs: Any) -> Run:
        """The oldest name of :meth:`get_context`."""
        return cls.get_context(**kwargs)

    @staticmethod
    def list(
        experiment: Any,
        type: Optional[str] = None,
        tags: Any = None,
        properties: Any = None,
        status: Optional[str] = None,
        include_children: bool = False,
        _rehydrate_runs: bool = True,
    ) -> Iterator[Run]:
        """Runs of an experiment that are not archived, the newest first; without children unless they are asked for."""
        runs: Iterator[Run] = experiment.get_runs(type, tags, properties, include_children)
        return runs if status is None else (run for run in runs if run.get_status() == status)

    @staticmethod
    def get(workspace: Any, run_id: str) -> Run:
        """A run of a workspace by its id.

        Raises
        ------
        UserErrorException
            There is none of that id.
        """
        found: Run = workspace.get_run(run_id)
        return found

    def get_portal_url(self) -> str:
        """Address of the run's page, with no secret in it; it is there after this process has ended, too."""
        return str(toolkit("run_relations").portal_url(self))

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
            return str(toolkit("cards").run_html(self))
        except (OSError, AmlnbError):
            return None

    def _change(self, edit: Dict[str, Any]) -> None:
        """Add an edit: a client is told what keeps it out; in a job nothing of tracking stops training."""
        if context.current() is None:
            edits.add_edit(self._directory, edit)
        else:
            self._edit(edit)

    def _type_or_none(self) -> Optional[str]:
        try:
            return self.type
        except (OSError, RunEnvironmentException):
            return None


def get_run(experiment: Any, run_id: str, rehydrate: bool = True, clean_up: bool = True) -> Run:
    """A run of an experiment by its id, as v1's function of that name gave it."""
    return Run(experiment, run_id)
