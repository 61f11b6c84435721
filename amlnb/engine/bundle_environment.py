"""What is known of the environment that a run had."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import Any

from amlnb.engine import targets
from amlnb.engine.kept_environment import kept_lock
from amlnb.store.run_reader import RunReader
from amlnb.version import __version__

_ASK_S = 30.0
_ASK = (
    "import importlib.metadata as m, json, sys; "
    "print(json.dumps([sys.version, {d.metadata['Name']: d.version for d in m.distributions() if d.metadata['Name']}]))"
)


def describe_environment(reader: RunReader) -> dict[str, Any]:
    """Interpreter, variables and host of a run; its packages where they can be read.

    Returns
    -------
    dict
        ``packages`` is ``{name: version}``: of an environment that was built for the run as its lock has them
        (``lock``); else of the interpreter as it is *now* (Unix time in ``packages_read``); or None with the reason in
        ``packages_missing``.
    """
    definition = reader.record.get("definition")
    definition = definition if isinstance(definition, dict) else {}
    interpreter = str(definition.get("interpreter") or "")
    found: dict[str, Any] = {
        "interpreter": interpreter or None,
        "environment_variables": definition.get("environment_variables") or {},
        "target": reader.record.get("target"),
        "home": reader.record.get("home"),
        "runner": reader.runner(),
        "bundled_by": f"amlnb {__version__}",
        "python": None,
        "packages": None,
    }
    lock = kept_lock(reader.directory)
    if lock is not None:
        found.update(python=lock.python, packages=lock.versions(), lock=lock.to_dict())
    elif not targets.has_home_here(reader.record):
        found["packages_missing"] = "the interpreter is on another host"
    elif not os.path.isabs(interpreter) or not os.access(interpreter, os.X_OK):
        found["packages_missing"] = "the interpreter is not here any more"
    else:
        found.update(_ask(interpreter))
    return found


def _ask(interpreter: str) -> dict[str, Any]:
    try:
        asked = subprocess.run(
            [interpreter, "-I", "-c", _ASK], capture_output=True, timeout=_ASK_S, check=True, stdin=subprocess.DEVNULL
        )
        version, packages = json.loads(asked.stdout)
    except (OSError, ValueError, TypeError, subprocess.SubprocessError) as error:
        return {"packages_missing": f"the interpreter did not tell: {error}"}
    return {"python": version, "packages": dict(sorted(packages.items())), "packages_read": time.time()}
