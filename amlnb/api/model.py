"""``Model``: a registered file or folder, by name and version. Works in a job, by the standard library alone."""

from __future__ import annotations

import os

from amlnb.api import model_files
from amlnb.api.model_record import ModelRecord
from amlnb.api.run_content import toolkit
from amlnb.core import edits, layout
from amlnb.core.models import ModelFacts, check_version, split_id
from amlnb.errors import NotServedException, UserErrorException, WebserviceException
from amlnb.store import models as stored
from amlnb.tracking import context, faults, models
from amlnb.tracking.edits import add_edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, NoReturn, Optional

_SERVING = "download the model and load it: path = model.download('folder')"


class Model(ModelRecord):
    """A version of a model of a workspace.

    Parameters
    ----------
    workspace
        The workspace.
    name, version
        Its name, and its version; without a version the newest.
    id
        ``name:version`` instead.
    tags, properties, run_id, model_framework
        What it must have besides.

    Raises
    ------
    WebserviceException
        There is none; the message names those that are there.
    """

    class Framework:
        """Names of frameworks."""

        CUSTOM = "Custom"
        MULTI = "Multi"
        ONNX = "Onnx"
        PYTORCH = "PyTorch"
        SCIKITLEARN = "ScikitLearn"
        TENSORFLOW = "TensorFlow"

    def __init__(
        self,
        workspace: Any,
        name: Optional[str] = None,
        id: Optional[str] = None,
        tags: Any = None,
        properties: Any = None,
        version: Any = None,
        run_id: Optional[str] = None,
        model_framework: Optional[str] = None,
        expand: bool = True,
        **kwargs: Any,
    ) -> None:
        model_files.tell_unknown("Model", kwargs)
        model_files.check_filters(tags=tags, properties=properties)
        if id is not None:
            of_id = split_id(id)
            if name not in (None, of_id[0]) or (version is not None and check_version(version) != of_id[1]):
                raise WebserviceException(
                    f"the id {id!r} is not that of the name {name!r} and the version {version!r}",
                    hint="give one of them",
                )
            name, version = of_id
        elif version is not None and name is None:
            raise WebserviceException("a version is that of a model's name", hint="Model(workspace, 'name', version=1)")
        what = stored.in_words(name, version)
        model_files.check_models_are_here(workspace, what)
        wanted = None if version is None else check_version(version)
        if isinstance(name, str) and wanted is not None:
            one = stored.read_model(model_files.directory_of(workspace), name, wanted)
            candidates = iter(() if one is None else (one,))
        else:
            candidates = model_files.all_of(workspace, name)
        found = next(
            (each for each in candidates if model_files.fits(each, tags, properties, run_id, model_framework)), None
        )
        if found is None:
            raise model_files.not_found(workspace, what, name)
        super().__init__(workspace, found)

    @classmethod
    def _of(cls, workspace: Any, facts: ModelFacts, *, registered: bool = True) -> Model:
        model = cls.__new__(cls)
        ModelRecord.__init__(model, workspace, facts, registered=registered)
        return model

    @classmethod
    def _pending(cls, workspace: Any, record: Dict[str, Any]) -> Model:
        """A model that will be registered where its run arrives; its version is not known before."""
        return cls._of(workspace, ModelFacts("", 0, record), registered=False)

    # -- registering and finding -------------------------------------------------------------------------------------

    @staticmethod
    def register(
        workspace: Any,
        model_path: str,
        model_name: str,
        tags: Any = None,
        properties: Any = None,
        description: Optional[str] = None,
        datasets: Any = None,
        model_framework: Optional[str] = None,
        model_framework_version: Optional[str] = None,
        child_paths: Optional[List[str]] = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
    ) -> Model:
        """Register a file or a folder of this machine as the next version of a model. Its files are copied.

        Parameters
        ----------
        workspace
            Where.
        model_path
            The file or folder.
        model_name
            1 to 255 letters, digits, ``-``, ``.`` and ``_``, a letter or digit first.
        child_paths
            Of a folder, only these files and folders of it.

        Raises
        ------
        WebserviceException
            There is no such file, or the name cannot be used.
        """
        print(f"Registering model {model_name}")
        registered: Model = model_files.register_local(
            workspace,
            model_path,
            model_name,
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
            child_paths,
        )
        return registered

    @staticmethod
    def list(
        workspace: Any,
        name: Optional[str] = None,
        tags: Any = None,
        properties: Any = None,
        run_id: Optional[str] = None,
        latest: bool = False,
        dataset_id: Optional[str] = None,
        expand: bool = True,
        page_count: int = 255,
        model_framework: Optional[str] = None,
    ) -> List[Model]:
        """Models of a workspace, the newest first.

        Parameters
        ----------
        tags, properties
            A list of keys and ``[key, value]`` pairs, or a dict: what they must have.
        latest
            Only the newest version of each.
        """
        model_files.check_models_are_here(workspace, "models cannot be listed")
        model_files.check_filters(tags=tags, properties=properties)
        found, seen = [], set()
        for facts in model_files.all_of(workspace, name):
            if latest and facts.name in seen:
                continue
            seen.add(facts.name)
            of_dataset = dataset_id is None or any(dataset_id in pair for pair in facts.datasets)
            if of_dataset and model_files.fits(facts, tags, properties, run_id, model_framework):
                found.append(Model._of(workspace, facts))
        return found

    @staticmethod
    def get_model_path(model_name: str, version: Any = None, _workspace: Any = None) -> str:
        """Path of a model's file or folder on this machine.

        In a job, and with a workspace, it is copied to ``azureml-models/<name>/<version>/`` of the working directory
        if it is not there. Elsewhere it must be there, or be ``./<name>``.

        Raises
        ------
        WebserviceException
            There is none.
        """
        wanted = None if version is None else check_version(version)
        workspace = _workspace
        if workspace is None and context.current() is not None:
            workspace = toolkit("run").Run.get_context().experiment.workspace
        if workspace is not None:
            brought = model_files.brought_here(workspace, model_name, wanted)
            if brought is not None:
                return brought
            model = Model(workspace, model_name, version=wanted)
            there = model_files.cached(model.name, model.version)
            is_cached = there is not None and there.startswith(f"{model_files.CACHE}/")
            return str(there) if is_cached else model_files.copy_to_cache(model._facts)
        found = model_files.cached(model_name, wanted)
        if found is None:
            raise WebserviceException(
                f"ModelNotFound: the model {model_name!r} is neither in {model_files.CACHE}/{model_name} nor is it "
                f"./{model_name}",
                hint="outside of a run: Model(workspace, name).download(), or pass _workspace",
            )
        return found

    # -- what can be done with it ------------------------------------------------------------------------------------

    def download(self, target_dir: str = ".", exist_ok: bool = False, exists_ok: Optional[bool] = None) -> str:
        """Copy its file or folder into a folder and return its path there.

        Raises
        ------
        WebserviceException
            It is there already, and ``exist_ok`` is not set.
        """
        self._check_registered("downloaded")
        return model_files.copy_out(self._facts, target_dir, exist_ok=exist_ok if exists_ok is None else exists_ok)

    def delete(self) -> None:
        """Delete this version; its number is not given again."""
        self._check_registered("deleted")
        try:
            models.delete(self._facts.directory)
        except OSError as error:
            if self._is_there():
                raise UserErrorException(f"the model {self.id!r} cannot be deleted: {error}") from error
            print(f"Warning: the model {self.id} is deleted, but some of its files are left: {error}; 'amlnb gc' helps")

    def update(
        self,
        tags: Any = None,
        description: Optional[str] = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
    ) -> None:
        """Replace its tags, its description or what it was registered with."""
        if tags is not None:
            added = model_files.texts(tags, "tags")
            self._edit({"op": edits.TAGS, "tags": added, "remove": [key for key in self.tags if key not in added]})
        told = {
            "description": description,
            "sample_input": None if sample_input_dataset is None else model_files.dataset_id(sample_input_dataset),
            "sample_output": None if sample_output_dataset is None else model_files.dataset_id(sample_output_dataset),
            "resource_configuration": model_files.resources(resource_configuration),
        }
        changed = {name: value for name, value in told.items() if value is not None}
        if changed:
            self._edit({"op": edits.DESCRIBE, **changed})

    def add_tags(self, tags: Any) -> None:
        """Add tags; those with the same keys are replaced."""
        self._edit({"op": edits.TAGS, "tags": model_files.texts(tags, "tags")})

    def remove_tags(self, tags: Any) -> None:
        """Remove tags by their keys."""
        keys = [tags] if isinstance(tags, str) else tags
        self._edit({"op": edits.TAGS, "tags": {}, "remove": [str(key) for key in keys]})

    def add_properties(self, properties: Any) -> None:
        """Add properties, which are immutable.

        Raises
        ------
        WebserviceException
            It has one of them with another value.
        """
        added = {key: str(value) for key, value in model_files.texts(properties, "properties").items()}
        for key, value in added.items():
            if self.properties.get(key, value) != value:
                raise WebserviceException(
                    f"the model {self.id!r} has the property {key!r} already, with the value {self.properties[key]!r}",
                    hint="properties never change; use a tag for what does",
                )
        self._edit({"op": edits.PROPERTIES, "properties": added})

    def update_tags_properties(self, add_tags: Any = None, remove_tags: Any = None, add_properties: Any = None) -> None:
        """Several of the above at once."""
        if add_tags:
            self.add_tags(add_tags)
        if remove_tags:
            self.remove_tags(remove_tags)
        if add_properties:
            self.add_properties(add_properties)

    def add_dataset_references(self, datasets: Any) -> None:
        """Tell which datasets it was made of: ``(purpose, dataset)`` pairs."""
        added = model_files.dataset_pairs(datasets)
        self._edit({"op": edits.DESCRIBE, "datasets": [*self._facts.datasets, *added]})

    def _edit(self, edit: Dict[str, Any]) -> None:
        self._check_registered("changed")
        if context.current() is not None:  # a fault of the file system never stops a script
            faults.attempt(self._facts.directory, "model", lambda: add_edit(self._facts.directory, edit))
        else:
            try:
                add_edit(self._facts.directory, edit)
            except OSError as error:
                raise UserErrorException(f"the model {self.id!r} cannot be changed: {error}") from error
        facts = stored.read_model(model_files.directory_of(self.workspace), self.name, self._facts.version)
        self._facts = self._facts if facts is None else facts

    def _check_registered(self, what: str) -> None:
        if not self._registered:
            raise WebserviceException(
                f"the model {self.name!r} cannot be {what} yet: it is registered where this run arrives",
                hint="do it where the workspace is, once the run has ended",
            )
        if not self._is_there():
            raise model_files.not_found(self.workspace, stored.in_words(self.name, self._facts.version), self.name)

    def _is_there(self) -> bool:
        return os.path.exists(os.path.join(self._facts.directory, layout.MODEL_JSON))

    # -- serving -----------------------------------------------------------------------------------------------------

    @staticmethod
    def deploy(
        workspace: Any,
        name: str,
        models: Any,
        inference_config: Any = None,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: bool = False,
        show_output: bool = False,
    ) -> NoReturn:
        """Not served.

        Raises
        ------
        NotServedException
            Always.
        """
        raise NotServedException(f"Model.deploy of {name!r}: amlnb serves no models", hint=_SERVING)

    @staticmethod
    def profile(
        workspace: Any,
        profile_name: str,
        models: Any,
        inference_config: Any,
        input_dataset: Any,
        cpu: Any = None,
        memory_in_gb: Any = None,
        description: Any = None,
    ) -> NoReturn:
        """Not served.

        Raises
        ------
        NotServedException
            Always.
        """
        raise NotServedException("Model.profile: amlnb serves no models", hint=_SERVING)

    @staticmethod
    def package(
        workspace: Any,
        models: Any,
        inference_config: Any = None,
        generate_dockerfile: bool = False,
        image_name: Any = None,
        image_label: Any = None,
    ) -> NoReturn:
        """Not served.

        Raises
        ------
        NotServedException
            Always.
        """
        raise NotServedException("Model.package: amlnb makes no images", hint=_SERVING)
