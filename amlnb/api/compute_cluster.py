"""``AmlCompute``: v1's clusters. Here a cluster is a name for this machine, with what v1 code said of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from amlnb.api.compute_machine import has_gpu, missing_gpu, sizes, this_machine
from amlnb.api.compute_target import (
    LOCATION,
    SUCCEEDED,
    ComputeTarget,
    WorkspaceHandle,
    make,
    moment,
    tell_without_effect,
)
from amlnb.core import coercion
from amlnb.engine import targets
from amlnb.errors import ComputeTargetException

DEFAULT_SIZE = "STANDARD_NC6"
_DEFAULT_MAX_NODES = 4
_IDLE_S = 1800
_TIMEOUT_MINUTES = 25
_PRIORITIES = {"dedicated": "Dedicated", "lowpriority": "LowPriority"}
_NOT_SPECIFIED = "NotSpecified"
_TYPE = "AmlCompute"


@dataclass(frozen=True)
class ScaleSettings:
    """How many nodes a cluster has: as it was given; this machine is one, always there."""

    minimum_node_count: int = 0
    maximum_node_count: int = _DEFAULT_MAX_NODES
    idle_seconds_before_scaledown: int = _IDLE_S

    def serialize(self) -> dict[str, Any]:
        """All of it as v1's dict."""
        return {
            "minNodeCount": self.minimum_node_count,
            "maxNodeCount": self.maximum_node_count,
            "nodeIdleTimeBeforeScaleDown": f"PT{self.idle_seconds_before_scaledown}S",
        }


@dataclass(frozen=True)
class NodeStateCounts:
    """How many nodes are in which state."""

    idle_node_count: int = 0
    leaving_node_count: int = 0
    preempted_node_count: int = 0
    preparing_node_count: int = 0
    running_node_count: int = 0
    unusable_node_count: int = 0

    def serialize(self) -> dict[str, int]:
        """All of it as v1's dict."""
        return {
            "preparingNodeCount": self.preparing_node_count,
            "runningNodeCount": self.running_node_count,
            "idleNodeCount": self.idle_node_count,
            "unusableNodeCount": self.unusable_node_count,
            "leavingNodeCount": self.leaving_node_count,
            "preemptedNodeCount": self.preempted_node_count,
        }


@dataclass(frozen=True)
class AmlComputeStatus:
    """State of a cluster: one node while a run of its name has not ended, else as many as it was asked to keep."""

    allocation_state: str
    allocation_state_transition_time: str | None
    creation_time: str | None
    current_node_count: int
    errors: Any
    modified_time: str | None
    node_state_counts: NodeStateCounts
    provisioning_state: str
    provisioning_state_transition_time: str | None
    scale_settings: ScaleSettings
    target_node_count: int
    vm_priority: str
    vm_size: str

    def serialize(self) -> dict[str, Any]:
        """All of it as v1's dict."""
        return {
            "errors": self.errors,
            "creationTime": self.creation_time,
            "modifiedTime": self.modified_time,
            "currentNodeCount": self.current_node_count,
            "targetNodeCount": self.target_node_count,
            "nodeStateCounts": self.node_state_counts.serialize(),
            "allocationState": self.allocation_state,
            "allocationStateTransitionTime": self.allocation_state_transition_time,
            "provisioningState": self.provisioning_state,
            "provisioningStateTransitionTime": self.provisioning_state_transition_time,
            "scaleSettings": self.scale_settings.serialize(),
            "vmPriority": self.vm_priority,
            "vmSize": self.vm_size,
        }


class AmlComputeProvisioningConfiguration:
    """What a cluster is to be; see `AmlCompute.provisioning_configuration`.

    Attributes
    ----------
    vm_size, vm_priority, min_nodes, max_nodes, idle_seconds_before_scaledown, tags, description
        As they were given; numbers are numbers.
    """

    def __init__(
        self, vm_size: str, vm_priority: str, scale: ScaleSettings, tags: Any = None, description: str | None = None
    ) -> None:
        self.vm_size = vm_size
        self.vm_priority = vm_priority
        self.min_nodes = scale.minimum_node_count
        self.max_nodes = scale.maximum_node_count
        self.idle_seconds_before_scaledown = scale.idle_seconds_before_scaledown
        self.tags = tags
        self.description = description

    def made(self, workspace: WorkspaceHandle, name: str) -> ComputeTarget:
        """Make a cluster of it; see `ComputeTarget.create`."""
        scale = _scale(self.min_nodes, self.max_nodes, self.idle_seconds_before_scaledown)
        definition = {
            "kind": targets.LOCAL,
            "type": _TYPE,
            "vm_size": self.vm_size,
            "vm_priority": _priority(self.vm_priority),
            "min_nodes": scale.minimum_node_count,
            "max_nodes": scale.maximum_node_count,
            "idle_seconds_before_scaledown": scale.idle_seconds_before_scaledown,
            "tags": dict(self.tags or {}),
            "description": self.description,
            "created": time.time(),
        }
        found = make(workspace, name, definition)
        print(f"{name} is a name for this machine: {this_machine()}; its runs start here")
        told = missing_gpu(f"{self.vm_size} has GPUs") if has_gpu(self.vm_size) else None
        if told:
            print(f"Warning: {told}")
        assert isinstance(found, AmlCompute)  # noqa: S101 - by its definition
        found._is_new = True
        return found


