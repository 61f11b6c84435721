"""``Experiment``: a name under which runs are submitted, listed and compared."""

from __future__ import annotations

import datetime as dt
import difflib
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from amlnb.api import displaying, logging_run, run_reading
from amlnb.api.notebook_run_config import NotebookRunConfig
from amlnb.api.run import Run
from amlnb.api.runs_frame import frame_of
from amlnb.api.runs_table import runs_table
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.api.submission_words import check_experiment
from amlnb.core import edits as edit_ops
from amlnb.core.filters import has
from amlnb.engine.reuse import completed_run
from amlnb.engine.served_pages import experiment_page
from amlnb.engine.submit import prepare, queue_run
from amlnb.errors import AmlnbError, NotServedException, UserErrorException
from amlnb.render.runs_table import ROW_LIMIT
from amlnb.specs.run_spec import RunSpec
from amlnb.store.edits import edited
from amlnb.store.index import Index, RunSummary
from amlnb.store.workspace_dir import WorkspaceDirectory
from amlnb.tracking import edits

if TYPE_CHECKING:
    import pandas as pd

_RUNS_OF_CARD = 10
# Which experiments v1's views show: those that are archived, or not.
_VIEWS = {"ActiveOnly": (False,), "ArchivedOnly": (True,), "All": (False, True)}
# Keywords of submit that change nothing here: a run's progress is printed by wait_for_completion.
_TAKEN_AS_IN_V1 = frozenset(["show_output"])


class WorkspaceHandle(Protocol):
    """What an experiment needs of its workspace."""

    directory: WorkspaceDirectory

    @property
    def name(self) -> str:
        """Name of the workspace."""

    @property
    def portal_url(self) -> str:
        """Address of its page."""


