"""``ComputeInstance``: v1's machine of one person. Here it is a name for this machine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from amlnb.api.compute_machine import has_gpu, missing_gpu, sizes, this_machine
from amlnb.api.compute_target import ComputeTarget, WorkspaceHandle, make, tell_without_effect
from amlnb.core import coercion
from amlnb.engine import targets

_TYPE = "ComputeInstance"
_DEFAULT_SIZE = "STANDARD_DS3_V2"
_RUNNING, _STOPPED = "Running", "Stopped"


@dataclass(frozen=True)
class ComputeInstanceStatus:
    """State of a compute instance."""

    state: str
    vm_size: str
    creation_time: str | None
    created_by_user_name: str | None = None
    errors: Any = None

    def serialize(self) -> dict[str, Any]:
        """All of it as v1's dict."""
        return {
            "errors": self.errors,
            "creationTime": self.creation_time,
            "createdBy": {"userName": self.created_by_user_name},
            "state": self.state,
            "vmSize": self.vm_size,
        }


class ComputeInstanceProvisioningConfiguration:
    """What a compute instance is to be; see `ComputeInstance.provisioning_configuration`."""

    def __init__(self, vm_size: str, tags: Any = None, description: str | None = None) -> None:
        self.vm_size = vm_size
        self.tags = tags
        self.description = description

    def made(self, workspace: WorkspaceHandle, name: str) -> ComputeTarget:
        """Make a compute instance of it; see `ComputeTarget.create`."""
        definition = {
            "kind": targets.LOCAL,
            "type": _TYPE,
            "vm_size": self.vm_size,
            "state": _RUNNING,
            "tags": dict(self.tags or {}),
            "description": self.description,
            "created": time.time(),
        }
        found = make(workspace, name, definition)
        print(f"{name} is a name for this machine: {this_machine()}; its runs start here")
        told = missing_gpu(f"{self.vm_size} has GPUs") if has_gpu(self.vm_size) else None
        if told:
            print(f"Warning: {told}")
        return found


class ComputeInstance(ComputeTarget):
    """A compute instance: a name for this machine. Whether it is started or stopped is kept, and stops no run."""

    _kind = targets.LOCAL
    _word = _TYPE

    @classmethod
    def provisioning_configuration(
        cls,
        vm_size: str = "",
        ssh_public_access: bool = False,
        admin_user_ssh_public_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        description: str | None = None,
        assigned_user_object_id: str | None = None,
        assigned_user_tenant_id: str | None = None,
    ) -> ComputeInstanceProvisioningConfiguration:
        """Say what a compute instance is to be.

        Parameters
        ----------
        vm_size, tags, description
            Kept.
        ssh_public_access, admin_user_ssh_public_key, assigned_user_object_id, assigned_user_tenant_id
            Without effect, and not kept: nobody signs in.
        vnet_resourcegroup_name, vnet_name, subnet_name
            Without effect: there is no network of a cloud.
        """
        tell_without_effect(
            ssh_public_access=ssh_public_access,
            admin_user_ssh_public_key=admin_user_ssh_public_key,
            vnet_resourcegroup_name=vnet_resourcegroup_name,
            vnet_name=vnet_name,
            subnet_name=subnet_name,
            assigned_user_object_id=assigned_user_object_id,
            assigned_user_tenant_id=assigned_user_tenant_id,
        )
        return ComputeInstanceProvisioningConfiguration(str(vm_size or _DEFAULT_SIZE), tags, description)

    @classmethod
    def supported_vmsizes(cls, workspace: WorkspaceHandle, location: str | None = None) -> list[dict[str, object]]:
        """Sizes that v1 code may name; see `AmlCompute.supported_vmsizes`."""
        return sizes()

    @property
    def vm_size(self) -> str:
        """As it was given."""
        return coercion.text(self._definition.get("vm_size")) or _DEFAULT_SIZE

    @property
    def applications(self) -> list[dict[str, str]]:
        """Programs that are reached through it: none, they run on this machine."""
        return []

    def get_status(self) -> ComputeInstanceStatus:
        """Its state now."""
        self.refresh_state()
        state = coercion.text(self._definition.get("state")) or _RUNNING
        return ComputeInstanceStatus(state, self.vm_size, self.created_on)

    def start(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Have it called running."""
        self._enter(_RUNNING, show_output)

    def stop(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Have it called stopped; this machine and its runs go on."""
        self._enter(_STOPPED, show_output)

    def restart(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Have it called running; this machine and its runs go on."""
        self._enter(_RUNNING, show_output)

    def delete(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Take the name away; runs that were made on it stay."""
        super().delete()
        if show_output:
            print("Deleting")

    def _enter(self, state: str, show_output: bool) -> None:
        self._change(state=state)
        if show_output:
            print(state)

    def _details(self) -> dict[str, Any]:
        return {"vmSize": self.vm_size, "applications": self.applications, **self.get_status().serialize()}
