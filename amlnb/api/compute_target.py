"""``ComputeTarget``: what every compute target of a workspace is and can do, as v1 code asks for it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from amlnb.api.run import Run
from amlnb.api.run_reading import matches, run_at
from amlnb.core import coercion, states
from amlnb.engine import targets
from amlnb.errors import ComputeTargetException
from amlnb.store.index import Index
from amlnb.store.workspace_dir import WorkspaceDirectory

LOCATION = "local"
SUCCEEDED = "Succeeded"
_CREATED, _MODIFIED = "created", "modified"
_SETUP_HINT = "AmlCompute.provisioning_configuration(vm_size='STANDARD_D2_V2', max_nodes=4) makes one"


class WorkspaceHandle(Protocol):
    """What a compute target needs of its workspace."""

    directory: WorkspaceDirectory


# (kind, word): class.
_CLASSES: dict[tuple[str, str], type[ComputeTarget]] = {}


class ComputeTarget:
    """A compute target that was made in a workspace: ``ComputeTarget(workspace, name)`` is of its exact class.

    Parameters
    ----------
    workspace, name
        Its workspace and its name.

    Raises
    ------
    ComputeTargetException
        There is none of that name (the message then begins with ``ComputeTargetNotFound``), or it is of another class.
    """

    _kind: ClassVar[str]
    # v1's word for the class, by which the definition of a target tells it.
    _word: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Let a name that stands for one of these be found."""
        _CLASSES[cls._kind, cls._word] = cls

    def __new__(cls, workspace: WorkspaceHandle, name: str) -> ComputeTarget:  # noqa: PYI034 - of the exact class
        """See that it is there, and of which class."""
        exact = _class_of(_definition(workspace, name))
        if not issubclass(exact, cls):
            raise ComputeTargetException(
                f"the compute target {name!r} is of the class {exact.__name__}, not {cls.__name__}",
                hint=f"{exact.__name__}(workspace, {name!r}) or ComputeTarget(workspace, {name!r})",
            )
        return super().__new__(exact)

    def __init__(self, workspace: WorkspaceHandle, name: str) -> None:
        self.workspace = workspace
        self.name = name
        self._definition = _definition(workspace, name)
        self._deleted = False

    @staticmethod
    def create(workspace: WorkspaceHandle, name: str, provisioning_configuration: Configuration) -> ComputeTarget:
        """Make a compute target: a name for this machine. Returns at once.

        Parameters
        ----------
        workspace, name
            Where, and under which name. One that is there is changed.
        provisioning_configuration
            What ``AmlCompute.provisioning_configuration()`` or ``ComputeInstance.provisioning_configuration()`` made.

        Raises
        ------
        ComputeTargetException
            The name is another machine's or cannot be used, or the configuration is none.
        """
        _check_workspace(workspace)
        return _configuration(provisioning_configuration, "provisioning_configuration").made(workspace, name)

    @staticmethod
    def attach(workspace: WorkspaceHandle, name: str, attach_configuration: Configuration) -> ComputeTarget:
        """Give a name to a machine that exists; as `create`, with what ``attach_configuration()`` made.

        Where that fails, runs for this name are refused until it has been attached: they would be on this machine.
        """
        _check_workspace(workspace)
        try:
            return _configuration(attach_configuration, "attach_configuration").made(workspace, name)
        except ComputeTargetException as error:
            targets.refuse(workspace.directory.path, name, error.message)
            raise

    @staticmethod
    def list(workspace: WorkspaceHandle) -> Sequence[ComputeTarget]:
        """All compute targets of a workspace, by name; those whose definition is damaged are told and left out."""
        found = []
        for name in targets.names(workspace.directory.path)[1:]:
            try:
                found.append(ComputeTarget(workspace, name))
            except ComputeTargetException as error:
                print(error.told)
        return found

    @property
    def type(self) -> str:
        """v1's word for its class."""
        return self._word

    @property
    def id(self) -> str:
        """As v1 called it, by the names of the workspace."""
        return f"{_workspace_id(self.workspace)}/computes/{self.name}"

    @property
    def cluster_resource_id(self) -> str | None:
        """The same as `id`; v1 had it of clusters that were attached."""
        return self.id

    @property
    def location(self) -> str:
        """Always ``local``."""
        return LOCATION

    cluster_location = location

    @property
    def provisioning_state(self) -> str:
        """``Succeeded``; ``Deleting`` once it was deleted by this object."""
        return "Deleting" if self._deleted else SUCCEEDED

    @property
    def provisioning_errors(self) -> Sequence[dict[str, Any]] | None:
        """None: nothing has to be made; but see `RemoteCompute`."""
        return None

    @property
    def tags(self) -> dict[str, str] | None:
        """As it was given."""
        return coercion.scalar_texts(self._definition.get("tags")) or None

    @property
    def description(self) -> str | None:
        """As it was given."""
        return coercion.text(self._definition.get("description"))

    @property
    def created_on(self) -> str | None:
        """When it was made, in UTC."""
        return moment(self._definition.get(_CREATED))

    @property
    def modified_on(self) -> str | None:
        """When it was last changed, in UTC."""
        return moment(self._definition.get(_MODIFIED, self._definition.get(_CREATED)))

    def get_status(self) -> Any:
        """Its state now."""
        self.refresh_state()
        return self.provisioning_state

    @property
    def status(self) -> Any:
        """The same as `get_status`."""
        return self.get_status()

    def refresh_state(self) -> None:
        """Read again what it is.

        Raises
        ------
        ComputeTargetException
            It is gone.
        """
        if not self._deleted:
            self._definition = _definition(self.workspace, self.name)

    def wait_for_completion(self, show_output: bool = False, is_delete_operation: bool = False) -> None:
        """Wait until it can be used, which is at once; ``show_output`` prints what v1 did."""
        if show_output:
            for text in self._progress(is_delete_operation):
                print(text)

    def wait_for_provisioning(self, show_output: bool = False, **_: Any) -> None:
        """The same as `wait_for_completion`, as the oldest code has it."""
        self.wait_for_completion(show_output)

    def _progress(self, is_delete_operation: bool) -> Iterator[str]:
        if is_delete_operation:
            yield "Deleting"
        state = SUCCEEDED if is_delete_operation else self.provisioning_state
        yield state
        yield f"Provisioning operation finished, operation {state!r}"

    def get_active_runs(
        self, type: str | None = None, tags: Any = None, properties: Any = None, status: str | None = None
    ) -> Iterator[Run]:
        """Runs on it that have not ended, the newest first."""
        for summary in Index(self.workspace.directory).list_runs():
            if summary.target == self.name and not states.is_terminal(summary.state):
                run = run_at(summary.directory)
                # Whoever was killed left no end behind: told by a look.
                if not states.is_terminal(run.get_status()) and matches(summary, tags, properties, type, status):
                    yield run

    def delete(self) -> None:
        """Take the name away; runs that were made on it stay."""
        targets.remove(self.workspace.directory.path, self.name)
        self._deleted = True

    def detach(self) -> None:
        """Refused, but for machines that were attached.

        Raises
        ------
        ComputeTargetException
            It was not attached.
        """
        raise ComputeTargetException(
            f"the compute target {self.name!r} was made, not attached, so it cannot be detached", hint="call delete()"
        )

    def serialize(self) -> dict[str, Any]:
        """All of it as v1's dict."""
        return {
            "id": self.id,
            "name": self.name,
            "location": self.location,
            "tags": self.tags,
            "properties": {
                "computeType": self.type,
                "computeLocation": self.location,
                "description": self.description,
                "resourceId": None,
                "provisioningErrors": self.provisioning_errors,
                "provisioningState": self.provisioning_state,
                "createdOn": self.created_on,
                "modifiedOn": self.modified_on,
                "properties": self._details(),
            },
        }

    def _details(self) -> dict[str, Any]:
        """What `serialize` tells of this class alone."""
        return {}

    def _change(self, **changed: Any) -> None:
        definition = {**_definition(self.workspace, self.name), **changed, _MODIFIED: time.time()}
        targets.write(self.workspace.directory.path, self.name, definition)
        self.refresh_state()

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy what it is, whether it is still there or not."""
        return object.__new__, (type(self),), self.__dict__

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(workspace={self.workspace!r}, name={self.name}, id={self.id}, type={self.type}, "
            f"provisioning_state={self.provisioning_state}, location={self.location}, tags={self.tags})"
        )


class Configuration(Protocol):
    """What makes a compute target."""

    def made(self, workspace: WorkspaceHandle, name: str) -> ComputeTarget:
        """Make it under a name; raises as `ComputeTarget.create`."""


def make(workspace: WorkspaceHandle, name: str, definition: Mapping[str, Any]) -> ComputeTarget:
    """Write the definition of a target, in place of one of the same class, or of one that is damaged.

    Raises
    ------
    ComputeTargetException
        The name cannot be used, or stands for a target of another class.
    """
    data = workspace.directory.path
    before = None if name == targets.LOCAL else targets.find(data, name)
    if before is not None:
        old, new = _class_of(before), _class_of(definition)
        if old is not new:
            raise ComputeTargetException(
                f"there is a compute target {name!r} already, of the class {old.__name__}",
                hint=f"give another name; or 'amlnb target remove {name}' first",
            )
    targets.write(data, name, dict(definition))
    return ComputeTarget(workspace, name)


def moment(seconds: object) -> str | None:
    """A time as v1 wrote it."""
    found = coercion.unix_time(seconds)
    return None if found is None else dt.datetime.fromtimestamp(found, dt.UTC).isoformat()


def tell_without_effect(**given: object) -> None:
    """Say of settings that only a cloud has, those that are not None or empty, that they have no effect."""
    names = [name for name, value in given.items() if value]
    if names:
        have = "has" if len(names) == 1 else "have"
        print(f"Warning: {', '.join(names)} {have} no effect: there is no cloud")


def _class_of(definition: Mapping[str, Any]) -> type[ComputeTarget]:
    """Class of a definition; where it does not tell, the first of its kind."""
    kind = definition["kind"]
    of_kind = [each for (known, _), each in _CLASSES.items() if known == kind]
    found = _CLASSES.get((kind, str(definition.get("type"))), next(iter(of_kind), None))
    if found is None:
        raise ComputeTargetException(f"compute targets of kind {kind!r} have no class", hint="upgrade amlnb")
    return found


def _configuration(given: Configuration, what: str) -> Configuration:
    if not hasattr(given, "made"):
        raise ComputeTargetException(f"{what} is a {type(given).__name__}", hint=_SETUP_HINT)
    return given


def _check_workspace(workspace: object) -> None:
    if not hasattr(workspace, "directory"):
        raise ComputeTargetException(
            f"workspace is a {type(workspace).__name__}", hint="pass a Workspace: Workspace.from_config()"
        )


def _definition(workspace: WorkspaceHandle, name: str) -> dict[str, Any]:
    _check_workspace(workspace)
    if name == targets.LOCAL or not isinstance(name, str):
        raise ComputeTargetException(
            f"ComputeTargetNotFound: there is no compute target {name!r} in this workspace",
            hint="this machine itself has no object: compute_target='local'",
        )
    return targets.read(workspace.directory.path, name)


def _workspace_id(workspace: WorkspaceHandle) -> str:
    ids = workspace.directory.ids
    return (
        f"/subscriptions/{ids.subscription_id}/resourceGroups/{ids.resource_group}/providers/"
        f"Microsoft.MachineLearningServices/workspaces/{ids.workspace_name}"
    )
