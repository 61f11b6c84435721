"""The variables of a job of one process, for scripts that were written for several."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

_HOST = "127.0.0.1"
_OF_TORCH = ("nccl", "gloo")
_PARAMETER_SERVER = "ParameterServer"


def variables(asked: Optional[Dict[str, Any]]) -> Dict[str, str]:
    """What a launcher of several processes would set for the only one.

    Parameters
    ----------
    asked
        The ``distributed`` of a run's definition; None where one process was asked for, and no variable is set.
    """
    if asked is None:
        return {}
    communicator, port = asked.get("communicator"), str(_free_port())
    found = {"AZ_BATCHAI_TASK_INDEX": "0", "AZUREML_CR_NODE_RANK": "0", "NODE_RANK": "0"}
    found.update(AZUREML_FRAMEWORK=str(asked.get("framework")), AZUREML_COMMUNICATOR=str(communicator))
    if communicator == _PARAMETER_SERVER:
        cluster = {"worker": [f"{_HOST}:{port}"]}
        task = {"type": "worker", "index": 0}
        found["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task, "environment": "cloud"})
        return found
    if communicator in _OF_TORCH:
        found.update(
            MASTER_ADDR=_HOST,
            MASTER_PORT=port,
            WORLD_SIZE="1",
            RANK="0",
            LOCAL_RANK="0",
            LOCAL_WORLD_SIZE="1",
            AZ_BATCHAI_PYTORCH_INIT_METHOD=f"tcp://{_HOST}:{port}",
        )
        return found
    for name in ("RANK", "LOCAL_RANK"):
        found[f"OMPI_COMM_WORLD_{name}"] = "0"
    for name in ("SIZE", "LOCAL_SIZE"):
        found[f"OMPI_COMM_WORLD_{name}"] = "1"
    found.update(AZ_BATCH_MASTER_NODE=f"{_HOST}:{port}", AZ_BATCHAI_MPI_MASTER_NODE=_HOST)
    return found


def _free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind((_HOST, 0))
        port: int = listener.getsockname()[1]
        return port
