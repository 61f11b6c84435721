"""The environment of a submission from a notebook: what the line asks for, what is known of it before it is built."""

from __future__ import annotations

import dataclasses
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from amlnb.api.environment_words import asked_with_lock, take_over
from amlnb.api.notebook_run_config import able_to_execute
from amlnb.core.distributions import known_distribution
from amlnb.engine import environments, targets
from amlnb.environments.asking import is_workspaces, normal
from amlnb.environments.interpreters import own
from amlnb.environments.requirement_names import name_of
from amlnb.notebook.cell import CellException
from amlnb.specs.environment_spec import CONDA, PIP, WORDS_ORIGIN, EnvironmentSpec
from amlnb.staged.captured_values import column_array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amlnb.environments.requests import Found, Request
    from amlnb.notebook.capture import Capture
    from amlnb.notebook.options import SubmitOptions

# What a pickle of the notebook's own functions needs where it is read.
_UNPICKLER = "cloudpickle"
_PICKLE = ".pkl"
_NAMED = 5


@dataclass(frozen=True)
class CellEnvironment:
    """An environment that is asked for, and not the workspace's own Python.

    Attributes
    ----------
    request
        What is asked for, for which Python; None where nothing is built: the Python that exists, or the container, is
        not looked into.
    found
        What there is of it already.
    """

    spec: EnvironmentSpec
    request: Request | None = None
    found: Found | None = None

    @property
    def folders(self) -> list[str] | None:
        """Where its modules are; None as long as that cannot be known."""
        if self.found is None or self.found.prefix is None or self.found.lock is None or self.found.lock.image:
            return None
        return [os.path.join(self.found.prefix, "lib", f"python{self.found.lock.minor}", "site-packages")]

    @property
    def name(self) -> str:
        """What a person calls it."""
        python = [f"python={self.spec.python}"] if self.spec.python else []
        packages = [*python, *self.spec.conda, *self.spec.pip]
        if self.spec.origin == WORDS_ORIGIN and packages:
            return ", ".join(packages[:_NAMED]) + (" ..." if len(packages) > _NAMED else "")
        return self.spec.name or self.spec.origin or self.spec.kind


def environment_of(
    options: SubmitOptions,
    data: str,
    folder: str,
    inline: tuple[str, str] | None,
    *,
    of_notebook: bool = False,
) -> CellEnvironment | None:
    """The environment that a line asks for, or else the project; None for the Python that is there.

    Parameters
    ----------
    options
        The line: what stands after ``--env``, and the target.
    data
        The workspace's data directory; it need not exist.
    folder
        The notebook's.
    inline
        Text that may hold metadata (PEP 723), and what messages call it.
    of_notebook
        A whole notebook is to be executed in it.

    Raises
    ------
    UserErrorException
        It cannot be understood.
    EnvironmentBuildException
        No Python of this machine is of the version that it asks for.
    """
    target = options.target
    spec, lock = asked_with_lock(
        options.environment, data=data, project=folder, target=target, inline=inline, conda=options.conda
    )
    spec = able_to_execute(spec) if of_notebook else spec
    if spec is None:
        return None
    if lock is not None and not options.dry_run:
        take_over(spec, lock, data)
    if not targets.is_here(data, target) or spec.kind not in (PIP, CONDA):
        return CellEnvironment(spec)
    if is_workspaces(normal(spec)):
        return None
    return CellEnvironment(spec, *environments.find(spec, data, lock))


def able_to_load(
    environment: CellEnvironment, capture: Capture, data: str, values: Mapping[str, object]
) -> CellEnvironment:
    """See that an environment can read the values that a cell takes along.

    Parameters
    ----------
    environment, capture
        The environment, and the cell.
    data
        The workspace's data directory.
    values
        Those of the notebook, by their names.

    Returns
    -------
    CellEnvironment
        The same, or one with what reads them.

    Raises
    ------
    CellException
        A pickled value needs the notebook's own Python, or another major version of a package; it is named.
    """
    pickled = {name: stored for name, stored in capture.stored.items() if stored.suffix == _PICKLE}
    request, found = environment.request, environment.found
    if request is None or not pickled:
        return environment
    mine = own().minor
    if request.interpreter.minor != mine:
        name = next(iter(pickled))
        raise CellException(
            f"{name} ({_summary(capture, name)}) is pickled, which Python {mine} alone can read: the environment "
            f"{environment.name} has {request.interpreter.minor}.",
            _plainer(name, values.get(name)) + f"make {name} inside the cell, or take an environment of Python {mine}",
        )
    versions = found.lock.versions() if found is not None and found.lock is not None else {}
    for name, stored in pickled.items():
        for package, version in stored.requires:
            there, major = versions.get(known_distribution(package) or package), version.partition(".")[0]
            if there is not None and there.partition(".")[0] != major:
                raise CellException(
                    f"{name} ({_summary(capture, name)}) is pickled with {package} {version}, and the environment "
                    f"{environment.name} has {there}.",
                    f"make {name} inside the cell, or take {package} {major} there",
                )
    needs = any(package == _UNPICKLER for stored in pickled.values() for package, _ in stored.requires)
    if not needs or any(name_of(each) == _UNPICKLER for each in environment.spec.pip):
        return environment
    spec = dataclasses.replace(environment.spec, pip=(*environment.spec.pip, _UNPICKLER))
    return CellEnvironment(spec, *environments.find(spec, data))


def _plainer(name: str, value: object) -> str:
    """Which column keeps a frame from crossing as it is, and what helps; empty for anything else."""
    pandas = sys.modules.get("pandas")
    if pandas is None or type(value) is not pandas.DataFrame:
        return ""
    frame: Any = value
    columns = [(label, frame.iloc[:, number]) for number, label in enumerate(frame.columns)]
    kept = [(label, column) for label, column in columns if column_array(column) is None]
    if not kept:
        return ""
    label, column = kept[0]
    more = f" (and {len(kept) - 1} more)" if len(kept) > 1 else ""
    help_ = f"convert it, such as {name}[{label!r}].astype(str), "
    return f"only numbers, dates without a time zone and text cross: {label!r}{more} is {column.dtype}; {help_}"


def _summary(capture: Capture, name: str) -> str:
    return next(value.summary for value in capture.values if value.name == name)
