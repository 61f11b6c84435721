"""A run that is started inside a run: nothing of the outer one's processes is its own."""

import pytest

from amlnb.runner import one_process
from amlnb.tracking import context

MPI = {"framework": "Python", "communicator": "IntelMpi", "node_count": 1, "process_count_per_node": 1}
TORCH = {"framework": "PyTorch", "communicator": "nccl", "node_count": 1, "process_count": None}
TENSORFLOW = {"framework": "TensorFlow", "communicator": "ParameterServer", "worker_count": 1, "parameter_server_count": 0}


@pytest.mark.parametrize("asked", [MPI, TORCH, TENSORFLOW])
def test_no_variable_of_the_outer_runs_processes_is_passed_on(asked):
    outer = context.variables("r", "e", "/runs/r", {})
    own = {"PATH": "/bin", "OMP_NUM_THREADS": "2", "RANKING": "x", "AZURE_HOME": "y"}
    assert context.without_run({**own, **outer, **one_process.variables(asked)}) == own


def test_outside_of_a_run_a_launchers_variables_are_the_users_own():
    own = {"RANK": "1", "OMPI_MCA_btl": "tcp", "MASTER_ADDR": "a", "TF_CONFIG": "{}", "AZ_BATCH_NODE_ID": "3"}
    assert context.without_run({**own, "AZUREML_X": "1"}) == own


def test_mpi_sets_what_mpi_sets():
    found = one_process.variables(MPI)
    assert {name for name in found if name in ("WORLD_SIZE", "RANK", "LOCAL_RANK") or name.startswith("MASTER_")} == set()
    assert found["OMPI_COMM_WORLD_SIZE"] == "1"
