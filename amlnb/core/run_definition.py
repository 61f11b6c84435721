"""What v1 told of a run's configuration: the ``runDefinition`` of ``get_details()``."""

from __future__ import annotations

from amlnb.core import coercion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Tuple

_BACKENDS = ("nccl", "gloo")
_SHM_SIZE = "2g"


# {v1's name in a definition: (ours, as v1 told it of runs whose code set nothing)}
_SECTIONS: Dict[str, Tuple[str, Dict[str, Any]]] = {
    "history": ("history", {"outputCollection": True, "directoriesToWatch": ["logs"], "enableMLflowTracking": True}),
    "spark": (
        "spark",
        {"configuration": {"spark.app.name": "Azure ML Experiment", "spark.yarn.maxAppAttempts": "1"}},
    ),
    "parallelTask": (
        "parallel_task",
        {"maxRetriesPerWorker": 0, "workerCountPerNode": 1, "terminalExitCodes": None},
    ),
    "amlCompute": (
        "amlcompute",
        {"name": None, "vmSize": None, "retainCluster": False, "clusterMaxNodeCount": None},
    ),
    "hdi": ("hdi", {"yarnDeployMode": "Cluster"}),
    "containerInstance": ("container_instance", {"region": None, "cpuCores": 2.0, "memoryGb": 3.5}),
}


def run_definition(record: Dict[str, Any]) -> Dict[str, Any]:
    """Say in v1's names what a run's submission record says of its configuration, but for the environment.

    Parameters
    ----------
    record
        The content of run.json. What is damaged in it is as by default.
    """
    definition = coercion.mapping(record.get("definition"))
    told = coercion.mapping(definition.get("sections"))
    return dict(
        _asked(record, definition),
        **_processes(coercion.mapping(definition.get("distributed"))),
        docker=_docker(coercion.mapping(definition.get("docker"))),
        # What a run here has none of, as v1 told it of runs that had none.
        sourceDirectoryDataStore=None,
        dataReferences={},
        data={},
        outputData={},
        datacaches=[],
        jobName=None,
        instanceTypes=[],
        priority=told.get("priority"),
        credentialPassthrough=bool(told.get("credential_passthrough")),
        identity=told.get("identity"),
        **{key: dict(default, **_section(told, name, default)) for key, (name, default) in _SECTIONS.items()},
        exposedPorts=None,
        commandReturnCodeConfig={"returnCode": "Zero", "successfulReturnCodes": []},
        applicationEndpoints={},
        parameters=[],
    )


def _section(told: Dict[str, Any], name: str, default: Dict[str, Any]) -> Dict[str, Any]:
    """What code set in a section, by the names that a definition has."""
    given = coercion.mapping(told.get(name))
    renamed = {"enableMlflowTracking": "enableMLflowTracking"}
    return {key: value for key, value in ((renamed.get(k, k), v) for k, v in given.items()) if key in default}


def _asked(record: Dict[str, Any], definition: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "script": definition.get("script"),
        "command": definition.get("command") or "",
        "useAbsolutePath": False,
        "arguments": coercion.items(definition.get("arguments")),
        "target": record.get("target"),
        "maxRunDurationSeconds": definition.get("timeout_s"),
        "environmentVariables": coercion.mapping(definition.get("environment_variables")),
        "snapshotId": record.get("snapshot"),
    }


def _processes(asked: Dict[str, Any]) -> Dict[str, Any]:
    communicator = coercion.text(asked.get("communicator")) or "None"
    servers = coercion.integer(asked.get("parameter_server_count"))
    return {
        "framework": coercion.text(asked.get("framework")) or "Python",
        "communicator": communicator,
        "nodeCount": coercion.integer(asked.get("node_count")) or 1,
        "mpi": {"processCountPerNode": coercion.integer(asked.get("process_count_per_node")) or 1},
        "pyTorch": {
            "communicationBackend": communicator if communicator in _BACKENDS else None,
            "processCount": coercion.integer(asked.get("process_count")),
        },
        "tensorflow": {
            "workerCount": coercion.integer(asked.get("worker_count")) or 1,
            "parameterServerCount": 1 if servers is None else servers,
        },
    }


def _docker(asked: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "useDocker": bool(asked),
        "sharedVolumes": True,
        "shmSize": coercion.text(asked.get("shm_size")) or _SHM_SIZE,
        "arguments": coercion.texts(asked.get("arguments")),
    }
