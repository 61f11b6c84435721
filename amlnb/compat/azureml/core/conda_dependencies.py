"""``azureml.core.conda_dependencies``: v1's place of `CondaDependencies`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.conda_dependencies import CondaDependencies

__all__ = [
    "CondaDependencies",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "CondaDependencies": "amlnb.api.conda_dependencies",
    },
)
