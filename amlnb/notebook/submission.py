"""From a ``%%submit`` cell to a queued run."""

from __future__ import annotations

import ast
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amlnb.api.experiment import Experiment
from amlnb.api.workspace import Workspace
from amlnb.live.run_tail import PARAMETER_PREFIX
from amlnb.notebook.capture import Capture, capture
from amlnb.notebook.cell_lines import LINE_PROPERTY, SCRIPT_NAMES
from amlnb.notebook.front_end import notebook_path
from amlnb.notebook.kernel_namespace import KernelNamespace
from amlnb.notebook.local_modules import local_modules
from amlnb.notebook.source_folder import write_source_folder
from amlnb.notebook.unfinished import NOTEBOOK_PROPERTY
from amlnb.render.formatting import one_line
from amlnb.specs.run_spec import RunSpec

if TYPE_CHECKING:
    from amlnb.api.run import Run
    from amlnb.notebook.options import SubmitOptions

_DEFAULT_TIMEOUT_S = 30 * 86400.0
_SHOWN_PARAMETERS = 20
_SHOWN_LENGTH = 40


@dataclass(frozen=True)
class Prepared:
    """A cell that is ready to be submitted.

    Attributes
    ----------
    modules
        ``{path in the snapshot: file}`` of the notebook folder's own modules.
    parameters
        What runs of this cell are told apart by: values given with ``--param``, and the numbers and words that the cell
        took from the notebook.
    notebook
        Path of the notebook, where the host tells it.
    """

    experiment: str
    script_name: str
    capture: Capture
    modules: dict[str, str]
    parameters: dict[str, str]
    folder: str
    notebook: str | None

    @property
    def summary(self) -> str:
        """What goes with the cell, in one line."""
        count = len(self.modules)
        return self.capture.summary + (f", {count} module file{'s' if count > 1 else ''}" if count else "")


def prepare(shell: Any, source: str, options: SubmitOptions) -> Prepared:
    """Find everything a cell needs; nothing is written.

    Raises
    ------
    CellException
        The cell cannot become a run.
    """
    folder = os.getcwd()
    path = notebook_path(shell)
    stem = os.path.splitext(os.path.basename(path))[0] if path else os.path.basename(folder)
    where = f"{stem}.ipynb" if path else "a notebook"
    found = capture(
        source,
        KernelNamespace.of_shell(shell),
        title=f"A cell of {where}, as it stood when it was submitted.",
        parameters=options.parameters,
    )
    modules = local_modules(found.script, folder)
    return Prepared(
        experiment=options.experiment or experiment_name(stem),
        script_name=next(name for name in SCRIPT_NAMES if name not in modules or name == SCRIPT_NAMES[-1]),
        capture=found,
        modules=modules,
        parameters=_parameters(found, options),
        folder=folder,
        notebook=path,
    )


def submit(prepared: Prepared, options: SubmitOptions) -> tuple[Run, str | None]:
    """Submit a prepared cell.

    Returns
    -------
    tuple of (Run, str or None)
        The run, queued; and the folder of the workspace if there was none and one was made.

    Raises
    ------
    UserErrorException, ExperimentExecutionException
        As `amlnb.engine.submit.submit`.
    """
    workspace, made = Workspace.find_or_create(prepared.folder)
    experiment = Experiment(workspace, prepared.experiment)
    with tempfile.TemporaryDirectory(prefix="amlnb-cell-") as folder:
        write_source_folder(folder, prepared.script_name, prepared.capture, prepared.modules)
        run = experiment.submit(
            RunSpec(
                experiment=prepared.experiment,
                source_directory=folder,
                script=prepared.script_name,
                target=options.target,
                timeout_s=options.timeout_s or _DEFAULT_TIMEOUT_S,
                link_directory=prepared.folder,
                display_name=options.name,
                tags=options.tags,
                properties={
                    **{PARAMETER_PREFIX + name: value for name, value in prepared.parameters.items()},
                    LINE_PROPERTY: str(prepared.capture.cell_line),
                    **({NOTEBOOK_PROPERTY: prepared.notebook} if prepared.notebook else {}),
                },
            )
        )
    return run, workspace.directory.path if made else None


def experiment_name(text: str) -> str:
    """Make a name that an experiment may have."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in text).strip("-_")
    return name[:60] or "notebook"


def _parameters(found: Capture, options: SubmitOptions) -> dict[str, str]:
    shown = {name: str(value) for name, value in options.parameters.items()}
    for value in found.values:
        if not isinstance(value.content, str) or len(shown) >= _SHOWN_PARAMETERS:
            continue
        try:
            literal = ast.literal_eval(value.content)
        except ValueError:  # float("nan")
            continue
        if isinstance(literal, (bool, int, float, str)):
            shown.setdefault(value.name, one_line(str(literal), _SHOWN_LENGTH + 1))
    return {name: text for name, text in shown.items() if len(text) <= _SHOWN_LENGTH}
