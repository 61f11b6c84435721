"""``PyTorch``, ``TensorFlow``, ``Chainer`` and ``SKLearn``: v1's estimators that bring a framework along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from amlnb.api.distributed import Distributed
from amlnb.api.estimator import Estimator
from amlnb.api.estimator_environment import Packages
from amlnb.api.estimator_processes import GLOO, MPI, NCCL, PARAMETER_SERVER


class _Framework(Estimator):
    """An estimator with a framework, whose version may be chosen."""

    def __init__(
        self,
        source_directory: str | None,
        *,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: Mapping[str, Any] | None = None,
        node_count: int = 1,
        process_count_per_node: int = 1,
        distributed_backend: str | None = None,
        distributed_training: Distributed | None = None,
        use_gpu: bool = False,
        use_docker: bool = True,
        custom_docker_base_image: str | None = None,
        custom_docker_image: str | None = None,
        image_registry_details: Any = None,
        user_managed: bool = False,
        conda_packages: Sequence[str] | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_dependencies_file_path: str | None = None,
        pip_requirements_file_path: str | None = None,
        conda_dependencies_file: str | None = None,
        pip_requirements_file: str | None = None,
        environment_variables: Mapping[str, str] | None = None,
        environment_definition: Any = None,
        inputs: Sequence[Any] | None = None,
        source_directory_data_store: Any = None,
        shm_size: str | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: float | None = None,
        framework_version: str | None = None,
        _enable_optimized_mode: bool = False,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._set_up(locals())


class PyTorch(_Framework):
    """An estimator with PyTorch; see `Estimator`.

    Parameters
    ----------
    framework_version
        Any; v1 had 1.0 to 1.6. The nearest that exists for the workspace's Python is installed, which is told.
    """

    _packages = Packages("PyTorch", ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6"), "1.4", "AzureML-PyTorch-{}-CPU")
    _backends = (MPI, GLOO, NCCL)


class Chainer(_Framework):
    """An estimator with Chainer; see `Estimator`.

    Parameters
    ----------
    framework_version
        Any; v1 had 5.1.0 and 7.0.0. Chainer's last version is installed, which is told.
    """

    _packages = Packages("Chainer", ("5.1.0", "7.0.0"), "5.1.0", "AzureML-Chainer-5.1.0-CPU", is_fixed=True)


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

    def __init__(
        self,
        source_directory: str | None,
        *,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: Mapping[str, Any] | None = None,
        node_count: int = 1,
        process_count_per_node: int = 1,
        worker_count: int = 1,
        parameter_server_count: int = 1,
        distributed_backend: str | None = None,
        distributed_training: Distributed | None = None,
        use_gpu: bool = False,
        use_docker: bool = True,
        custom_docker_base_image: str | None = None,
        custom_docker_image: str | None = None,
        image_registry_details: Any = None,
        user_managed: bool = False,
        conda_packages: Sequence[str] | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_dependencies_file_path: str | None = None,
        pip_requirements_file_path: str | None = None,
        conda_dependencies_file: str | None = None,
        pip_requirements_file: str | None = None,
        environment_variables: Mapping[str, str] | None = None,
        environment_definition: Any = None,
        inputs: Sequence[Any] | None = None,
        source_directory_data_store: Any = None,
        shm_size: str | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: float | None = None,
        framework_version: str | None = None,
        _enable_optimized_mode: bool = False,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._set_up(locals())


class SKLearn(Estimator):
    """An estimator with scikit-learn; see `Estimator`.

    Parameters
    ----------
    framework_version
        Any; v1 had 0.20.3. The nearest that exists for the workspace's Python is installed, which is told.
    """

    _packages = Packages("scikit-learn", ("0.20.3",), "0.20.3", "AzureML-Scikit-learn-{}")

    def __init__(
        self,
        source_directory: str | None,
        *,
        compute_target: Any = None,
        vm_size: str | None = None,
        vm_priority: str | None = None,
        entry_script: str | None = None,
        script_params: Mapping[str, Any] | None = None,
        use_docker: bool = True,
        custom_docker_image: str | None = None,
        image_registry_details: Any = None,
        user_managed: bool = False,
        conda_packages: Sequence[str] | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_dependencies_file_path: str | None = None,
        pip_requirements_file_path: str | None = None,
        conda_dependencies_file: str | None = None,
        pip_requirements_file: str | None = None,
        environment_variables: Mapping[str, str] | None = None,
        environment_definition: Any = None,
        inputs: Sequence[Any] | None = None,
        shm_size: str | None = None,
        resume_from: Any = None,
        max_run_duration_seconds: float | None = None,
        framework_version: str | None = None,
        _enable_optimized_mode: bool = False,
        _disable_validation: bool = True,
        _show_lint_warnings: bool = False,
        _show_package_warnings: bool = False,
    ) -> None:
        self._set_up(locals())
