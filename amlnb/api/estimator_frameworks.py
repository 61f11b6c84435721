"""``PyTorch``, ``TensorFlow``, ``Chainer`` and ``SKLearn``: v1's estimators that bring a framework along.

Their parameters are those of `Estimator`, with some more, or fewer.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

from amlnb.api.estimator import Estimator
from amlnb.api.estimator_environment import Packages
from amlnb.api.estimator_processes import GLOO, MPI, NCCL, PARAMETER_SERVER

_VERSION = {"framework_version": None, "_enable_optimized_mode": False}
_OF_PARAMETER_SERVERS = {"worker_count": 1, "parameter_server_count": 1}
# scikit-learn has no part in these.
_OF_SEVERAL_PROCESSES = frozenset(
    [
        *("node_count", "process_count_per_node", "distributed_backend", "distributed_training", "use_gpu"),
        *("custom_docker_base_image", "source_directory_data_store"),
    ]
)


def _constructor(*, with_servers: bool = False, without: Collection[str] = ()) -> Callable[..., None]:
    """An ``__init__`` with the parameters of `Estimator`, a framework's version among them."""
    before: dict[str, dict[str, Any]] = {
        "_disable_validation": _VERSION,
        "distributed_backend": _OF_PARAMETER_SERVERS if with_servers else {},
    }
    parameters = []
    for name, parameter in inspect.signature(Estimator.__init__).parameters.items():
        for more, default in before.get(name, {}).items():
            kind = "str | None" if default is None else type(default).__name__
            parameters.append(parameter.replace(name=more, default=default, annotation=kind))
        parameters += [parameter] if name not in without else []
    signature = inspect.Signature(parameters, return_annotation="None")

    def __init__(self: Estimator, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it becomes one
        given = signature.bind(self, *args, **kwargs)
        given.apply_defaults()
        self._set_up(given.arguments)

    __init__.__signature__ = signature  # type: ignore[attr-defined]  # read by inspect
    return __init__


class PyTorch(Estimator):
    """An estimator with PyTorch; see `Estimator`.

    Parameters
    ----------
    framework_version
        Any; v1 had 1.0 to 1.6. The nearest that exists for the workspace's Python is installed, which is told.
    """

    _packages = Packages("PyTorch", ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6"), "1.4", "AzureML-PyTorch-{}-CPU")
    _backends = (MPI, GLOO, NCCL)

    __init__ = _constructor()


class Chainer(Estimator):
    """An estimator with Chainer; see `Estimator`.

    Parameters
    ----------
    framework_version
        Any; v1 had 5.1.0 and 7.0.0. Chainer's last version is installed, which is told.
    """

    _packages = Packages("Chainer", ("5.1.0", "7.0.0"), "5.1.0", "AzureML-Chainer-5.1.0-CPU", is_fixed=True)

    __init__ = _constructor()


class TensorFlow(Estimator):
    """An estimator with TensorFlow; see `Estimator`.

    Parameters
    ----------
    worker_count, parameter_server_count
        With ``distributed_backend="ps"``, how many processes.
    framework_version
        Any; v1 had 1.10 to 2.3. The nearest that exists for the workspace's Python is installed, which is told.
    """

    _packages = Packages(
        "TensorFlow", ("1.10", "1.12", "1.13", "2.0", "2.1", "2.2", "2.3"), "1.13", "AzureML-TensorFlow-{}-CPU"
    )
    _backends = (MPI, PARAMETER_SERVER)

    __init__ = _constructor(with_servers=True)


class SKLearn(Estimator):
    """An estimator with scikit-learn; see `Estimator`.

    Parameters
    ----------
    framework_version
        Any; v1 had 0.20.3. The nearest that exists for the workspace's Python is installed, which is told.
    """

    _packages = Packages("scikit-learn", ("0.20.3",), "0.20.3", "AzureML-Scikit-learn-{}")

    __init__ = _constructor(without=_OF_SEVERAL_PROCESSES)
