"""``azureml.train.sklearn``: v1's estimator of scikit-learn."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.estimator_frameworks import SKLearn

__all__ = [
    "SKLearn",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "SKLearn": "amlnb.api.estimator_frameworks",
    },
)
