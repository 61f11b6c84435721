"""``azureml.core.model``: v1's place of `Model`."""

from __future__ import annotations

from azureml.not_served import names, places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.model import Model

__all__ = [
    "Model",
]
__all__ += names(__name__)  # noqa: PLE0605 - what stands for those that are not served

__getattr__, __dir__ = places(
    __name__,
    {
        "Model": "amlnb.api.model",
    },
)
