"""What estimators of v1 were told of several processes, old words and new ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from amlnb.api.distributed import (
    Distributed,
    MpiConfiguration,
    ParameterServer,
    PyTorchConfiguration,
    TensorflowConfiguration,
    count,
)
from amlnb.errors import RunConfigurationException, TrainingException

MPI, PARAMETER_SERVER, GLOO, NCCL = "mpi", "ps", "gloo", "nccl"


def processes_of(given: Mapping[str, Any], backends: tuple[str, ...], name: str) -> Distributed | None:
    """The configuration of several processes; None where none is asked for.

    Parameters
    ----------
    given
        Parameters of an estimator.
    backends
        Those that it knows.
    name
        What messages call it.

    Raises
    ------
    TrainingException
        A number is none, or the estimator does not know such processes.
    """
    try:
        return _processes(given, backends, name)
    except RunConfigurationException as error:
        raise TrainingException(error.message, hint=error.hint) from error


def _processes(given: Mapping[str, Any], backends: tuple[str, ...], name: str) -> Distributed | None:
    nodes = count(given.get("node_count", 1), "node_count")
    on_each = count(given.get("process_count_per_node", 1), "process_count_per_node")
    asked, word = given.get("distributed_training"), given.get("distributed_backend")
    if asked is not None:
        if _word_of(asked) not in backends:
            raise TrainingException(
                f"distributed_training is a {type(asked).__name__}, which {name} does not know",
                hint=f"it knows: {', '.join(backends)}",
            )
        return _with_numbers(asked, nodes, on_each)
    if word is None:
        return MpiConfiguration(on_each, nodes) if on_each > 1 else None
    known = str(word).lower()
    if known not in backends:
        raise TrainingException(
            f"distributed_backend is {word!r}, which {name} does not know", hint=f"it knows: {', '.join(backends)}"
        )
    if known == MPI:
        return MpiConfiguration(on_each, nodes)
    if known == PARAMETER_SERVER:
        return ParameterServer(given.get("worker_count", 1), given.get("parameter_server_count", 1))
    return _with_numbers(PyTorchConfiguration(known), nodes, on_each)


def _with_numbers(asked: Distributed, nodes: int, on_each: int) -> Distributed:
    """A configuration with the numbers that an estimator was given beside it."""
    if isinstance(asked, MpiConfiguration):
        return MpiConfiguration(max(asked.process_count_per_node, on_each), max(asked.node_count, nodes))
    if isinstance(asked, PyTorchConfiguration):
        nodes = max(asked.node_count, nodes)
        in_all = nodes * on_each if asked.process_count is None and on_each > 1 else asked.process_count
        return PyTorchConfiguration(asked.communication_backend, in_all, nodes)
    return asked


def told_unused(given: Mapping[str, Any], asked: Distributed | None) -> list[str]:
    """What there is to tell of numbers that an estimator was given, and that its processes do not depend on."""
    found = []
    if isinstance(asked, TensorflowConfiguration):
        if given.get("process_count_per_node", 1) > 1:
            found.append("process_count_per_node has no effect with parameter servers: worker_count says how many")
    else:
        names = [each for each in ("worker_count", "parameter_server_count") if given.get(each, 1) != 1]
        found += [f"{each} has no effect: distributed_backend is not {PARAMETER_SERVER!r}" for each in names]
    return found


def _word_of(asked: object) -> str | None:
    if isinstance(asked, MpiConfiguration):
        return MPI
    if isinstance(asked, TensorflowConfiguration):
        return PARAMETER_SERVER
    return asked.communication_backend if isinstance(asked, PyTorchConfiguration) else None
