"""What the lines of ``%runs`` and ``%compare`` name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from amlnb.api.run import Run
from amlnb.api.submission_words import literal
from amlnb.api.workspace import Workspace
from amlnb.errors import UserErrorException
from amlnb.notebook.words import words

_SHOWN = 50
_ITEM = re.compile(r"([^\W\d]\w*)\[(.+)\]")


def workspace_here() -> Workspace:
    """The workspace of the working directory; raises UserErrorException where there is none."""
    return Workspace.from_config()


def parse_runs_line(line: str) -> tuple[str | None, int, str | None]:
    """Read ``[EXPERIMENT] [-n COUNT] [--sort NAME]``.

    Returns
    -------
    tuple of (str or None, int, str or None)
        The experiment, None for all; how many runs to show; the metric or parameter by which they are sorted.
    """
    experiment, limit, sort_by = None, _SHOWN, None
    waiting = list(reversed(words(line, "%runs")))
    while waiting:
        word = waiting.pop()
        if word in ("-n", "--limit"):
            text = waiting.pop() if waiting else ""
            if not text.isdecimal() or int(text) == 0:
                raise UserErrorException(
                    f"%runs: {word} {text!r} is no number of runs.", "write for example %runs -n 200"
                )
            limit = int(text)
        elif word == "--sort" and waiting:
            sort_by = waiting.pop()
        elif word.startswith("-") or experiment is not None:
            raise UserErrorException(
                f"%runs: {word!r} is not understood.", "%runs, %runs EXPERIMENT, -n COUNT for more of them, --sort NAME"
            )
        else:
            experiment = word
    return experiment, limit, sort_by


def _variable(word: str, variables: Mapping[str, object]) -> object:
    """What ``name``, ``name[0]`` or ``name["key"]`` is in the notebook; None where it is nothing."""
    found = _ITEM.fullmatch(word)
    if found is None:
        return variables.get(word)
    container, index = variables.get(found[1]), cast("Any", literal(found[2]))
    try:
        return container[index] if isinstance(container, list | tuple | dict) else None
    except (LookupError, TypeError):
        return None


def named_runs(line: str, variables: Mapping[str, object]) -> list[Run]:
    """Find the runs that a line names, by variables of the notebook first.

    Raises
    ------
    UserErrorException
        Fewer than two are named, or one is not found.
    """
    named = words(line, "%compare")
    if len(named) < 2:
        raise UserErrorException(
            f"%compare takes two runs or more, and got {len(named)}.",
            "%compare first second; each is a variable with a run, part of an id, experiment#3, or last",
        )
    workspace: Workspace | None = None
    found = []
    for word in named:
        value = _variable(word, variables)
        if isinstance(value, Run):
            found.append(value)
        elif isinstance(value, list | tuple) and value and all(isinstance(run, Run) for run in value):
            found.extend(value)
        else:
            workspace = workspace or workspace_here()
            found.append(workspace.get_run(word))
    return found
