"""``azureml.core.runconfig``: v1's place of `RunConfiguration`."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.run_configuration import RunConfiguration

__all__ = [
    "RunConfiguration",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "RunConfiguration": "amlnb.api.run_configuration",
    },
)
