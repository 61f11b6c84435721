"""What the runner is told of a built environment."""

from __future__ import annotations

import json
import os
from typing import Any

from amlnb.environments.lock import Lock
from amlnb.environments.prefixes import interpreter_of
from amlnb.errors import FormatError

# In a built environment: what there is to tell of a container; ``{name: value}`` of variables that its runs get.
CONTAINER_FILE = "container.json"
VARIABLES_FILE = "amlnb-variables.json"


def told(prefix: str, lock: Lock) -> dict[str, Any]:
    """The runner's part of a launch (`amlnb.runner.launch.Launch.built`).

    Parameters
    ----------
    prefix, lock
        A built environment.

    Raises
    ------
    FormatError
        It is damaged.
    """
    if lock.image:
        return _read(os.path.join(prefix, CONTAINER_FILE))
    path = os.path.join(prefix, VARIABLES_FILE)
    variables = {"variables": _read(path)} if os.path.exists(path) else {}
    return {"kind": "prefix", "prefix": prefix, "interpreter": interpreter_of(prefix), **variables}


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError) as error:
        raise FormatError(
            f"{path!r} of a built environment is damaged: {error}", hint="'amlnb env remove' it"
        ) from error
    if not isinstance(found, dict):
        raise FormatError(f"{path!r} of a built environment is damaged", hint="'amlnb env remove' it")
    return found
