"""``environment.build(ws)``: a build ahead of the first run, with v1's object to wait for it."""

from __future__ import annotations

import threading
import time
from typing import Any

from amlnb.engine import environments
from amlnb.specs.environment_spec import WORKSPACE, EnvironmentSpec

_RUNNING = "Running"
_SUCCEEDED = "Succeeded"
_FAILED = "Failed"
_POLL_S = 0.05


class ImageBuildDetails:
    """A build that goes on in the background of this process.

    Parameters
    ----------
    spec
        What is built.
    data
        The workspace's data directory.
    """

    def __init__(self, spec: EnvironmentSpec, data: str) -> None:
        self._spec = spec
        self._data = data
        self._lines: list[str] = []
        self._status = _RUNNING
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._build, name="amlnb-environment", daemon=True)
        self._thread.start()

    @property
    def status(self) -> str:
        """``Running``, ``Succeeded`` or ``Failed``."""
        return self._status

    def wait_for_completion(self, show_output: bool = True) -> None:
        """Wait until it is built.

        Parameters
        ----------
        show_output
            Print its log as it grows.

        Raises
        ------
        EnvironmentBuildException
            It could not be built.
        """
        shown = 0
        while True:
            is_over = not self._thread.is_alive()
            while show_output and shown < len(self._lines):
                print(self._lines[shown])
                shown += 1
            if is_over:
                break
            time.sleep(_POLL_S)
        if self._error is not None:
            raise self._error

    def _build(self) -> None:
        try:
            if self._spec.kind == WORKSPACE:
                self._lines.append("nothing is asked for but the workspace's own Python: there is nothing to build")
            else:
                environments.build(self._spec, self._data, self._lines.append)
            self._status = _SUCCEEDED
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: told to whoever waits
            self._error = error
            self._status = _FAILED

    def __repr__(self) -> str:
        return f"ImageBuildDetails(environment={self._spec.name!r}, status={self._status!r})"


def details(spec: EnvironmentSpec, data: str) -> dict[str, Any]:
    """What is built of a specification on this machine.

    Returns
    -------
    dict
        ``imageExistsInRegistry`` (it is built), ``interpreter``, ``prefix``, ``python`` and ``packages`` (``{name:
        version}``) of its lock; None where there is none.
    """
    found = environments.find(spec, data)[1]
    return {
        "imageExistsInRegistry": found.prefix is not None,
        "interpreter": found.interpreter,
        "prefix": found.prefix,
        "python": found.lock.python if found.lock else None,
        "packages": found.lock.versions() if found.lock else None,
    }
