"""``azureml.core.workspace``: v1's place of `Workspace`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.workspace import Workspace

__all__ = [
    "Workspace",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "Workspace": "amlnb.api.workspace",
    },
)
