"""``azureml.core.experiment``: v1's place of `Experiment`."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.experiment import Experiment

__all__ = [
    "Experiment",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "Experiment": "amlnb.api.experiment",
    },
)
