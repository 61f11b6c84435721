"""An experiment toolkit for Jupyter: ``%%submit`` a cell, watch its loss curve, keep every run.

Importing this package does no work: a public name is imported when it is first used, so that a training script that
says ``from amlnb import Run`` pays for nothing but `Run`. Runs under a job's own Python, 3.7 at the oldest.
"""

from __future__ import annotations

from amlnb.lazy import exports
from amlnb.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from amlnb.api.comparison import compare
    from amlnb.api.compute_target import ComputeTarget
    from amlnb.api.conda_dependencies import CondaDependencies
    from amlnb.api.environment import Environment
    from amlnb.api.environment_sections import DockerConfiguration
    from amlnb.api.experiment import Experiment
    from amlnb.api.model import Model
    from amlnb.api.notebook_run_config import NotebookRunConfig
    from amlnb.api.run import Run
    from amlnb.api.run_configuration import RunConfiguration
    from amlnb.api.run_futures import as_completed, wait
    from amlnb.api.script_run_config import ScriptRunConfig
    from amlnb.api.workspace import Workspace
    from amlnb.errors import RunFailedError
    from amlnb.notebook.run_details import RunDetails

__all__ = [
    "ComputeTarget",
    "CondaDependencies",
    "DockerConfiguration",
    "Environment",
    "Experiment",
    "Model",
    "NotebookRunConfig",
    "Run",
    "RunConfiguration",
    "RunDetails",
    "RunFailedError",
    "ScriptRunConfig",
    "Workspace",
    "__version__",
    "as_completed",
    "compare",
    "get_context",
    "log",
    "progress",
    "wait",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "ComputeTarget": "amlnb.api.compute_target",
        "CondaDependencies": "amlnb.api.conda_dependencies",
        "DockerConfiguration": "amlnb.api.environment_sections",
        "Environment": "amlnb.api.environment",
        "Experiment": "amlnb.api.experiment",
        "Model": "amlnb.api.model",
        "NotebookRunConfig": "amlnb.api.notebook_run_config",
        "Run": "amlnb.api.run",
        "RunConfiguration": "amlnb.api.run_configuration",
        "RunDetails": "amlnb.notebook.run_details",
        "RunFailedError": "amlnb.errors",
        "ScriptRunConfig": "amlnb.api.script_run_config",
        "Workspace": "amlnb.api.workspace",
        "as_completed": "amlnb.api.run_futures",
        "compare": "amlnb.api.comparison",
        "wait": "amlnb.api.run_futures",
    },
)


def get_context() -> Run:
    """Return the run that this process is part of; outside a run, an offline run that prints what is logged.

    The same as ``Run.get_context()``.
    """
    from amlnb.api.run import Run

    return Run.get_context()


def log(*positional: Any, step: float | None = None, **metrics: Any) -> None:
    """Log several scalars to the run that this process is part of: ``amlnb.log(loss=0.3, accuracy=0.9, step=7)``.

    A name that is no Python name goes in by ``amlnb.log(**{"loss/train": 0.3})``, or by `Run.log`.

    Parameters
    ----------
    step
        Where on the x axis the values stand, the same for all of them. Without it, each value follows the one before.
    **metrics
        ``name=value`` pairs; values as `Run.log` takes them.

    Raises
    ------
    TypeError
        If a value is of a type that `Run.log` does not take, or is given without its name.
    """
    if positional:
        raise TypeError(_told_positional(positional))
    run = get_context()
    for name, value in metrics.items():
        run.log(name, value, step=step)


def progress(i: float, n: float, text: str | None = None) -> None:
    """Tell how far the run that this process is part of is: ``amlnb.progress(3, 10)``. The same as `Run.progress`."""
    get_context().progress(i, n, text)


def _told_positional(values: Any) -> str:
    """What is said of ``amlnb.log("loss", 3)`` and ``amlnb.log({"loss": 3})``."""
    first = values[0]
    if isinstance(first, dict):
        return "amlnb.log takes name=value pairs, and got a dict.\nhint: write amlnb.log(**values)"
    if isinstance(first, str) and len(values) > 1:
        name, value = first[:40], repr(values[1])[:40]
        form = "{}={}" if name.isidentifier() else "**{{{!r}: {}}}"
        return f"amlnb.log takes name=value pairs.\nhint: write amlnb.log({form.format(name, value)})"
    return f"amlnb.log takes name=value pairs, and got {first!r:.60}.\nhint: write for example amlnb.log(loss=0.3)"


def load_ipython_extension(shell: Any) -> None:
    """Register the ``%%submit`` magic (``%load_ext amlnb``).

    Parameters
    ----------
    shell
        The running `IPython.core.interactiveshell.InteractiveShell`.
    """
    from amlnb.notebook.magic import load_ipython_extension as load

    load(shell)
