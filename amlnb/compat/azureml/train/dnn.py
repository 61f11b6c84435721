"""``azureml.train.dnn``: v1's estimators of frameworks."""

from __future__ import annotations

from azureml.not_served import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from amlnb.api.distributed import Gloo, Mpi, Nccl, ParameterServer
    from amlnb.api.estimator_frameworks import Chainer, PyTorch, TensorFlow

__all__ = [
    "Chainer",
    "Gloo",
    "Mpi",
    "Nccl",
    "ParameterServer",
    "PyTorch",
    "TensorFlow",
]

__getattr__, __dir__ = places(
    __name__,
    {
        "Chainer": "amlnb.api.estimator_frameworks",
        "Gloo": "amlnb.api.distributed",
        "Mpi": "amlnb.api.distributed",
        "Nccl": "amlnb.api.distributed",
        "ParameterServer": "amlnb.api.distributed",
        "PyTorch": "amlnb.api.estimator_frameworks",
        "TensorFlow": "amlnb.api.estimator_frameworks",
    },
)
