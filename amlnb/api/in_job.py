"""What a script is told of its experiment and its workspace: enough to name them, for the standard library alone.

Whatever else is asked of them is asked of the toolkit's own classes, where these are installed.
"""

from __future__ import annotations

import os

from amlnb.api.run import Run
from amlnb.api.run_content import toolkit
from amlnb.core import layout
from amlnb.errors import RunEnvironmentException, UserErrorException
from amlnb.store import run_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_IDS = ("AZUREML_ARM_SUBSCRIPTION", "AZUREML_ARM_RESOURCEGROUP", "AZUREML_ARM_WORKSPACE_NAME")


class JobData:
    """A workspace's data directory, as this machine sees it.

    Attributes
    ----------
    path, runs, models
        The directory, and its folders of runs and models.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.runs = os.path.join(path, layout.RUNS)
        self.models = os.path.join(path, layout.MODELS)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"a workspace's directory has no attribute {name!r}")
        return getattr(JobWorkspace(self.path)._whole().directory, name)


class JobWorkspace:
    """The workspace of the run that this process is part of.

    Parameters
    ----------
    data
        Its data directory, as this machine sees it.
    """

    location = "local"

    def __init__(self, data: str) -> None:
        self.directory = JobData(data)

    @property
    def name(self) -> str:
        """Name of the workspace."""
        return os.environ.get(_IDS[2], "")

    @property
    def subscription_id(self) -> str:
        """Subscription id, as configured."""
        return os.environ.get(_IDS[0], "")

    @property
    def resource_group(self) -> str:
        """Resource group, as configured."""
        return os.environ.get(_IDS[1], "")

    def get_run(self, run_id: str) -> Any:
        """Return a run of the workspace by its full id.

        Raises
        ------
        UserErrorException
            There is none on this machine.
        """
        directory = self._find_run(run_id)
        record = run_record.read_record(directory)
        return Run._attached(directory, record["id"], record["experiment"], "client", owned=False)

    def _find_run(self, run_id: str) -> str:
        directory = run_record.find_run(self.directory.runs, run_id)
        if directory is None:
            raise UserErrorException(
                f"there is no run {run_id!r} among the runs on this machine",
                hint="give its full id; the runs of other machines are known where the workspace is",
            )
        return directory

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"a workspace has no attribute {name!r}")
        return getattr(self._whole(), name)

    def _whole(self) -> Any:
        """The toolkit's own workspace."""
        if not os.path.exists(os.path.join(self.directory.path, "workspace.json")):
            raise RunEnvironmentException(
                f"the data of the workspace {self.name!r} are not on this machine",
                hint="ask it where the workspace is, or hand the value to the script as an argument",
            )
        return toolkit("workspace").Workspace._at(self.directory.path)

    def __repr__(self) -> str:
        return (
            f"Workspace.create(name={self.name!r}, subscription_id={self.subscription_id!r}, "
            f"resource_group={self.resource_group!r})"
        )


class JobExperiment:
    """The experiment of the run that this process is part of.

    Parameters
    ----------
    data
        The workspace's data directory, as this machine sees it.
    name
        Name of the experiment.
    """

    def __init__(self, data: str, name: str) -> None:
        self.workspace = JobWorkspace(data)
        self.name = name

    def _find_run(self, run_id: str) -> str:
        return self.workspace._find_run(run_id)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"an experiment has no attribute {name!r}")
        return getattr(toolkit("experiment").Experiment(self.workspace._whole(), self.name), name)

    def __repr__(self) -> str:
        return f"Experiment(Name: {self.name},\nWorkspace: {self.workspace.name})"
