"""``azureml.core.model``: v1's place of `Model`."""

from __future__ import annotations

from amlnb.lazy import exports
from azureml.not_served import lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.model import Model

__all__ = [
    "Model",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "Model": "amlnb.api.model",
    },
    lookup(__name__),
)
