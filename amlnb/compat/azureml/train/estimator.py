"""``azureml.train.estimator``: v1's `Estimator`."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.distributed import Gloo, Mpi, Nccl, ParameterServer
    from amlnb.api.estimator import Estimator

__all__ = [
    "Estimator",
    "Gloo",
    "Mpi",
    "Nccl",
    "ParameterServer",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "Estimator": "amlnb.api.estimator",
        "Gloo": "amlnb.api.distributed",
        "Mpi": "amlnb.api.distributed",
        "Nccl": "amlnb.api.distributed",
        "ParameterServer": "amlnb.api.distributed",
    },
)
