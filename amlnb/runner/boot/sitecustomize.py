"""First thing every Python process of a run does: find the run side, and keep what a failure looked like.

This folder stands first on PYTHONPATH; the user's own sitecustomize, if there is one, is run by this one.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Optional, Type


def _begin() -> None:
    boot = os.path.dirname(os.path.abspath(__file__))
    # The folder is of no use to the program itself (its children find it through PYTHONPATH again).
    sys.path[:] = [entry for entry in sys.path if entry != boot]
    _add_run_side(os.environ.get("AMLNB_RUN_SIDE", ""))
    if os.environ.get("AMLNB_RUN_DIR"):
        sys.excepthook = _excepthook
    _run_users_own()


def _add_run_side(folder: str) -> None:
    """Put our run side behind everything else, or before an installed copy of another version."""
    if not folder:
        return
    for entry in sys.path:
        installed = os.path.join(entry, "amlnb", "version.py")
        if os.path.isfile(installed) and entry != folder:
            if _text(installed) != _text(os.path.join(folder, "amlnb", "version.py")):
                sys.path.insert(sys.path.index(entry), folder)
                return
            break
    sys.path.append(folder)


def _text(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _excepthook(kind: Type[BaseException], error: BaseException, traceback: Optional[TracebackType]) -> None:
    try:
        if not issubclass(kind, (KeyboardInterrupt, SystemExit)):
            from amlnb.runner import failure

            failure.record(kind, error, traceback, os.path.join(os.environ["AMLNB_RUN_DIR"], "failures"))
    except Exception as trouble:  # noqa: BLE001 - the failure itself must be told whatever happens here
        sys.stderr.write(f"amlnb: the local values of this failure could not be kept: {trouble!r}\n")
    sys.__excepthook__(kind, error, traceback)


def _run_users_own() -> None:
    import _frozen_importlib_external as importing  # importlib.machinery would cost every process a millisecond

    spec = importing.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None and hasattr(spec.loader, "get_code"):
        code = spec.loader.get_code("sitecustomize")
        exec(code, {"__name__": "sitecustomize", "__file__": spec.origin})  # noqa: S102 - it is what the interpreter would have run in our place


_begin()
