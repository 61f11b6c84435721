"""What all submissions from a notebook share: workspace, experiment, parent, reuse."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from amlnb.api.experiment import Experiment
from amlnb.api.run_configuration import DEFAULT_MAX_RUN_DURATION_S
from amlnb.api.run_reading import run_at
from amlnb.api.workspace import Workspace
from amlnb.engine import reuse
from amlnb.engine.submit import prepare, queue_run
from amlnb.notebook.unfinished import NOTEBOOK_PROPERTY
from amlnb.store import workspace_dir
from amlnb.tracking import context

if TYPE_CHECKING:
    from amlnb.api.run import Run
    from amlnb.notebook.options import SubmitOptions
    from amlnb.specs.run_spec import RunSpec

_NEAR_ENOUGH = 0.8


@dataclass(frozen=True)
class Sent:
    """A run that was asked for.

    Attributes
    ----------
    reused
        It is an earlier run, which would be the same.
    made_workspace
        Folder of the workspace, if there was none and one was made.
    near_experiment
        An older experiment whose name is so near that this new one may be a misspelling.
    ignored
        The line names or tags the run, and the earlier one has another name or other tags.
    """

    run: Run
    reused: bool = False
    made_workspace: str | None = None
    near_experiment: str | None = None
    ignored: bool = False

    def told(self, summary: str) -> list[str]:
        """What the person is told of it, in lines; ``summary`` is what went with the run."""
        lines = []
        if self.made_workspace is not None:
            lines.append(f"made a workspace in {self.made_workspace}")
        if self.near_experiment is not None:
            lines.append(f"{self.run.experiment.name} is a new experiment; did you mean {self.near_experiment}?")
        if self.reused:
            same = "the same code, values, parameters and packages"
            lines.append(f"not run again: {self.run.id} has Completed with {same} (--no-reuse runs it)")
            lines += ["its own name and tags stay as they are"] if self.ignored else []
        else:
            lines.append(f"submitted with {summary}")
        return lines


def send(spec: RunSpec, options: SubmitOptions, notebook: str | None) -> Sent:
    """Queue a run, or find the Completed one that would be the same.

    Parameters
    ----------
    spec
        What to run; what the line says (name, target, tags, time limit) is added here.
    options
        The line.
    notebook
        Path of the notebook, where the host tells it.

    Raises
    ------
    UserErrorException, ExperimentExecutionException
        As `amlnb.engine.submit.submit`.
    """
    parent = context.current()
    if parent is None:
        workspace, made = Workspace.find_or_create(spec.link_directory or os.getcwd())
    else:  # the run's own workspace, whatever configuration came along with its source
        workspace, made = Workspace._at(os.path.dirname(os.path.dirname(parent.directory))), False
        spec = replace(spec, experiment=options.experiment or parent.experiment)
    experiment = Experiment(workspace, spec.experiment)
    known = workspace.directory.experiment_names()
    spec = replace(
        spec,
        target=options.target,
        target_is_soft=False,
        timeout_s=options.timeout_s or DEFAULT_MAX_RUN_DURATION_S,
        display_name=options.name,
        tags=options.tags,
        parent=None if parent is None else parent.run_id,
        properties={**spec.properties, **({NOTEBOOK_PROPERTY: notebook} if notebook else {})},
    )
    submission = prepare(spec, workspace.directory)
    same = reuse.completed_run(workspace.directory, submission.record) if options.reuse else None
    if same is not None:
        other = options.name not in (None, same.display_name) or not options.tags.items() <= same.tags.items()
        return Sent(run_at(same.directory, experiment), reused=True, ignored=other)
    return Sent(
        run_at(queue_run(workspace.directory, submission), experiment),
        made_workspace=workspace.directory.path if made else None,
        near_experiment=None if spec.experiment in known else _near(spec.experiment, known),
    )


def data_directory(folder: str) -> str:
    """The workspace's data directory that a submission from a folder would use; it need not exist, and is not made."""
    if workspace_dir.find_config(folder) is not None:
        return Workspace.from_config(folder).directory.path
    return workspace_dir.find_data(folder) or workspace_dir.folder_data_directory(folder)


def _near(name: str, known: list[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, known, 1, _NEAR_ENOUGH)), None)
