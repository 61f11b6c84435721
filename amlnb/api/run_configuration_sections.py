"""The sections of a `RunConfiguration`, with v1's names. An attribute that does not exist raises: typos are errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from amlnb.core import coercion

_WORD = re.compile(r"_([a-z])")


class Section:
    """Named values, as the attributes of an object and as a part of a ``.runconfig`` file.

    Attributes that are not among ``__slots__`` raise AttributeError.
    """

    __slots__ = ()

    def to_document(self) -> dict[str, Any]:
        """Its part of a ``.runconfig`` file."""
        return {camel(name): getattr(self, name) for name in self._names()}

    def take(self, document: Mapping[str, Any]) -> None:
        """Take over what a part of a ``.runconfig`` file says; the rest stays."""
        for name in self._names():
            if camel(name) in document:
                setattr(self, name, document[camel(name)])

    def is_changed(self) -> bool:
        """Tell whether it says anything but what it says by default."""
        return self.to_document() != type(self)().to_document()

    def _names(self) -> list[str]:
        return sorted(name for cls in type(self).__mro__ for name in getattr(cls, "__slots__", ()))

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._names())
        return f"{type(self).__name__}({told})"


class HistoryConfiguration(Section):
    """What is kept of a run. Here everything is, whatever stands in it.

    Attributes
    ----------
    output_collection, snapshot_project, directories_to_watch, enable_mlflow_tracking
        As in v1.
    """

    __slots__ = ("directories_to_watch", "enable_mlflow_tracking", "output_collection", "snapshot_project")

    def __init__(self) -> None:
        self.output_collection = True
        self.snapshot_project = True
        self.directories_to_watch: list[str] = ["logs"]
        self.enable_mlflow_tracking = True


class AmlComputeConfiguration(Section):
    """A cluster that v1 made for one run; its run is on this machine.

    Attributes
    ----------
    vm_size, vm_priority, retain_cluster, cluster_max_node_count
        As in v1.
    """

    __slots__ = ("_name", "cluster_max_node_count", "retain_cluster", "vm_priority", "vm_size")

    def __init__(self) -> None:
        self.vm_size: str | None = None
        self.vm_priority: str | None = None
        self._name: str | None = None
        self.retain_cluster = False
        self.cluster_max_node_count: int | None = 1


class ContainerInstanceConfiguration(Section):
    """A container that v1 made for one run; its run is on this machine.

    Attributes
    ----------
    region, cpu_cores, memory_gb
        As in v1.
    """

    __slots__ = ("cpu_cores", "memory_gb", "region")

    def __init__(self) -> None:
        self.region: str | None = None
        self.cpu_cores: float = 2
        self.memory_gb: float = 3.5


class DataReferenceConfiguration(Section):
    """A folder of a datastore; datastores are not served yet, and a run that has one is refused.

    Parameters
    ----------
    datastore_name, mode, path_on_datastore, path_on_compute, overwrite
        As in v1.
    """

    __slots__ = ("datastore_name", "mode", "overwrite", "path_on_compute", "path_on_datastore")

    def __init__(
        self,
        datastore_name: str | None = None,
        mode: str = "mount",
        path_on_datastore: str | None = None,
        path_on_compute: str | None = None,
        overwrite: bool = False,
    ) -> None:
        self.datastore_name = datastore_name
        self.mode = mode
        self.path_on_datastore = path_on_datastore
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite


class SparkConfiguration(Section):
    """Settings of Spark; without effect, as there is none.

    Attributes
    ----------
    configuration
        As in v1.
    """

    __slots__ = ("configuration",)

    _default: ClassVar[dict[str, Any]] = {
        "spark.app.name": "Azure ML Experiment",
        "spark.yarn.maxAppAttempts": 1,
    }

    def __init__(self) -> None:
        self.configuration: dict[str, Any] = dict(self._default)

    def is_changed(self) -> bool:
        """Tell whether it says anything but what it says by default, a number as text or not."""
        return _texts(self.configuration) != _texts(self._default)


class HdiConfiguration(Section):
    """Settings of HDInsight; without effect, as there is none.

    Attributes
    ----------
    yarn_deploy_mode
        As in v1.
    """

    __slots__ = ("yarn_deploy_mode",)

    def __init__(self) -> None:
        self.yarn_deploy_mode = "cluster"


class ParallelTaskConfiguration(Section):
    """Settings of parallel tasks; without effect.

    Attributes
    ----------
    max_retries_per_worker, worker_count_per_node, terminal_exit_codes
        As in v1.
    """

    __slots__ = ("max_retries_per_worker", "terminal_exit_codes", "worker_count_per_node")

    def __init__(self) -> None:
        self.max_retries_per_worker = 0
        self.worker_count_per_node = 1
        self.terminal_exit_codes: list[int] | None = None


def camel(name: str) -> str:
    """A name as v1's files have it: ``node_count`` is ``nodeCount``."""
    return _WORD.sub(lambda found: found[1].upper(), name.lstrip("_"))


def _texts(given: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in coercion.mapping(given).items()}