class AmlCompute(ComputeTarget):
    """A cluster: a name for this machine."""

    _kind = targets.LOCAL
    _word = _TYPE
    _is_new = False

    @classmethod
    def provisioning_configuration(
        cls,
        vm_size: str = "",
        vm_priority: str = "dedicated",
        min_nodes: int | str = 0,
        max_nodes: int | str | None = None,
        idle_seconds_before_scaledown: int | str = _IDLE_S,
        admin_username: str | None = None,
        admin_user_password: str | None = None,
        admin_user_ssh_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        description: str | None = None,
        remote_login_port_public_access: str = _NOT_SPECIFIED,
        identity_type: str | None = None,
        identity_id: Any = None,
        location: str | None = None,
        enable_node_public_ip: bool = True,
    ) -> AmlComputeProvisioningConfiguration:
        """Say what a cluster is to be.

        Parameters
        ----------
        vm_size
            Kept; where it has GPUs and this machine has none, that is told when the cluster is made.
        vm_priority
            ``dedicated`` or ``lowpriority``; kept.
        min_nodes, max_nodes, idle_seconds_before_scaledown
            Numbers, also as text; kept.
        tags, description
            Kept.
        admin_username, admin_user_password, admin_user_ssh_key, identity_type, identity_id
            Without effect, and not kept: nobody signs in.
        vnet_resourcegroup_name, vnet_name, subnet_name, location, enable_node_public_ip
            Without effect: there is no network of a cloud.
        remote_login_port_public_access
            As those.

        Raises
        ------
        ComputeTargetException
            A number or the priority is none.
        """
        tell_without_effect(
            admin_username=admin_username,
            admin_user_password=admin_user_password,
            admin_user_ssh_key=admin_user_ssh_key,
            vnet_resourcegroup_name=vnet_resourcegroup_name,
            vnet_name=vnet_name,
            subnet_name=subnet_name,
            identity_type=identity_type,
            identity_id=identity_id,
            location=location != LOCATION and location,
            enable_node_public_ip=not enable_node_public_ip,
            remote_login_port_public_access=remote_login_port_public_access != _NOT_SPECIFIED,
        )
        maximum = _DEFAULT_MAX_NODES if max_nodes is None else max_nodes
        return AmlComputeProvisioningConfiguration(
            str(vm_size or DEFAULT_SIZE),
            _priority(vm_priority),
            _scale(min_nodes, maximum, idle_seconds_before_scaledown),
            tags,
            description,
        )

    @classmethod
    def supported_vmsizes(cls, workspace: WorkspaceHandle, location: str | None = None) -> list[dict[str, object]]:
        """Sizes that v1 code may name: ``name``, ``vCPUs``, ``gpus``, ``memoryGB``, ``maxResourceVolumeMB``."""
        return sizes()

    @property
    def vm_size(self) -> str:
        """As it was given."""
        return coercion.text(self._definition.get("vm_size")) or DEFAULT_SIZE

    @property
    def vm_priority(self) -> str:
        """``Dedicated`` or ``LowPriority``, as it was given."""
        return coercion.text(self._definition.get("vm_priority")) or "Dedicated"

    @property
    def scale_settings(self) -> ScaleSettings:
        """As they were given."""
        default = ScaleSettings()
        minimum, maximum, idle_s = (
            coercion.integer(self._definition.get(name))
            for name in ("min_nodes", "max_nodes", "idle_seconds_before_scaledown")
        )
        return ScaleSettings(
            default.minimum_node_count if minimum is None else minimum,
            default.maximum_node_count if maximum is None else maximum,
            default.idle_seconds_before_scaledown if idle_s is None else idle_s,
        )

    def get_status(self) -> AmlComputeStatus:
        """Its state now."""
        self.refresh_state()
        busy = 1 if next(self.get_active_runs(), None) is not None else 0
        count = max(self.scale_settings.minimum_node_count, busy)
        return AmlComputeStatus(
            allocation_state="Steady",
            allocation_state_transition_time=self.modified_on,
            creation_time=self.created_on,
            current_node_count=count,
            errors=None,
            modified_time=self.modified_on,
            node_state_counts=NodeStateCounts(running_node_count=busy, idle_node_count=count - busy),
            provisioning_state=self.provisioning_state,
            provisioning_state_transition_time=self.created_on,
            scale_settings=self.scale_settings,
            target_node_count=count,
            vm_priority=self.vm_priority,
            vm_size=self.vm_size,
        )

    def list_nodes(self) -> list[dict[str, Any]]:
        """Its nodes now: this machine while a run of its name has not ended, or where nodes are to be kept."""
        run = next(self.get_active_runs(), None)
        if run is None and not self.scale_settings.minimum_node_count:
            return []
        return [
            {
                "nodeId": "this-machine",
                "nodeState": "idle" if run is None else "running",
                "port": None,
                "publicIpAddress": None,
                "privateIpAddress": "127.0.0.1",
                "runId": None if run is None else run.id,
            }
        ]

    def update(
        self,
        min_nodes: int | str | None = None,
        max_nodes: int | str | None = None,
        idle_seconds_before_scaledown: int | str | None = None,
    ) -> None:
        """Change the numbers that are kept with it; raises as `provisioning_configuration`."""
        now = self.scale_settings
        scale = _scale(
            now.minimum_node_count if min_nodes is None else min_nodes,
            now.maximum_node_count if max_nodes is None else max_nodes,
            now.idle_seconds_before_scaledown
            if idle_seconds_before_scaledown is None
            else idle_seconds_before_scaledown,
        )
        self._change(
            min_nodes=scale.minimum_node_count,
            max_nodes=scale.maximum_node_count,
            idle_seconds_before_scaledown=scale.idle_seconds_before_scaledown,
        )

    def add_identity(self, identity_type: str, identity_id: Any = None) -> None:
        """Without effect, which is told: there is no cloud to be known to."""
        tell_without_effect(identity_type=identity_type, identity_id=identity_id)

    def remove_identity(self, identity_id: Any = None) -> None:
        """Without effect, which is told: there is no cloud to be known to."""
        tell_without_effect(remove_identity=True)

    def wait_for_completion(  # type: ignore[override]  # v1's order of parameters
        self,
        show_output: bool = False,
        min_node_count: int | None = None,
        timeout_in_minutes: float = _TIMEOUT_MINUTES,
        is_delete_operation: bool = False,
    ) -> None:
        """Wait until it can be used, which is at once; ``show_output`` prints what v1 did."""
        super().wait_for_completion(show_output, is_delete_operation)
        self._is_new = False

    def _progress(self, is_delete_operation: bool) -> Iterator[str]:
        if is_delete_operation:
            yield "Deleting"
        elif self._is_new:
            yield "Creating"
        yield SUCCEEDED
        yield f"{_TYPE} wait for completion finished"
        yield ""
        if not is_delete_operation:
            yield "Minimum number of nodes requested have been provisioned"

    def _details(self) -> dict[str, Any]:
        return {
            "vmSize": self.vm_size,
            "vmPriority": self.vm_priority,
            "scaleSettings": self.scale_settings.serialize(),
            "createdOn": moment(self._definition.get("created")),
        }


def _priority(given: object) -> str:
    found = _PRIORITIES.get(str(given).lower())
    if found is None:
        raise ComputeTargetException(f"vm_priority is {given!r}", hint=f"it is {' or '.join(map(repr, _PRIORITIES))}")
    return found


def _scale(minimum: object, maximum: object, idle_s: object) -> ScaleSettings:
    scale = ScaleSettings(
        _number(minimum, "min_nodes"), _number(maximum, "max_nodes"), _number(idle_s, "idle_seconds_before_scaledown")
    )
    if scale.minimum_node_count > scale.maximum_node_count:
        raise ComputeTargetException(
            f"min_nodes is {scale.minimum_node_count}, and max_nodes is {scale.maximum_node_count}",
            hint="max_nodes is the larger one",
        )
    return scale


def _number(given: object, what: str) -> int:
    """A number that v1 code may have read from an environment variable."""
    try:
        found = int(given) if isinstance(given, int | str) and not isinstance(given, bool) else -1
    except ValueError:
        found = -1
    if found < 0:
        raise ComputeTargetException(f"{what} is {given!r}", hint="give a whole number that is not negative")
    return found
