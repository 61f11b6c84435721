"""Which run the calling process is part of, from its environment variables."""

from __future__ import annotations

import os

from amlnb.core import layout
from amlnb.tracking.forks import importing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Mapping, Optional

RUN_ID = "AMLNB_RUN_ID"
RUN_DIRECTORY = "AMLNB_RUN_DIR"
EXPERIMENT = "AMLNB_EXPERIMENT"
# Of the workspace only the run's directory is to be seen: in a container.
ALONE = "AMLNB_RUN_ALONE"
# In the environment of a courier and of what it forks, so that a run it was started from does not end it.
COURIER_MARK = b"AMLNB_COURIER=1"
_BOOT = "amlnb/runner/boot"
_OF_A_RUN = ("AMLNB_RUN_", "AMLNB_EXPERIMENT", "AZUREML_")
# Which of several processes one is, by whoever starts them: see runner/one_process.py.
_OF_PROCESSES = frozenset(
    [
        *("RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"),
        *("MASTER_ADDR", "MASTER_PORT", "TF_CONFIG"),
    ]
)
_OF_PROCESSES_BEGIN = ("OMPI_", "AZ_BATCH_", "AZ_BATCHAI_")
_RANK_VARIABLES = ("RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID")


class Context:
    """The run a process belongs to: its id, experiment name and directory."""

    __slots__ = ("directory", "experiment", "run_id")

    def __init__(self, run_id: str, experiment: str, directory: str) -> None:
        self.run_id = run_id
        self.experiment = experiment
        self.directory = directory


def current() -> Optional[Context]:
    """Return the run this process was started for, or None outside of any run."""
    run_id, directory = os.environ.get(RUN_ID), os.environ.get(RUN_DIRECTORY)
    if not run_id or not directory:
        return None
    return Context(run_id, os.environ.get(EXPERIMENT, ""), directory)


def is_alone(directory: str) -> bool:
    """Tell whether a process of the run in a directory sees nothing else of its workspace.

    So it is in a container, and on another machine than the workspace's.
    """
    if os.environ.get(ALONE):
        return True
    with importing:
        import json

    try:
        with open(os.path.join(directory, layout.RUN_JSON), encoding="ascii") as file:
            home = json.load(file).get("home")
    except (OSError, ValueError, AttributeError):
        return False
    return isinstance(home, dict) and home.get("kind", "local") != "local"


def rank() -> str:
    """Rank of this process among those of its run, as its launcher named it; ``"0"`` without a launcher."""
    for name in _RANK_VARIABLES:
        value = os.environ.get(name, "")
        if value.isdigit():
            return value
    return "0"


def variables(run_id: str, experiment: str, directory: str, record: Dict[str, str]) -> Dict[str, str]:
    """Environment variables that make a process part of a run; v1's names are there too.

    ``record`` gives the workspace's ``subscription_id``, ``resource_group`` and ``workspace_name``.
    """
    return {
        RUN_ID: run_id,
        RUN_DIRECTORY: directory,
        EXPERIMENT: experiment,
        "AZUREML_RUN_ID": run_id,
        "AZUREML_ARM_SUBSCRIPTION": record.get("subscription_id", ""),
        "AZUREML_ARM_RESOURCEGROUP": record.get("resource_group", ""),
        "AZUREML_ARM_WORKSPACE_NAME": record.get("workspace_name", ""),
        "AZUREML_ARM_PROJECT_NAME": experiment,
        "AZUREML_RUN_TOKEN": "amlnb",
        "AZUREML_RUN_TOKEN_EXPIRY": "4102444800",
        "AZUREML_SERVICE_ENDPOINT": "amlnb://local",
    }


def _is_of_processes(name: str) -> bool:
    return name in _OF_PROCESSES or name.startswith(_OF_PROCESSES_BEGIN)


def without_run(environ: Mapping[str, str]) -> Dict[str, str]:
    """Copy an environment without what ties its process to a run, for a run started inside a run."""
    kept = {
        name: value for name, value in environ.items() if not name.startswith(_OF_A_RUN) and name != "AMLNB_COURIER"
    }
    if environ.get(RUN_ID):
        # Its ranks are those of that run's processes, and none of the new one's.
        kept = {name: value for name, value in kept.items() if not _is_of_processes(name)}
    if _BOOT in kept.get("PYTHONPATH", ""):
        paths = [path for path in kept["PYTHONPATH"].split(os.pathsep) if not path.endswith(_BOOT)]
        kept["PYTHONPATH"] = os.pathsep.join(paths)
    return kept
