"""Module-level ``__getattr__`` (PEP 562) over a table: a public name is imported when it is first used.

It keeps ``from amlnb import Run`` cheap in a training script, and lets the same names be asked for in a job, where
only the tracking side of amlnb is at hand and the rest has to say so.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

_OLDEST_TOOLKIT_PYTHON = (3, 11)


def exports(
    module: str, homes: dict[str, str], otherwise: Optional[Callable[[str], Any]] = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` for a module.

    Parameters
    ----------
    module
        The module's ``__name__``.
    homes
        Public name to the module that defines it; ``module:name`` where it has another name there.
    otherwise
        Gives what stands for a name that is not among them, or None.
    """

    def getattr_(name: str) -> Any:
        home = homes.get(name)
        value = _load(name, home) if home else (otherwise(name) if otherwise else None)
        if value is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        vars(sys.modules[module])[name] = value  # the next use finds it without coming here
        return value

    def dir_() -> list[str]:
        return sorted(set(vars(sys.modules[module])) | set(homes))

    return getattr_, dir_


def _load(name: str, home: str) -> Any:
    from importlib import import_module

    try:
        module, _, there = home.partition(":")
        return getattr(import_module(module), there or name)
    except (ImportError, SyntaxError) as error:
        if sys.version_info < _OLDEST_TOOLKIT_PYTHON:
            why = "Python {}.{} is older than 3.11".format(*sys.version_info[:2])
        elif isinstance(error, ModuleNotFoundError) and (error.name or "").split(".")[0] != "amlnb":
            why = f"the package {error.name!r} is not installed"
        elif isinstance(error, ModuleNotFoundError):
            why = f"only the part of amlnb that scripts log with is here (no {error.name!r})"
        else:
            raise
        raise ImportError(
            f"{name} cannot be used in this environment: {why}.\n"
            "hint: install amlnb here, under Python 3.11 or newer; 'Run' works everywhere"
        ) from error
