"""Variables that conda packages set when their environment is activated, found once, when it is built."""

from __future__ import annotations

import glob
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping

from amlnb.environments.builder import BuildLog, counted
from amlnb.environments.launching import VARIABLES_FILE

_LIMIT_S = 60
_SOURCE = 'for script in "$@"; do . "$script"; done; exec "$CONDA_PREFIX/bin/python" -c "$AMLNB_TELL" 3>&1 >&2'
_TELL = "import json, os; os.write(3, json.dumps(dict(os.environ)).encode())"
# Of the shell, of this program, or set by whoever starts a run.
_NOT_OURS = frozenset(["PATH", "PWD", "OLDPWD", "SHLVL", "_", "AMLNB_TELL", "CONDA_PREFIX", "LC_CTYPE"])


def note_variables(prefix: str, environ: Mapping[str, str], log: BuildLog) -> None:
    """Write down which variables an activation of an environment would set, if there are any.

    Parameters
    ----------
    prefix
        The environment. Scripts in its ``etc/conda/activate.d`` are run, files in ``etc/conda/env_vars.d`` are read.
    environ
        The person's environment variables: PATH and HOME.
    log
        Is told what the scripts say.
    """
    found = {**_of_files(prefix), **_of_scripts(prefix, environ, log)}
    if found:
        with open(os.path.join(prefix, VARIABLES_FILE), "w", encoding="utf-8") as file:
            json.dump(found, file, indent=1, sort_keys=True)
        log.step(f"its packages set {', '.join(sorted(found))}")


def _of_files(prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(glob.glob(os.path.join(glob.escape(prefix), "etc", "conda", "env_vars.d", "*.json"))):
        with open(path, encoding="utf-8") as file:
            found.update({str(name): str(value) for name, value in json.load(file).items()})
    return found


def _of_scripts(prefix: str, environ: Mapping[str, str], log: BuildLog) -> dict[str, str]:
    scripts = sorted(glob.glob(os.path.join(glob.escape(prefix), "etc", "conda", "activate.d", "*.sh")))
    if not scripts:
        return {}
    path = os.pathsep.join([os.path.join(prefix, "bin"), environ.get("PATH") or os.defpath])
    before = {"PATH": path, "HOME": environ.get("HOME") or "/", "CONDA_PREFIX": prefix, "AMLNB_TELL": _TELL}
    log.step(f"running {counted(len(scripts), 'activation script')}")
    shell = shutil.which("bash", path=path) or "/bin/sh"
    # Files, not pipes: what a script leaves in the background would hold them open.
    with tempfile.TemporaryFile("w+") as told, tempfile.TemporaryFile("w+", errors="replace") as said:
        try:
            command = [shell, "-c", _SOURCE, shell, *scripts]
            subprocess.run(
                command, env=before, stdin=subprocess.DEVNULL, stdout=told, stderr=said, timeout=_LIMIT_S, check=False
            )
            told.seek(0)
            after = json.load(told)
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            log.line(f"they do not run to their end: {error}")
            after = before
        said.seek(0)
        for line in said:
            log.line(line.rstrip("\n"))
    return {name: value for name, value in after.items() if name not in _NOT_OURS and before.get(name) != value}
