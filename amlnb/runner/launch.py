"""What a runner is told: the launch, one JSON object."""

from __future__ import annotations

import json
import os

from amlnb.core import layout
from amlnb.tracking import context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

DEFAULT_GRACE_S = 10.0


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
    """

    __slots__ = ("attempt", "boot", "directory", "environ", "objects", "record", "run_side", "workspace")

    def __init__(self, told: Dict[str, Any]) -> None:
        self.directory: str = told["directory"]
        self.objects: str = told["objects"]
        self.attempt: int = told.get("attempt", 1)
        self.environ: Dict[str, str] = told["environ"]
        self.run_side: str = told["run_side"]
        self.boot: str = os.path.join(self.run_side, "amlnb", "runner", "boot")
        self.workspace: Dict[str, str] = told.get("workspace", {})
        with open(os.path.join(self.directory, layout.RUN_JSON), encoding="utf-8") as file:
            self.record: Dict[str, Any] = json.load(file)

    @property
    def definition(self) -> Dict[str, Any]:
        """The run's definition, as submitted."""
        return self.record.get("definition") or {}

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
        return [definition["interpreter"], definition["script"], *arguments]

    def environment(self) -> Dict[str, str]:
        """Environment of the user's process."""
        environ = context.without_run(self.environ)
        environ.setdefault("PYTHONUNBUFFERED", "1")  # so that the log is live
        environ.update(self.definition.get("environment_variables") or {})
        record = self.record
        environ.update(context.variables(record["id"], record["experiment"], self.directory, self.workspace))
        environ["AMLNB_RUN_SIDE"] = self.run_side
        paths = [self.boot, environ.get("PYTHONPATH", "")]
        environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        return environ


def _expanded(argument: Any, environ: Dict[str, str]) -> str:
    """Text of an argument; one that begins with ``$`` is expanded at run time, as in v1 (``$NODE_RANK``)."""
    if isinstance(argument, str) and argument.startswith("$"):
        from string import Template

        return Template(argument).safe_substitute(environ)
    return str(argument)
