"""``Workspace``: where experiments and runs are kept; a folder of this machine, with v1's names and search order."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from amlnb import overwritten
from amlnb.api import run_reading, workspace_details
from amlnb.api.compute import ComputeTarget
from amlnb.api.compute_target import tell_without_effect
from amlnb.api.environment import Environment
from amlnb.api.experiment import Experiment
from amlnb.api.keyvault import Keyvault
from amlnb.api.run import Run
from amlnb.api.workspace_dicts import CallableDict, ClusterConfiguration, ModelDict
from amlnb.api.workspace_not_served import WithoutCloud
from amlnb.engine.served_pages import page_of
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.store import workspace_dir
from amlnb.store.run_names import choose
from amlnb.store.workspace_dir import WorkspaceDirectory, WorkspaceIds

# Whose azureml names are overwritten altogether imports none of ours.
overwritten.tell_once()


class Workspace(WithoutCloud):
    """A workspace.

    Parameters
    ----------
    subscription_id, resource_group, workspace_name
        The names that identify it. If the configuration of the working directory has the same, it is that workspace;
        else its data are in the user's data directory (``AMLNB_HOME`` overrides that) under these three names, and are
        made if they are not there, which is told.

    Raises
    ------
    UserErrorException
        A name is none.
    """

    DEFAULT_CPU_CLUSTER_NAME = "cpu-cluster"
    DEFAULT_GPU_CLUSTER_NAME = "gpu-cluster"
    DEFAULT_CPU_CLUSTER_CONFIGURATION = ClusterConfiguration("STANDARD_DS2_V2")
    DEFAULT_GPU_CLUSTER_CONFIGURATION = ClusterConfiguration("STANDARD_NC6")

    def __init__(
        self,
        subscription_id: str,
        resource_group: str,
        workspace_name: str,
        auth: Any = None,
        _location: Any = None,
        _disable_service_check: bool = False,
        _workspace_id: Any = None,
        sku: str = "basic",
        tags: Mapping[str, str] | None = None,
        _cloud: str = "AzureCloud",
    ) -> None:
        given = workspace_details.tags(tags)
        ids = WorkspaceIds(subscription_id, resource_group, workspace_name)
        self.directory: WorkspaceDirectory = workspace_details.opened(ids)
        workspace_details.keep(self.directory.path, tags=given)

    @classmethod
    def from_config(
        cls, path: str | None = None, auth: Any = None, _logger: Any = None, _file_name: str | None = None
    ) -> Workspace:
        """Open the workspace of a project.

        Looks upwards from ``path`` (default: the working directory) for ``.azureml/config.json``, then for a
        ``.amlnb`` folder. A path to a file is used directly. ``_file_name`` is the file's name in place of
        ``config.json``.

        Raises
        ------
        UserErrorException
            The path does not exist, nothing was found, or the configuration cannot be used.
        """
        start = workspace_details.start_of_search(path or ".", _file_name)
        found = cls._find(start)
        if found is None:
            raise UserErrorException(
                f"no workspace was found: there is no .azureml/config.json (nor .amlnb) in {start!r} or above it",
                hint="'amlnb submit SCRIPT' in this folder makes one, and so does a cell that begins with %%submit; "
                "so does Workspace.create('my-workspace').write_config()",
            )
        return found

    @classmethod
    def find_or_create(cls, path: str = ".") -> tuple[Workspace, bool]:
        """Open the workspace of a project, or make one in ``path``; the second value tells that it was made."""
        folder = os.path.abspath(path)
        found = cls._find(folder)
        if found is not None:
            return found, False
        name = "".join(c if c.isalnum() or c in "-_" else "-" for c in os.path.basename(folder))[:33] or "workspace"
        ids = workspace_dir.local_ids(name)
        return cls._open(workspace_dir.folder_data_directory(folder), ids), True

    @classmethod
    def create(
        cls,
        name: str,
        auth: Any = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        create_resource_group: bool = True,
        sku: str = "basic",
        tags: Mapping[str, str] | None = None,
        friendly_name: str | None = None,
        storage_account: Any = None,
        key_vault: Any = None,
        app_insights: Any = None,
        container_registry: Any = None,
        adb_workspace: Any = None,
        primary_user_assigned_identity: Any = None,
        cmk_keyvault: Any = None,
        resource_cmk_uri: Any = None,
        hbi_workspace: bool = False,
        default_cpu_compute_target: Any = None,
        default_gpu_compute_target: Any = None,
        private_endpoint_config: Any = None,
        private_endpoint_auto_approval: bool = True,
        exist_ok: bool = False,
        show_output: bool = True,
        user_assigned_identity_for_cmk_encryption: Any = None,
        system_datastores_auth_mode: str = "accessKey",
        v1_legacy_mode: Any = None,
    ) -> Workspace:
        """Make a workspace in the user's data directory.

        Parameters
        ----------
        name, subscription_id, resource_group
            The names that identify it.
        tags, friendly_name
            Told by `get_details`; `update` changes them.
        default_cpu_compute_target, default_gpu_compute_target
            Clusters to make in it: what ``AmlCompute.provisioning_configuration()`` made.
        exist_ok
            Open it if it exists.
        **others
            A cloud's: without effect, which is told of those that a person gave on purpose.

        Raises
        ------
        UserErrorException
            It exists, and ``exist_ok`` is not set; or its name cannot be used.
        """
        workspace_details.check_name(name)
        tell_without_effect(
            storage_account=storage_account,
            key_vault=key_vault,
            app_insights=app_insights,
            container_registry=container_registry,
            adb_workspace=adb_workspace,
            primary_user_assigned_identity=primary_user_assigned_identity,
            cmk_keyvault=cmk_keyvault,
            resource_cmk_uri=resource_cmk_uri,
            hbi_workspace=hbi_workspace,
            private_endpoint_config=private_endpoint_config,
            user_assigned_identity_for_cmk_encryption=user_assigned_identity_for_cmk_encryption,
        )
        said = {"tags": workspace_details.tags(tags), "friendly_name": friendly_name}
        ids = workspace_details.ids_of(name, subscription_id, resource_group)
        path = workspace_details.data_of(ids)
        if os.path.isdir(path) and not exist_ok:
            raise UserErrorException(f"the workspace {name!r} exists in {path!r}", hint="pass exist_ok=True to open it")
        made = cls._open(path, ids)
        workspace_details.keep(path, **said)
        for cluster, configuration in (
            (cls.DEFAULT_CPU_CLUSTER_NAME, default_cpu_compute_target),
            (cls.DEFAULT_GPU_CLUSTER_NAME, default_gpu_compute_target),
        ):
            if configuration is not None:
                ComputeTarget.create(made, cluster, configuration)
        return made

    @classmethod
    def get(
        cls,
        name: str,
        auth: Any = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        cloud: str = "AzureCloud",
        id: str | None = None,
    ) -> Workspace:
        """Open a workspace by its names: the one that is configured here, or one of the user's data directory.

        Raises
        ------
        UserErrorException
            There is none of these names, or without subscription and resource group more than one.
        """
        here = workspace_details.configured(name, subscription_id, resource_group)
        if here is not None:
            return cls._open(*here)
        path = workspace_dir.data_directory(workspace_details.ids_of(name, subscription_id, resource_group), None)
        if os.path.isdir(path):
            return cls._at(path)
        found = cls.list(subscription_id, None, resource_group).get(name, ())
        if not found:
            raise UserErrorException(f"there is no workspace {name!r} in {path!r}", hint="Workspace.create makes one")
        if len(found) > 1:
            groups = ", ".join(f"{each.subscription_id}/{each.resource_group}" for each in found)
            raise UserErrorException(
                f"there are {len(found)} workspaces {name!r}: {groups}",
                hint="give subscription_id and resource_group too",
            )
        return found[0]

    @classmethod
    def list(
        cls, subscription_id: str | None, auth: Any = None, resource_group: str | None = None
    ) -> dict[str, Sequence[Workspace]]:
        """Workspaces of the user's data directory, ``{name: [Workspace]}``; with None of whatever subscription."""
        found: dict[str, Sequence[Workspace]] = {}
        for path in workspace_details.every():
            workspace = cls._at(path)
            of_subscription = subscription_id in (None, workspace.subscription_id)
            if of_subscription and resource_group in (None, workspace.resource_group):
                found[workspace.name] = [*found.get(workspace.name, ()), workspace]
        return found

    @classmethod
    def _find(cls, start: str) -> Workspace | None:
        config = workspace_dir.find_config(start)
        if config is not None:
            return cls._open(workspace_details.place(*config), config[1])
        if os.path.isfile(start):
            return None
        data = workspace_dir.find_data(start)
        return None if data is None else cls._at(data)

    @classmethod
    def _open(cls, path: str, ids: WorkspaceIds) -> Workspace:
        workspace = cls.__new__(cls)
        workspace.directory = workspace_dir.open_directory(path, ids)
        return workspace

    @classmethod
    def _at(cls, data: str) -> Workspace:
        """Open a workspace by its data directory."""
        workspace = cls.__new__(cls)
        workspace.directory = workspace_dir.open_directory(data)
        return workspace

    @property
    def name(self) -> str:
        """Name of the workspace."""
        return self.directory.ids.workspace_name

    @property
    def subscription_id(self) -> str:
        """Subscription id, as configured."""
        return self.directory.ids.subscription_id

    @property
    def resource_group(self) -> str:
        """Resource group, as configured."""
        return self.directory.ids.resource_group

    @property
    def location(self) -> str:
        """Always ``local``: there is no cloud behind it."""
        return workspace_details.LOCATION

    @property
    def experiments(self) -> CallableDict:
        """``{name: Experiment}``."""
        return CallableDict({experiment.name: experiment for experiment in Experiment.list(self)})

    @property
    def environments(self) -> CallableDict:
        """``{name: Environment}``: the newest of each that is registered, and those that are given."""
        return CallableDict(Environment.list(self))

    @property
    def models(self) -> ModelDict:
        """``{name: Model}``: the newest of each; ``models(name=..., tags=...)`` lists those that fit, all versions."""
        return ModelDict(self)

    @property
    def compute_targets(self) -> CallableDict:
        """``{name: ComputeTarget}``, each of its exact class; this machine itself, ``local``, is not among them."""
        return CallableDict({target.name: target for target in ComputeTarget.list(self)})

    def get_default_compute_target(self, type: str) -> ComputeTarget | None:
        """The cluster that is called as v1's default of a type, ``CPU`` or ``GPU``; None if there is none."""
        names = {"cpu": self.DEFAULT_CPU_CLUSTER_NAME, "gpu": self.DEFAULT_GPU_CLUSTER_NAME}
        if str(type).lower() not in names:
            raise UserErrorException(f"the type of a compute target is {type!r}", hint="it is 'CPU' or 'GPU'")
        found: ComputeTarget | None = self.compute_targets.get(names[type.lower()])
        return found

    def get_default_keyvault(self) -> Keyvault:
        """The workspace's secrets."""
        return Keyvault(self)

    @property
    def portal_url(self) -> str:
        """Address of its page: in a Jupyter server that runs here, else in a studio, which is started if need be."""
        return page_of(self.directory.path)

    @property
    def _workspace_id(self) -> str:
        return str(workspace_details.read(self.directory.path).get("id") or "")

    def get_details(self) -> dict[str, Any]:
        """What v1 told of a workspace; what only a cloud has is None."""
        return workspace_details.details(self.directory)

    def update(
        self,
        friendly_name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        image_build_compute: Any = None,
        service_managed_resources_settings: Any = None,
        primary_user_assigned_identity: Any = None,
        allow_public_access_when_behind_vnet: Any = None,
        v1_legacy_mode: Any = None,
    ) -> dict[str, Any]:
        """Change what `get_details` tells of it, and return that; None leaves as it is, the others are a cloud's.

        Raises
        ------
        UserErrorException
            The tags are no dict.
        """
        tell_without_effect(
            image_build_compute=image_build_compute,
            service_managed_resources_settings=service_managed_resources_settings,
            primary_user_assigned_identity=primary_user_assigned_identity,
            allow_public_access_when_behind_vnet=allow_public_access_when_behind_vnet,
        )
        said = {"tags": workspace_details.tags(tags), "friendly_name": friendly_name, "description": description}
        workspace_details.keep(self.directory.path, **said)
        return self.get_details()

    def delete(self, delete_dependent_resources: bool = False, no_wait: bool = False) -> None:
        """Remove the workspace with all of its runs, models and secrets; its configuration file stays.

        Raises
        ------
        UserErrorException
            A run of it has not ended.
        """
        keyvault = self.get_default_keyvault()
        workspace_details.delete(self.directory)
        keyvault.delete()

    def write_config(self, path: str | None = None, file_name: str | None = None) -> None:
        """Write ``<path>/.azureml/config.json``, by which ``from_config`` finds this workspace again."""
        workspace_details.write_config(self.directory.ids, path or ".", file_name)

    def get_run(self, run_id: str) -> Run:
        """Return a run, of whatever experiment.

        Parameters
        ----------
        run_id
            As on the command line: its id, a unique beginning or end of it, ``experiment#3``, or ``last`` for the
            newest.

        Raises
        ------
        UserErrorException
            No run, or more than one, has that name.
        """
        directory = self.directory.find_run(run_id)
        if directory is None:
            from amlnb.store.index import Index

            directory = choose(run_id, Index(self.directory).list_runs()).directory
        return run_reading.run_at(directory)

    def _repr_html_(self) -> str | None:
        from amlnb.api.cards import workspace_html

        try:
            return workspace_html(self.directory)
        except (OSError, AmlnbError):  # told by whoever asks for the runs
            return None

    def __repr__(self) -> str:
        ids = self.directory.ids
        return (
            f"Workspace.create(name={self.name!r}, subscription_id={ids.subscription_id!r}, "
            f"resource_group={ids.resource_group!r})"
        )
