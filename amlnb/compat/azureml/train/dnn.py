"""``azureml.train.dnn``: v1's estimators of frameworks."""

from __future__ import annotations

from amlnb.lazy import exports
from azureml.not_served import lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.distributed import Gloo, Mpi, Nccl, ParameterServer

__all__ = [
    "Gloo",
    "Mpi",
    "Nccl",
    "ParameterServer",
]

__getattr__, __dir__ = exports(
    __name__,
    {
        "Gloo": "amlnb.api.distributed",
        "Mpi": "amlnb.api.distributed",
        "Nccl": "amlnb.api.distributed",
        "ParameterServer": "amlnb.api.distributed",
    },
    lookup(__name__),
)
