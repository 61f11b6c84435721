"""How many processes v1 code asks for: ``MpiConfiguration`` and its like. A run of amlnb starts one, and says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlnb.errors import RunConfigurationException

PYTHON, PYTORCH, TENSORFLOW = "Python", "PyTorch", "TensorFlow"
NO_COMMUNICATOR, PARAMETER_SERVER = "None", "ParameterServer"
BACKENDS = ("nccl", "gloo")


class MpiConfiguration:
    """Processes that are started by MPI.

    Parameters
    ----------
    process_count_per_node, node_count
        How many.

    Raises
    ------
    RunConfigurationException
        A number is none above 0.
    """

    __slots__ = ("node_count", "process_count_per_node")

    framework = PYTHON
    communicator = "IntelMpi"

    def __init__(self, process_count_per_node: int = 1, node_count: int = 1) -> None:
        self.process_count_per_node = count(process_count_per_node, "process_count_per_node")
        self.node_count = count(node_count, "node_count")


class PyTorchConfiguration:
    """Processes of PyTorch's distributed package.

    Parameters
    ----------
    communication_backend
        ``Nccl`` or ``Gloo``, in any case.
    process_count
        How many in all; None is one on each node.
    node_count
        How many nodes.

    Raises
    ------
    RunConfigurationException
        A number is none above 0, or the backend is another one.
    """

    __slots__ = ("communication_backend", "node_count", "process_count")

    framework = PYTORCH

    def __init__(
        self, communication_backend: str = "Nccl", process_count: int | None = None, node_count: int = 1
    ) -> None:
        backend = str(communication_backend).lower()
        if backend not in BACKENDS:
            raise RunConfigurationException(
                f"communication_backend is {communication_backend!r}", hint=f"it is {' or '.join(BACKENDS)}"
            )
        self.communication_backend = backend
        self.process_count = None if process_count is None else count(process_count, "process_count")
        self.node_count = count(node_count, "node_count")

    @property
    def communicator(self) -> str:
        """The same as the backend."""
        return self.communication_backend


class TensorflowConfiguration:
    """Workers and parameter servers of TensorFlow.

    Parameters
    ----------
    worker_count, parameter_server_count
        How many.

    Raises
    ------
    RunConfigurationException
        A number is none.
    """

    __slots__ = ("parameter_server_count", "worker_count")

    framework = TENSORFLOW
    communicator = PARAMETER_SERVER

    def __init__(self, worker_count: int = 1, parameter_server_count: int = 1) -> None:
        self.worker_count = count(worker_count, "worker_count")
        self.parameter_server_count = count(parameter_server_count, "parameter_server_count", least=0)

    @property
    def node_count(self) -> int:
        """One for each worker."""
        return self.worker_count


class Mpi(MpiConfiguration):
    """Processes that are started by MPI, as estimators were given it."""

    __slots__ = ()

    def __init__(self, process_count_per_node: int = 1) -> None:
        super().__init__(process_count_per_node)


class ParameterServer(TensorflowConfiguration):
    """Workers and parameter servers of TensorFlow, as estimators were given them."""

    __slots__ = ()


class Gloo(PyTorchConfiguration):
    """Processes of PyTorch over Gloo, as estimators were given them."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("Gloo")


class Nccl(PyTorchConfiguration):
    """Processes of PyTorch over NCCL, as estimators were given them."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("Nccl")


Distributed = MpiConfiguration | PyTorchConfiguration | TensorflowConfiguration


def count(value: object, what: str, *, least: int = 1) -> int:
    """A number of processes or nodes.

    Raises
    ------
    RunConfigurationException
        It is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise RunConfigurationException(f"{what} is {value!r}", hint=f"give a whole number, {least} or more")
    return value


def processes(asked: Mapping[str, Any]) -> int:
    """How many processes are asked for.

    Parameters
    ----------
    asked
        The ``distributed`` of a `amlnb.specs.run_spec.RunSpec`.
    """
    nodes = int(asked["node_count"])
    if asked["communicator"] == PARAMETER_SERVER:
        return int(asked["worker_count"]) + int(asked["parameter_server_count"])
    if asked["communicator"] in BACKENDS:
        return int(asked["process_count"] or nodes)
    return nodes * int(asked["process_count_per_node"])


def told_one_process(asked: Mapping[str, Any]) -> str | None:
    """What there is to tell where more than one process is asked for."""
    wanted, nodes = processes(asked), int(asked["node_count"])
    if wanted == 1 and nodes == 1:
        return None
    where = f" on {nodes} nodes" if nodes > 1 else ""
    return (
        f"{wanted} processes{where} were asked for ({asked['framework']}, {asked['communicator']}), and this run "
        "starts one process on one machine"
    )
