"""What a run holds: tags, properties, metrics, files, models.

In a job all of it is read with the standard library alone; elsewhere the toolkit does it, which reads on from where it
was and wakes the courier.
"""

from __future__ import annotations

from amlnb.errors import AmlnbError, NotServedException, RunEnvironmentException, UserErrorException
from amlnb.tracking import context
from amlnb.tracking.tracked_run import TrackedRun

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional

    import pandas as pd

    from amlnb.core.replay import RunFacts
    from amlnb.store.run_reader import RunReader

_EXPLAINERS = "keep what explains the model as a file under outputs/, or as a picture with run.log_image"


class RunContent(TrackedRun):
    """A run with what it holds; :class:`amlnb.api.run.Run` adds who it belongs to and how it lives."""

    _kept_reader: Optional[RunReader] = None

    # -- tags and properties -----------------------------------------------------------------------------------------

    def get_tags(self) -> Dict[str, Optional[str]]:
        """Tags of the run."""
        return dict(self._facts().tags)

    @property
    def tags(self) -> Dict[str, Optional[str]]:
        """The same as :meth:`get_tags`."""
        return self.get_tags()

    def remove_tags(self, tags: Any) -> None:
        """Remove tags by their keys."""
        keys = [tags] if isinstance(tags, str) else tags
        self._edit({"op": "tags", "tags": {}, "remove": [str(key) for key in keys]})

    def get_properties(self) -> Dict[str, str]:
        """Properties of the run."""
        return dict(self._facts().properties)

    @property
    def properties(self) -> Dict[str, str]:
        """The same as :meth:`get_properties`."""
        return self.get_properties()

    def add_properties(self, properties: Mapping[str, Any]) -> None:
        """Add properties, which are immutable: the same value may be added again.

        Raises
        ------
        UserErrorException
            The run has one of them with another value; none was added.
        """
        try:
            held = self.get_properties()
        except (OSError, AmlnbError):  # a fault of the file system never stops a script
            held = {}
        changed = [key for key, value in dict(properties).items() if held.get(str(key), str(value)) != str(value)]
        if changed:
            key = str(changed[0])
            raise UserErrorException(
                f"the run {self.id!r} has the property {key!r} already, with the value {held[key]!r:.200}; "
                f"it cannot become {str(properties[changed[0]])!r:.200}",
                hint="properties never change; use a tag for what does",
            )
        super().add_properties(properties)

    # -- metrics -----------------------------------------------------------------------------------------------------

    def get_metrics(
        self, name: Optional[str] = None, recursive: bool = False, run_type: Any = None, populate: bool = False
    ) -> Dict[str, Any]:
        """Metrics in v1's shapes: a scalar logged once, a list of several, dicts of lists for rows and tables.

        With ``name`` only that one ({} if it is not there); with ``recursive`` ``{run id: metrics}`` of the run and
        all below it that logged anything, of ``run_type`` if that is given.
        """
        module = "reading_in_job" if self._is_light() else "run_relations"
        found: Dict[str, Any] = toolkit(module).metrics(self, name, recursive, run_type)
        return found

    def metrics(self, name: str, index: str = "step") -> pd.Series[Any]:
        """One metric as a pandas Series (float64).

        Parameters
        ----------
        name
            The metric.
        index
            ``step`` (the position where no step was logged) or ``time`` (UTC).

        Raises
        ------
        UserErrorException
            The run has no such metric.
        """
        return toolkit("run_reading").metric_series(self, name, index)  # type: ignore[no-any-return]  # a lazy import

    def system_metrics(self) -> pd.DataFrame:
        """What the run used of its machine, sampled every few seconds.

        Returns
        -------
        pandas.DataFrame
            Index ``time`` (UTC). Columns (float64): ``cpu_percent`` (100 is one core) and ``memory_bytes`` of the run's
            processes, ``processes``, ``host_memory_percent``; ``gpu<i>_percent`` and ``gpu<i>_memory_bytes`` of each
            GPU. Empty for a run that ended within its first second.
        """
        return toolkit("run_reading").system_metrics(self)  # type: ignore[no-any-return]  # a lazy import

    # -- files -----------------------------------------------------------------------------------------------------

    def get_file_names(self) -> List[str]:
        """Names of the run's files: ``outputs/...``, ``logs/...``, the log under both of its names, uploaded ones."""
        names: List[str] = toolkit("run_files").names(self)
        return names

    def download_file(
        self, name: str, output_file_path: Optional[str] = None, _validate_checksum: bool = False
    ) -> None:
        """Copy a file of the run to ``output_file_path`` (by default its own name in the working directory).

        Raises
        ------
        UserErrorException
            The run has no such file; the message names those it has.
        """
        toolkit("run_files").download(self, name, output_file_path)

    def download_files(
        self,
        prefix: Optional[str] = None,
        output_directory: Optional[str] = None,
        output_paths: Optional[List[str]] = None,
        batch_size: int = 100,
        append_prefix: bool = True,
        timeout_seconds: Optional[float] = None,
    ) -> None:
        """Copy all files whose names begin with ``prefix`` into a folder, or to the paths given."""
        toolkit("run_files").download_all(self, prefix, output_directory, output_paths, append_prefix)

    def get_all_logs(self, destination: Optional[str] = None) -> List[str]:
        """Copy the run's logs into a folder (a temporary one without ``destination``) and return their paths."""
        paths: List[str] = toolkit("run_files").download_logs(self, destination)
        return paths

    def get_snapshot_id(self) -> Optional[str]:
        """Id of the snapshot of the run's source; None where none was taken."""
        snapshot = self._record().get("snapshot")
        return None if snapshot is None else str(snapshot)

    def restore_snapshot(self, snapshot_id: Optional[str] = None, path: Optional[str] = None) -> str:
        """Write the source of the run as ``<snapshot id>.zip`` and return the absolute path of that file.

        Parameters
        ----------
        snapshot_id
            Another snapshot of the workspace than the run's own.
        path
            The folder to write into; a temporary one without.

        Raises
        ------
        UserErrorException
            There is no such snapshot.
        """
        return str(toolkit("run_snapshot").restore(self, snapshot_id, path))

    def get_environment(self) -> Any:
        """The `Environment` that was asked for; where none was, one with the Python that the run had."""
        return toolkit("run_reading").environment(self._directory, self._record())

    # -- models ------------------------------------------------------------------------------------------------------

    def register_model(
        self,
        model_name: str,
        model_path: Optional[str] = None,
        tags: Any = None,
        properties: Any = None,
        model_framework: Optional[str] = None,
        model_framework_version: Optional[str] = None,
        description: Optional[str] = None,
        datasets: Any = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Register a file, or a folder, of the run as the next version of a model.

        Parameters
        ----------
        model_name
            1 to 255 letters, digits, ``-``, ``.`` and ``_``, a letter or digit first.
        model_path
            Of the file or folder among the run's files, such as ``outputs/model.pkl``; by default the name.

        Returns
        -------
        Model
            Its files are copied. In a job on another machine than the workspace's its ``version`` is None: the version
            is made where the run arrives.

        Raises
        ------
        ModelPathNotFoundException
            The run has no such file; the message names those it has.
        WebserviceException
            The name cannot be used.
        """
        return toolkit("model_files").register_of_run(
            self,
            model_name,
            model_path,
            {
                "tags": tags,
                "properties": properties,
                "framework": model_framework,
                "framework_version": model_framework_version,
                "description": description,
                "datasets": datasets,
                "sample_input": sample_input_dataset,
                "sample_output": sample_output_dataset,
                "resource_configuration": resource_configuration,
            },
            kwargs,
        )

    # -- what v1 had besides -------------------------------------------------------------------------------------------

    @property
    def input_datasets(self) -> Dict[str, Any]:
        """Data that were handed to the run by name."""
        return {}

    @property
    def output_datasets(self) -> Dict[str, Any]:
        """Places for data that were handed to the run by name."""
        return {}

    def get_secret(self, name: str) -> Any:
        """A secret of the workspace's default Keyvault."""
        return self._keyvault().get_secret(name)

    def get_secrets(self, secrets: Any) -> Any:
        """Several secrets, by name."""
        return self._keyvault().get_secrets(secrets)

    def _keyvault(self) -> Any:
        return self.experiment.workspace.get_default_keyvault()  # type: ignore[attr-defined]  # of the class below

    @property
    def explanation_manager(self) -> Any:
        """Not served; see the hint of the error.

        Raises
        ------
        NotServedException
            Always.
        """
        raise NotServedException("explanation_manager is not served by amlnb", hint=_EXPLAINERS)

    @property
    def counterfactual_manager(self) -> Any:
        """Not served; see the hint of the error.

        Raises
        ------
        NotServedException
            Always.
        """
        raise NotServedException("counterfactual_manager is not served by amlnb", hint=_EXPLAINERS)

    def _get_outputs_datapath(self) -> Any:
        raise NotServedException(
            "_get_outputs_datapath is not served by amlnb: a run's outputs are plain files",
            hint="run.download_files(prefix='outputs/'), or read them below run.directory",
        )

    # -- reading -------------------------------------------------------------------------------------------------------

    def _is_light(self) -> bool:
        """In a job: what was not opened by the toolkit is read without it."""
        return self._kept_reader is None and context.current() is not None

    def _facts(self) -> RunFacts:
        if self._is_light():
            from amlnb.store.light_reader import read_facts

            return read_facts(self._directory)
        return toolkit("run_reading").look(self._reader())  # type: ignore[no-any-return]  # behind a lazy import

    def _record(self) -> Dict[str, Any]:
        if self._is_light():
            from amlnb.store.run_record import read_record

            return read_record(self._directory)
        return self._reader().record

    def _reader(self) -> RunReader:
        """Reader of the run's directory, kept so that each look reads only what is new."""
        if self._kept_reader is None:
            self._kept_reader = toolkit("run_reading").open_reader(self._directory)
        return self._kept_reader


def toolkit(module: str) -> Any:
    """Load what is behind a method; in a job without amlnb installed, say what is missing."""
    from importlib import import_module

    try:
        return import_module("amlnb.api." + module)
    except (ImportError, SyntaxError) as error:
        raise RunEnvironmentException(
            f"this needs amlnb itself in this environment ({error})",
            hint="pip install amlnb (Python 3.11 or newer); logging, files, models, children and metrics of a run work "
            "without it",
        ) from error
