"""``azureml.train.sklearn``: v1's estimator of scikit-learn."""

from __future__ import annotations

from amlnb.lazy import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.estimator_frameworks import SKLearn

__all__ = [
    "SKLearn",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "SKLearn": "amlnb.api.estimator_frameworks",
    },
)
