"""From a ``%%submit`` cell to a queued run."""

from __future__ import annotations

import ast
import itertools
import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amlnb.api.cell_lines import LINE_PROPERTY
from amlnb.api.environment_words import metadata_warning
from amlnb.api.run_futures import RESULTS_PROPERTY
from amlnb.api.submission_words import experiment_name
from amlnb.engine import targets
from amlnb.errors import UserErrorException
from amlnb.live.run_tail import PARAMETER_PREFIX
from amlnb.notebook.capture import Capture, capture
from amlnb.notebook.carried_paths import carried_paths
from amlnb.notebook.environment import CellEnvironment, able_to_load, environment_of
from amlnb.notebook.foreseen import check_modules, missing_files
from amlnb.notebook.front_end import notebook_path
from amlnb.notebook.kernel_namespace import KernelNamespace
from amlnb.notebook.local_modules import edited_since_import, local_modules
from amlnb.notebook.named_files import state_of_what_is_named
from amlnb.notebook.sending import data_directory, send
from amlnb.notebook.source_folder import write_source_folder
from amlnb.render.formatting import one_line
from amlnb.specs.run_spec import RunSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amlnb.notebook.options import SubmitOptions
    from amlnb.notebook.sending import Sent

_SHOWN_PARAMETERS = 20
_SHOWN_LENGTH = 40
_SHOWN_SETTINGS = 4


@dataclass(frozen=True)
class Prepared:
    """A cell that is ready to be submitted.

    Attributes
    ----------
    modules
        Files of the notebook folder's own modules, relative to it.
    paths
        What ``--with`` names, relative to the notebook's folder.
    parameters
        What runs of this cell are told apart by: values given with ``--param``, and the numbers and words that the cell
        took from the notebook.
    notebook
        Path of the notebook, where the host tells it.
    environment
        The environment of the run; None for the notebook's own Python, or that of the target.
    warnings
        What will probably go wrong.
    """

    experiment: str
    script_name: str
    capture: Capture
    modules: tuple[str, ...]
    paths: tuple[str, ...]
    parameters: dict[str, str]
    folder: str
    notebook: str | None
    environment: CellEnvironment | None = None
    warnings: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """What goes with the cell, in one line."""
        count = len(self.modules)
        parts = [self.capture.summary]
        parts += [f"{count} module file{'s' if count > 1 else ''}"] if count else []
        parts += [", ".join(self.paths)] if self.paths else []
        parts += [] if self.environment is None else [f"in the environment {self.environment.name}"]
        return ", ".join(parts)


def prepare(shell: Any, source: str, options: SubmitOptions) -> Prepared:
    """Find everything a cell needs; nothing is written.

    Raises
    ------
    CellException
        The cell cannot become a run.
    UserErrorException
        A path of ``--with`` is not there.
    """
    folder = os.getcwd()
    path = notebook_path(shell)
    stem = os.path.splitext(os.path.basename(path))[0] if path else os.path.basename(folder)
    where = f"{stem}.ipynb" if path else "a notebook"
    paths = carried_paths(options.paths, folder)
    _check_types(options.parameters, shell.user_ns)
    namespace = KernelNamespace.of_shell(shell)
    found = capture(
        source,
        namespace,
        title=f"A cell of {where}, as it stood when it was submitted.",
        parameters=options.parameters,
        results=options.results,
        take=options.take,
        only=not options.capture,
    )
    data = data_directory(folder)
    here = targets.is_here(data, options.target)
    environment = environment_of(options, data, folder, (source, "the cell"))
    if environment is not None:
        environment = able_to_load(environment, found, data, shell.user_ns)
        if environment.folders is not None:
            check_modules(found, folder, environment)
    elif here:  # what another machine has is not known from here
        check_modules(found, folder)
    modules = tuple(local_modules(found.script, folder))
    taken = {*modules, *paths}
    return Prepared(
        experiment=options.experiment or experiment_name(stem),
        script_name=next(name for name in _script_names() if name not in taken),
        capture=found,
        modules=modules,
        paths=paths,
        parameters=_parameters(found, options),
        folder=folder,
        notebook=path,
        environment=environment,
        warnings=(
            *(() if environment or options.environment else metadata_warning(source, "the cell")),
            *missing_files(found, folder, linked=here, carried=paths),
            *_left_behind(found, namespace, edited_since_import(modules, folder)),
        ),
    )


def submit(prepared: Prepared, options: SubmitOptions) -> Sent:
    """Submit a prepared cell.

    Raises
    ------
    UserErrorException, ExperimentExecutionException
        As `amlnb.engine.submit.submit`.
    """
    found = prepared.capture
    properties = {
        **{PARAMETER_PREFIX + name: value for name, value in prepared.parameters.items()},
        LINE_PROPERTY: str(found.cell_line),
        **({RESULTS_PROPERTY: ",".join(found.results)} if found.results else {}),
    }
    with tempfile.TemporaryDirectory(prefix="amlnb-cell-") as folder:
        write_source_folder(folder, prepared.script_name, found)
        spec = RunSpec(
            experiment=prepared.experiment,
            source_directory=prepared.folder,
            script=prepared.script_name,
            only=tuple(dict.fromkeys([*prepared.modules, *prepared.paths])),
            added=_files_below(folder),
            depends=state_of_what_is_named(found.script, prepared.folder, kept={*prepared.modules, *prepared.paths}),
            link_directory=prepared.folder,
            environment=None if prepared.environment is None else prepared.environment.spec,
            properties=properties,
            warnings=prepared.warnings,
        )
        return send(spec, options, prepared.notebook)


def _script_names() -> Iterator[str]:
    """Names for the script: the notebook's folder may have modules of the first ones."""
    yield "cell.py"
    yield from (f"submitted_cell{number or ''}.py" for number in itertools.count())


def _check_types(parameters: Mapping[str, object], variables: Mapping[str, object]) -> None:
    """Refuse a word where the notebook has a number: the cell would go wrong only later, or not at all."""
    for name, value in parameters.items():
        now = variables.get(name)
        if isinstance(value, str) and isinstance(now, (int, float)):
            raise UserErrorException(
                f"%%submit: --param {name}={value}: {name} is a number in this notebook ({now!r}), and {value!r} is a "
                "word.",
                f"write a number, one --param for each name; or change {name} in a cell above",
            )


def _files_below(folder: str) -> dict[str, str]:
    """``{path relative to the folder: path}`` of every file."""
    found = [os.path.join(top, name) for top, _, names in os.walk(folder) for name in names]
    return {os.path.relpath(path, folder): path for path in sorted(found)}


def _left_behind(found: Capture, namespace: KernelNamespace, edited: list[str]) -> list[str]:
    """What modules are in this kernel, and will not be in a new process that imports them."""
    told = [f"{path} was edited since this notebook imported it: the run takes it as it is now" for path in edited]
    # A logger is pickled as its name.
    names = [*(s.name for s in found.imports), *(v.name for v in found.values if v.summary == "logging.Logger")]
    settings = namespace.settings(names, found.script)
    if settings:
        shown = ", ".join(one_line(text, _SHOWN_LENGTH) for text in settings[:_SHOWN_SETTINGS])
        more = f" and {len(settings) - _SHOWN_SETTINGS} more" if len(settings) > _SHOWN_SETTINGS else ""
        told.append(
            f"cells of this notebook set {shown}{more}, and the run begins without: repeat it in the cell if it matters"
        )
    return told


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
