"""``azureml.core.run``: v1's place of `Run`."""

from __future__ import annotations

from amlnb.lazy import exports
from azureml.not_served import lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.run import Run, get_run

__all__ = [
    "Run",
    "get_run",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "Run": "amlnb.api.run",
        "get_run": "amlnb.api.run",
    },
    lookup(__name__),
)
