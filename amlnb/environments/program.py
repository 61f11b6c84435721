"""The builder process: takes an order from standard input, writes the log to standard output, leaves a status file.

It is started by whoever needs an environment, depends on nobody's life, and two of them do no harm: the second one
waits for the first.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

from amlnb import host
from amlnb.errors import AmlnbError, told_error

if TYPE_CHECKING:
    from collections.abc import Mapping

FAILED = "EnvironmentBuildFailed"


class StatusLog:
    """A build log on standard output, with the times; how far it is goes to a file.

    Parameters
    ----------
    path
        The status file, one JSON object: ``done``, ``total``, ``text`` while it goes on; at the end ``lock`` or
        ``error``.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def step(self, text: str) -> None:
        """Write a step with the time."""
        self._write(f"{time.strftime('%H:%M:%S')}  {text}")
        self.tell({"text": text})

    def line(self, text: str) -> None:
        """Write a line of a tool."""
        self._write(f"          {text}")

    def note(self, text: str) -> None:
        """Write what is otherwise than it was asked for."""
        self._write(f"{time.strftime('%H:%M:%S')}  note: {text}")

    def progress(self, done: int, total: int, text: str) -> None:
        """Tell how far it is."""
        self.tell({"done": done, "total": total, "text": text})

    def tell(self, status: Mapping[str, Any]) -> None:
        """Leave a status."""
        temporary = f"{self._path}.{os.getpid()}"
        with open(temporary, "w", encoding="ascii") as file:
            json.dump(status, file)
        os.replace(temporary, self._path)

    def _write(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def main(status_path: str) -> int:
    """Build what standard input says; returns the exit status."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, _end)
    log = StatusLog(status_path)
    try:
        from amlnb.environments.build import build
        from amlnb.environments.requests import Order

        order = Order.from_dict(json.load(sys.stdin))
        found = build(order, host.cache_dir(), os.environ, log)
    except (AmlnbError, OSError) as error:
        told = told_error(FAILED, error)
        sys.stdout.write(f"\nfailed: {told['message']}\n" + (f"hint: {told['hint']}\n" if "hint" in told else ""))
        log.tell({"error": told})
        return 1
    except Exception as error:  # noqa: BLE001 - the boundary of a process: it is told to those who wait
        traceback.print_exc(file=sys.stdout)
        log.tell({"error": told_error(FAILED, error)})
        return 1
    log.tell({"lock": found.lock.key if found.lock else None})
    return 0


def _end(*_: object) -> NoReturn:
    """End, as one that can still remove what is half-made; what was started (uv, a compiler) ends with it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.getpgrp() == os.getpid():  # else it is the group of somebody who started this by hand
        os.killpg(0, signal.SIGTERM)
    sys.exit(128 + signal.SIGTERM)
