"""What a workspace has by name: dicts that may be called, as the oldest v1 code did; and what clusters are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from amlnb.api.compute import AmlCompute, AmlComputeProvisioningConfiguration
from amlnb.api.model import Model
from amlnb.errors import NotServedException


class CallableDict(dict[str, Any]):
    """A dict that may also be called, as the oldest v1 code did with ``ws.experiments()``."""

    def __call__(self) -> CallableDict:
        """Return the dict itself."""
        return self


class NotServedDict(CallableDict):
    """What a workspace has none of, because it is not served: empty, and whoever asks it for one by name is told."""

    def __init__(self, name: str, told: str, hint: str) -> None:
        super().__init__()
        self._name, self._told, self._hint = name, told, hint

    def __missing__(self, key: object) -> NoReturn:
        """Say that it is not served."""
        raise NotServedException(f"{self._name}[{key!r}] {self._told}", hint=self._hint)


class ModelDict(dict[str, Model]):
    """The newest version of each model; called, a list of those that fit, as the oldest v1 code did."""

    def __init__(self, workspace: Any) -> None:
        super().__init__({model.name: model for model in Model.list(workspace, latest=True)})
        self._workspace = workspace

    def __call__(self, name: str | None = None, tags: Any = None) -> Sequence[Model]:
        """List the models that have this name and these tags."""
        return Model.list(self._workspace, name=name, tags=tags)


class ClusterConfiguration:
    """What v1's default clusters are made of: of the class `Workspace`, read as an attribute."""

    def __init__(self, vm_size: str) -> None:
        self._vm_size = vm_size

    def __get__(self, instance: object, owner: object = None) -> AmlComputeProvisioningConfiguration:
        """Make it anew."""
        return AmlCompute.provisioning_configuration(vm_size=self._vm_size)
