"""What is known of a registered model."""

from __future__ import annotations

import datetime as dt

from amlnb.core import layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from amlnb.api.run import Run
    from amlnb.core.models import ModelFacts


class ModelRecord:
    """A version of a model as it was registered and described; :class:`amlnb.api.model.Model` finds and changes it.

    Parameters
    ----------
    workspace
        The workspace.
    facts
        What its files say.
    registered
        Whether there is such a version already; one that comes from another machine is there when its run is.
    """

    def __init__(self, workspace: Any, facts: ModelFacts, *, registered: bool = True) -> None:
        self.workspace = workspace
        self._facts = facts
        self._registered = registered

    @property
    def name(self) -> str:
        """Its name."""
        return self._facts.name

    @property
    def version(self) -> Optional[int]:
        """Its version, from 1; None in a job on another machine than the workspace's, right after register_model."""
        return self._facts.version if self._registered else None

    @property
    def id(self) -> str:
        """``name:version``."""
        return f"{self.name}:{self.version}" if self._registered else self.name

    @property
    def url(self) -> str:
        """Address of the asset, as v1 wrote it."""
        return f"aml://asset/{layout.short_hash(self.id)}{layout.short_hash(self._facts.name)}"

    @property
    def tags(self) -> Dict[str, Optional[str]]:
        """Its tags."""
        return dict(self._facts.tags)

    @property
    def properties(self) -> Dict[str, str]:
        """Its properties, which never change."""
        return dict(self._facts.properties)

    @property
    def description(self) -> Optional[str]:
        """What it is, in the words of who registered it."""
        return self._facts.description

    @property
    def created_time(self) -> dt.datetime:
        """When it was registered (UTC)."""
        return dt.datetime.fromtimestamp(self._facts.created, dt.timezone.utc)

    @property
    def run_id(self) -> Optional[str]:
        """Id of the run that it came from."""
        return self._facts.run_id

    @property
    def run(self) -> Optional[Run]:
        """The run that it came from."""
        return None if self.run_id is None else self.workspace.get_run(self.run_id)

    @property
    def experiment_name(self) -> Optional[str]:
        """Name of that run's experiment."""
        return self._facts.experiment

    @property
    def model_framework(self) -> Optional[str]:
        """One of `Model.Framework`, or another word."""
        return self._facts.framework

    @property
    def model_framework_version(self) -> Optional[str]:
        """Version of the framework."""
        return self._facts.framework_version

    @property
    def datasets(self) -> Dict[str, List[str]]:
        """Ids of the datasets that it was registered with, by what they were for."""
        found: Dict[str, List[str]] = {}
        for pair in self._facts.datasets:
            if isinstance(pair, list) and len(pair) == 2:
                found.setdefault(str(pair[0]), []).append(str(pair[1]))
        return found

    @property
    def sample_input_dataset(self) -> Optional[str]:
        """Id of the dataset that shows what goes in."""
        return self._facts.sample_input

    @property
    def sample_output_dataset(self) -> Optional[str]:
        """Id of the dataset that shows what comes out."""
        return self._facts.sample_output

    @property
    def resource_configuration(self) -> Dict[str, Any]:
        """What it needs to run: ``cpu``, ``memory_in_gb`` and ``gpu``."""
        return dict(self._facts.resource_configuration)

    def serialize(self) -> Dict[str, Any]:
        """All of that as JSON holds it."""
        return {
            "createdTime": self.created_time.isoformat(),
            "description": self.description,
            "experimentName": self.experiment_name,
            "framework": self.model_framework,
            "frameworkVersion": self.model_framework_version,
            "id": self.id,
            "name": self.name,
            "properties": self.properties,
            "runId": self.run_id,
            "tags": self.tags,
            "url": self.url,
            "version": self.version,
        }

    def __repr__(self) -> str:
        return (
            f"Model(workspace={self.workspace!r}, name={self.name}, id={self.id}, version={self.version}, "
            f"tags={self.tags}, properties={self.properties})"
        )
