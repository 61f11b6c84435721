"""What a runner is told: the launch, one JSON object."""

from __future__ import annotations

import json
import os
import re

from amlnb.core import layout
from amlnb.runner import one_process
from amlnb.tracking import context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

DEFAULT_GRACE_S = 10.0
_OF_ANOTHER_PYTHON = frozenset(
    ["PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "VIRTUAL_ENV_PROMPT", "CONDA_PREFIX", "CONDA_DEFAULT_ENV"]
)
CONTAINER = "container"
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)
# Of the variables of the host only these mean the same in a container.
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_PASSED_INSIDE = frozenset([*_PROXIES, *(name.upper() for name in _PROXIES), "CUDA_VISIBLE_DEVICES", "TZ"])


class Launch:
    """How to run one attempt of a run.

    Attributes
    ----------
    directory, objects
        The run directory and the folder of objects, as seen from the job's host.
    attempt
        From 1; a requeue is the next one.
    environ
        The whole environment of the user's process before the run's own variables are added. Never written into the
        run directory.
    run_side
        Folder with the run side of amlnb, for ``sys.path``.
    boot
        Folder with our ``sitecustomize``, for ``PYTHONPATH``.
    workspace
        ``subscription_id``, ``resource_group`` and ``workspace_name``.
    built
        The environment that was built for the run: ``kind``, ``interpreter``, and what that kind needs; {} where none
        was.
    """

    __slots__ = (
        *("attempt", "boot", "built", "directory", "environ", "objects", "record", "run_side", "workspace"),
        "_of_one_process",
    )

    def __init__(self, told: Dict[str, Any]) -> None:
        self.directory: str = told["directory"]
        self.objects: str = told["objects"]
        self.attempt: int = told.get("attempt", 1)
        self.environ: Dict[str, str] = told["environ"]
        self.run_side: str = told["run_side"]
        self.boot: str = os.path.join(self.run_side, "amlnb", "runner", "boot")
        self.workspace: Dict[str, str] = told.get("workspace", {})
        self.built: Dict[str, Any] = told.get("environment") or {}
        with open(os.path.join(self.directory, layout.RUN_JSON), encoding="utf-8") as file:
            self.record: Dict[str, Any] = json.load(file)
        # Asked for once: there is a port among them.
        self._of_one_process = one_process.variables(self.definition.get("distributed"))

    @property
    def definition(self) -> Dict[str, Any]:
        """The run's definition, as submitted."""
        return self.record.get("definition") or {}

    @property
    def in_container(self) -> bool:
        """Tell whether the user's process runs in a container."""
        return self.built.get("kind") == CONTAINER

    @property
    def prefix(self) -> Optional[str]:
        """Folder of the environment that the user's process lives in; None where its Python is all there is."""
        if self.built or not (self.definition.get("environment") or {}).get("interpreter"):
            return self.built.get("prefix")
        prefix = os.path.dirname(os.path.dirname(self.definition.get("interpreter") or ""))
        is_one = any(os.path.exists(os.path.join(prefix, name)) for name in ("pyvenv.cfg", "conda-meta"))
        return prefix if prefix and is_one else None

    @property
    def timeout_s(self) -> Any:
        """Time limit in seconds, or None."""
        return self.definition.get("timeout_s")

    @property
    def grace_s(self) -> float:
        """Seconds between TERM and KILL."""
        return float(self.definition.get("grace_s") or DEFAULT_GRACE_S)

    def command(self) -> List[str]:
        """Arguments of the user's process."""
        definition = self.definition
        if definition.get("command"):
            return ["/bin/sh", "-c", definition["command"]]
        environ = self.environment()
        arguments = [_expanded(argument, environ) for argument in definition.get("arguments") or []]
        return [self.built.get("interpreter") or definition["interpreter"], definition["script"], *arguments]

    def environment(self) -> Dict[str, str]:
        """Environment of the user's process."""
        environ = context.without_run(self.environ)
        if self.in_container:
            environ = {name: value for name, value in environ.items() if name in _PASSED_INSIDE}
        environ = _within(self.prefix, environ)
        environ.update(self.built.get("variables") or {})
        environ.setdefault("PYTHONUNBUFFERED", "1")  # so that the log is live
        environ.update(self._of_one_process)
        environ.update(self.definition.get("environment_variables") or {})
        record = self.record
        environ.update(context.variables(record["id"], record["experiment"], self.directory, self.workspace))
        environ["AMLNB_RUN_SIDE"] = self.run_side
        if self.in_container:
            environ[context.ALONE] = "1"
        paths = [self.boot, environ.get("PYTHONPATH", "")]
        environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        return environ


def _within(prefix: Optional[str], environ: Dict[str, str]) -> Dict[str, str]:
    """The variables of a process that is to live in an environment: as if it had been activated."""
    if prefix is None:
        return environ
    # What the person's own shell or kernel brings along are modules of another Python.
    kept = {name: value for name, value in environ.items() if name not in _OF_ANOTHER_PYTHON}
    path = [os.path.join(prefix, "bin"), environ.get("PATH") or os.defpath]
    kept.update(PATH=os.pathsep.join(path))
    kept["CONDA_PREFIX" if os.path.isdir(os.path.join(prefix, "conda-meta")) else "VIRTUAL_ENV"] = prefix
    return kept


def _expanded(argument: Any, environ: Dict[str, str]) -> str:
    """Text of an argument; variables in it are expanded at run time, as in v1 (``$NODE_RANK``), and nothing else is."""
    return _VARIABLE.sub(lambda found: environ.get(found.group(1) or found.group(2), found.group()), str(argument))
