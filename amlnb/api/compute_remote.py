"""``RemoteCompute``: a machine that is reached by ssh."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from amlnb.api.compute_target import ComputeTarget, WorkspaceHandle, make, tell_without_effect
from amlnb.compute.ssh_command import SshTarget, refusal, remote_command, ssh_arguments
from amlnb.engine import targets
from amlnb.errors import AmlnbError, BackendUnavailable, ComputeTargetException, told_error

_SSH_PORT = 22
_TRY_S = 5
# Of a connection that was made before, whoever made it, nothing is seen.
_TRY_OPTIONS = (("ConnectTimeout", str(_TRY_S)), ("ControlMaster", "no"))
_ADDRESS_HINT = "give address='HOST', the name or IP address that ssh reaches it by"


class RemoteComputeAttachConfiguration:
    """Where a machine is; see `RemoteCompute.attach_configuration`. No secret is kept."""

    def __init__(self, address: str, username: str | None, ssh_port: int, private_key_file: str | None) -> None:
        self.address = address
        self.username = username
        self.ssh_port = ssh_port
        self.private_key_file = private_key_file

    def made(self, workspace: WorkspaceHandle, name: str) -> ComputeTarget:
        """Attach the machine; see `ComputeTarget.attach`. One that does not answer is attached too, and told."""
        definition: dict[str, Any] = {"kind": targets.SSH, "host": self.address}
        if self.username:
            definition["user"] = self.username
        if self.ssh_port != _SSH_PORT:
            definition["port"] = self.ssh_port
        if self.private_key_file:
            definition["options"] = {"IdentityFile": self.private_key_file}
        SshTarget.parse(definition)
        found = make(workspace, name, definition)
        assert isinstance(found, RemoteCompute)  # noqa: S101 - by its definition
        for text in found._told_unreachable():
            print(text)
        return found


class RemoteCompute(ComputeTarget):
    """A machine that is reached by ssh: one that was attached, or that ``amlnb target add`` added."""

    _kind = targets.SSH
    _word = "VirtualMachine"
    # As it was found when it was attached, or last waited for.
    _unreachable: AmlnbError | None = None

    @classmethod
    def attach_configuration(
        cls,
        username: str,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        vm_name: str | None = None,
        resource_id: str | None = None,
        address: str | None = None,
        ssh_port: int = _SSH_PORT,
        password: str = "",
        private_key_file: str = "",
        private_key_passphrase: str = "",
    ) -> RemoteComputeAttachConfiguration:
        """Say where a machine is.

        Parameters
        ----------
        username, address, ssh_port
            As ssh takes them; the address may be a name of your ssh configuration.
        private_key_file
            A key without a passphrase; without it the keys that ssh finds (your configuration, your agent).
        subscription_id, resource_group, vm_name, resource_id
            Without effect beside an address; alone they do not tell where the machine is.
        password, private_key_passphrase
            Refused: runs connect when nobody is there to type.

        Raises
        ------
        ComputeTargetException
            The address is missing, a secret is given, or the key is not there.
        """
        beside = {"subscription_id": subscription_id, "resource_group": resource_group, "vm_name": vm_name}
        if not address:
            given = resource_id or vm_name
            told = f"{given!r} is a name in a cloud, and the address" if given else "the address of the machine"
            raise ComputeTargetException(f"{told} is missing", hint=_ADDRESS_HINT)
        tell_without_effect(**beside, resource_id=resource_id)
        if password:
            raise ComputeTargetException(
                f"a password was given for {address!r}: amlnb connects by ssh keys only",
                hint=f"'ssh-copy-id {username}@{address}' puts your key there; then leave the password out",
            )
        if private_key_passphrase:
            raise ComputeTargetException(
                f"a passphrase was given for the key of {address!r}: amlnb keeps none",
                hint="'ssh-add KEY' gives the key to your ssh agent; then leave the passphrase out",
            )
        key = os.path.abspath(os.path.expanduser(private_key_file)) if private_key_file else None
        if key is not None and not os.path.isfile(key):
            raise ComputeTargetException(
                f"there is no private key {private_key_file!r}",
                hint="leave private_key_file out to use the keys that ssh finds",
            )
        try:
            port = int(ssh_port)
        except (TypeError, ValueError) as error:
            raise ComputeTargetException(f"ssh_port is {ssh_port!r}", hint="give a number, such as 22") from error
        return RemoteComputeAttachConfiguration(address, username, port, key)

    @property
    def address(self) -> str:
        """Its address, or its name in the ssh configuration."""
        return str(self._definition.get("host"))

    @property
    def ssh_port(self) -> int:
        """Its port."""
        return int(self._definition.get("port") or _SSH_PORT)

    @property
    def username(self) -> str | None:
        """The login there; None for the one that ssh takes."""
        return self._definition.get("user")

    @property
    def provisioning_state(self) -> str:
        """``Failed`` where it did not answer when it was attached or last waited for, else ``Succeeded``."""
        return super().provisioning_state if self._unreachable is None else "Failed"

    @property
    def provisioning_errors(self) -> Sequence[dict[str, Any]] | None:
        """Why it did not answer; None where it did."""
        if self._unreachable is None:
            return None
        return [{"error": told_error(type(self._unreachable).__name__, self._unreachable)}]

    def _progress(self, is_delete_operation: bool) -> Iterator[str]:
        if not is_delete_operation and self._unreachable is not None:
            yield from self._told_unreachable()
        yield from super()._progress(is_delete_operation)

    def _told_unreachable(self) -> Iterator[str]:
        """Try whether it answers, and tell why it does not."""
        self._unreachable = _try(SshTarget.parse(self._definition))
        if self._unreachable is not None:
            yield f"Warning: {self._unreachable.told}"
            yield f"runs on {self.name} wait until it answers"

    def delete(self) -> None:
        """Refused: the machine was not made here.

        Raises
        ------
        ComputeTargetException
            Always.
        """
        raise ComputeTargetException(
            f"the compute target {self.name!r} was attached, not made, so it cannot be deleted", hint="call detach()"
        )

    def detach(self) -> None:
        """Take the name away; the machine, and the runs that were made on it, stay."""
        super().delete()

    def _details(self) -> dict[str, Any]:
        return {"address": self.address, "sshPort": self.ssh_port}


def _try(target: SshTarget) -> AmlnbError | None:
    """Why a machine does not answer to ssh; None where it does."""
    quick = replace(target, options=(*_TRY_OPTIONS, *target.options))
    command = [*ssh_arguments(quick, "none"), *remote_command(quick, "exit 0")]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=2 * _TRY_S, check=False, errors="replace"
        )
    except subprocess.TimeoutExpired:
        return BackendUnavailable(f"{target.name} cannot be reached: it did not answer within {2 * _TRY_S} s")
    except OSError as error:
        return BackendUnavailable(f"ssh cannot be started: {error.strerror}", hint="install an ssh client")
    return None if done.returncode == 0 else refusal(target, done.returncode, done.stderr)
