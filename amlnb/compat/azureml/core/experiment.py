"""``azureml.core.experiment``: v1's place of `Experiment`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.experiment import Experiment

__all__ = [
    "Experiment",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "Experiment": "amlnb.api.experiment",
    },
)