class Experiment:
    """An experiment of a workspace. It is made by its first run.

    Parameters
    ----------
    workspace
        The workspace.
    name
        1 to 255 letters, digits, ``-`` and ``_``, a letter or digit first.

    Raises
    ------
    UserErrorException
        The name cannot be used.
    """

    def __init__(
        self,
        workspace: WorkspaceHandle,
        name: str,
        _skip_name_validation: bool = False,
        _id: str | None = None,
        _archived_time: Any = None,
        _create_in_cloud: bool = True,
        _experiment_dto: Any = None,
        **_: Any,
    ) -> None:
        if not hasattr(workspace, "directory"):
            raise UserErrorException(
                f"workspace is {workspace!r}, a {type(workspace).__name__}",
                hint="pass a Workspace: Experiment(Workspace.from_config(), 'my-experiment')",
            )
        self.workspace = workspace
        self.name = check_experiment(name)

    @staticmethod
    def list(
        workspace: WorkspaceHandle,
        experiment_name: str | None = None,
        view_type: str = "ActiveOnly",
        tags: Any = None,
    ) -> list[Experiment]:
        """Experiments of a workspace, by name.

        Parameters
        ----------
        experiment_name
            Only the one of this name.
        view_type
            ``ActiveOnly``, ``ArchivedOnly`` or ``All``.
        tags
            A key, a dict, or a list of keys and pairs: what they must have.

        Raises
        ------
        UserErrorException
            There is no such view.
        """
        if view_type not in _VIEWS:
            raise UserErrorException(f"view_type is one of {', '.join(_VIEWS)}, not {view_type!r}")
        found = []
        for name in workspace.directory.experiment_names():
            experiment = Experiment(workspace, name)
            state = experiment._edited()
            if experiment_name in (None, name) and state.archived in _VIEWS[view_type] and has(state.tags, tags):
                found.append(experiment)
        return found

    @property
    def id(self) -> str:
        """A uuid that is the same for the same names."""
        ids = self.workspace.directory.ids
        names = (ids.subscription_id, ids.resource_group, ids.workspace_name, self.name)
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(names)))

    def submit(
        self,
        config: ScriptRunConfig | NotebookRunConfig | RunSpec,
        tags: dict[str, Any] | None = None,
        *,
        reuse: bool = False,
        _parent: str | None = None,
        **kwargs: Any,
    ) -> Run:
        """Submit a run; it is queued when this returns.

        Parameters
        ----------
        config
            What to run.
        tags
            Tags of the run.
        reuse
            Return a Completed run of the same code, environment and parameters instead, if there is one.

        Raises
        ------
        ExperimentExecutionException, SnapshotException, ComputeTargetException, UserErrorException
            See :func:`amlnb.engine.submit.submit`.
        """
        # The faces that make a specification themselves tell its warnings in their own way.
        is_told = isinstance(config, RunSpec)
        if not isinstance(config, RunSpec) and hasattr(config, "to_spec"):
            config = config.to_spec(self.name, tags, self.workspace)
        if not isinstance(config, RunSpec):
            raise UserErrorException(
                f"a {type(config).__name__} cannot be submitted", hint="submit a ScriptRunConfig or a NotebookRunConfig"
            )
        unused = sorted(set(kwargs) - _TAKEN_AS_IN_V1)
        if unused:
            print(f"Warning: submit does nothing with {', '.join(unused)}")
        if _parent is not None:
            config = replace(config, parent=_parent)
        directory = self.workspace.directory
        submission = prepare(config, directory)
        for text in () if is_told else submission.record["warnings"]:
            print(f"Warning: {text}")
        same = completed_run(directory, submission.record) if reuse else None
        return self._run_at(queue_run(directory, submission) if same is None else same.directory)

    def start_logging(
        self,
        name: str | None = None,
        run_id: str | None = None,
        outputs: Any = None,
        snapshot_directory: str | None = ".",
        display_name: str | None = None,
    ) -> Run:
        """Start a run that lives in this process: Running until its complete() or fail().

        Parameters
        ----------
        outputs
            Folder whose files are the run's outputs when it ends; made if missing. By default ``./outputs``.
        snapshot_directory
            Folder to keep with the run; None for none.

        Raises
        ------
        ExperimentExecutionException
            The workspace cannot be written to.
        SnapshotException
            The folder cannot be kept.
        """
        record = logging_run.record(self.name, run_id, display_name or name)
        path = logging_run.create(self.workspace.directory, record, snapshot_directory)
        run = Run._attached(path, record["id"], self.name, "client", owned=True)
        run._experiment = self
        run._watch_outputs("outputs" if outputs is None else outputs)
        return run

    def get_runs(
        self,
        type: str | None = None,
        tags: Any = None,
        properties: Any = None,
        include_children: bool = False,
    ) -> Iterator[Run]:
        """Runs that are not archived, the newest first; top-level ones only, unless children are asked for."""
        for summary in self._summaries():
            if summary.archived or (summary.parent is not None and not include_children):
                continue
            if run_reading.matches(summary, tags, properties, type, None):
                yield self._run_at(summary.directory)

    def to_dataframe(self, *, include_children: bool = False, include_archived: bool = False) -> pd.DataFrame:
        """Table of the runs, the newest first, one row a run.

        Columns: ``run`` (id), ``number``, ``name``, ``state``, ``created`` (UTC), ``duration_s``, ``target``, then
        ``param.<name>`` (what a cell or the command line was given; numbers if all are), ``tag.<key>`` (str) and
        ``metric.<name>`` (float64, the last value logged).
        """
        return frame_of(
            summary
            for summary in self._summaries()
            if (include_children or summary.parent is None) and (include_archived or not summary.archived)
        )

    def show(
        self,
        limit: int = ROW_LIMIT,
        metrics: Sequence[str] = (),
        sort_by: str | None = None,
        ascending: bool | None = None,
    ) -> None:
        """Show the runs as a table below the cell; as text where there is no notebook.

        Archived runs and child runs are left out.

        Parameters
        ----------
        limit
            Rows at most, 1 to 100.
        metrics
            The metrics that get a column, the first of them also a curve; without any, the first ones that were logged.
        sort_by
            A metric, a parameter, ``created``, ``time``, ``state`` or ``name``; None for the newest first.
        ascending
            Its order; without it the best of a metric comes first where its name tells which way is better.

        Raises
        ------
        UserErrorException
            No run has such a metric or parameter.
        """
        table = runs_table(
            self.workspace.directory, self.name, limit=limit, metrics=metrics, sort_by=sort_by, ascending=ascending
        )
        displaying.show(table)

    def refresh(self) -> None:
        """Nothing: what is asked of an experiment is always read anew."""

    @staticmethod
    def delete(workspace: WorkspaceHandle, experiment_id: str) -> NoReturn:  # noqa: ARG004 - v1's
        """Refused: experiments stay.

        Raises
        ------
        NotServedException
            Always.
        """
        raise NotServedException(
            f"Experiment.delete(workspace, {experiment_id!r}) is not served: an experiment is only a name",
            hint="experiment.archive() leaves it out of listings, and 'amlnb run delete RUN' removes a run",
        )

    def archive(self) -> None:
        """Leave the experiment out of listings."""
        self._edit({"op": edit_ops.ARCHIVE, "time": time.time()})

    def reactivate(self) -> None:
        """Put an archived experiment back into listings."""
        self._edit({"op": edit_ops.REACTIVATE})

    @property
    def archived(self) -> bool:
        """Whether it is archived."""
        return self._edited().archived

    @property
    def archived_time(self) -> dt.datetime | None:
        """When it was archived (UTC); None if it is not."""
        at = self._edited().archived_at
        return None if at is None else dt.datetime.fromtimestamp(at, dt.UTC)

    @property
    def tags(self) -> dict[str, str | None]:
        """Tags of the experiment."""
        return self._edited().tags

    def tag(self, key: str, value: Any = None) -> None:
        """Set a tag; values become str, None stays None."""
        self.set_tags({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set several tags at once; others stay."""
        texts = {str(key): None if value is None else str(value) for key, value in tags.items()}
        self._edit({"op": edit_ops.TAGS, "tags": texts})

    def remove_tags(self, tags: Sequence[str]) -> None:
        """Remove tags by their keys."""
        self._edit({"op": edit_ops.TAGS, "tags": {}, "remove": [str(key) for key in tags]})

    def get_portal_url(self) -> str:
        """Address of the experiment's page."""
        return experiment_page(self.workspace.portal_url, self.name)

    def _edited(self) -> edit_ops.Edited:
        return edited(self.workspace.directory.experiment_directory(self.name), {})

    def _edit(self, edit: dict[str, Any]) -> None:
        edits.add_edit(self.workspace.directory.make_experiment(self.name), edit)

    def _summaries(self) -> Sequence[RunSummary]:
        return Index(self.workspace.directory).list_runs(self.name)

    def _find_run(self, run_id: str) -> str:
        """Directory of a run of the workspace."""
        directory = self.workspace.directory.find_run(run_id)
        if directory is None:
            near = difflib.get_close_matches(run_id, [summary.id for summary in self._summaries()], 1)
            raise UserErrorException(
                f"there is no run {run_id!r} in the workspace {self.workspace.name!r}",
                hint=f"did you mean {near[0]!r}?" if near else "'amlnb run list' shows the runs",
            )
        return directory

    def _run_at(self, directory: str) -> Run:
        return run_reading.run_at(directory, self)

    def _repr_html_(self) -> str | None:
        try:
            return runs_table(self.workspace.directory, self.name, limit=_RUNS_OF_CARD)._repr_html_()
        except (OSError, AmlnbError):  # told by whoever asks for the runs
            return None

    def __repr__(self) -> str:
        return f"Experiment(Name: {self.name},\nWorkspace: {self.workspace.name})"
