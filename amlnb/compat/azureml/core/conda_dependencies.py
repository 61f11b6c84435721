"""``azureml.core.conda_dependencies``: v1's place of `CondaDependencies`."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.conda_dependencies import PYTHON_DEFAULT_VERSION, CondaDependencies

__all__ = [
    "PYTHON_DEFAULT_VERSION",
    "CondaDependencies",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "PYTHON_DEFAULT_VERSION": "amlnb.api.conda_dependencies",
        "CondaDependencies": "amlnb.api.conda_dependencies",
    },
)
