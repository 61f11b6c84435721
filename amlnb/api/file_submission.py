"""A script or a notebook as it is submitted by its path: its run, and the environment that it asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from amlnb.api.environment_words import INLINE, asked_for, inline_text
from amlnb.api.notebook_parameters import written_parameters
from amlnb.api.notebook_run_config import NotebookRunConfig, able_to_execute
from amlnb.api.submission_words import NOTEBOOK_ENDING, check_experiment, experiment_name
from amlnb.specs.run_spec import RunSpec

if TYPE_CHECKING:
    from amlnb.specs.environment_spec import EnvironmentSpec


def file_spec(
    source: str,
    file: str,
    arguments: Sequence[str] = (),
    parameters: Mapping[str, str] | None = None,
    experiment: str | None = None,
) -> RunSpec:
    """Describe the run of a script or a notebook.

    Parameters
    ----------
    source, file
        The folder that is kept with the run, and the path of the file relative to it.
    arguments
        Of a script.
    parameters
        Of a notebook, as they were written.
    experiment
        By default called after the folder, or after the notebook.

    Raises
    ------
    UserErrorException
        The notebook cannot be used, or has no such parameters.
    """
    if not file.endswith(NOTEBOOK_ENDING):
        return RunSpec(check_experiment(experiment or experiment_name(source)), source, file, tuple(arguments))
    values = written_parameters(parameters or {}, os.path.join(source, file))
    config = NotebookRunConfig(source, file, parameters=values)
    return config.to_spec(check_experiment(experiment or experiment_name(file.removesuffix(NOTEBOOK_ENDING))))


def environment_of_file(
    word: str | None,
    data: str,
    source: str,
    file: str,
    target: str,
    *,
    conda: bool = False,
    relative_to: str | None = None,
) -> EnvironmentSpec | None:
    """The environment that is asked for a script or a notebook; None if none is.

    Parameters
    ----------
    word, data, conda, relative_to
        As in `amlnb.api.environment_words.asked_with_lock`.
    source, file
        As for `file_spec`.
    target
        Name of the compute target.

    Raises
    ------
    UserErrorException, FormatError
        It cannot be understood.
    """
    inline = inline_text(os.path.join(source, file)) if word == INLINE else None
    found = asked_for(word, data, source, target=target, inline=inline, conda=conda, relative_to=relative_to)
    return able_to_execute(found) if file.endswith(NOTEBOOK_ENDING) else found
