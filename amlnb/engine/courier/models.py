"""Models that scripts on other machines ask for: brought there as objects, as a snapshot is, and told by an edit."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from amlnb.compute.backend import Backend, Job
from amlnb.core import edits, layout
from amlnb.core.manifest import Manifest
from amlnb.errors import AmlnbError
from amlnb.store.models import in_words, latest_model, not_found, read_model
from amlnb.store.objects import ObjectStore
from amlnb.tracking import plain_tree
from amlnb.tracking.edits import add_edit


class ModelBringer:
    """Answers what one run asks for. A model is read in a thread of its own, so that a large one holds up no other run.

    Parameters
    ----------
    job
        The run.
    data
        The workspace's data directory.
    backend
        Of the run's target.
    """

    def __init__(self, job: Job, data: str, backend: Backend) -> None:
        self._job = job
        self._models = os.path.join(data, layout.MODELS)
        self._backend = backend
        self._number = ""
        self._thread: threading.Thread | None = None
        self._found: dict[str, Any] = {}

    def step(self, told: Iterable[Mapping[str, Any]]) -> None:
        """Do what can be done now.

        Parameters
        ----------
        told
            The run's edits, in their order.

        Raises
        ------
        AmlnbError, OSError
            The answer cannot be brought now; the next step tries again.
        """
        if self._thread is not None:
            if self._thread.is_alive():
                return
            if "manifest" in self._found:
                self._backend.stage(replace(self._job, snapshot=self._found["manifest"]))
            add_edit(self._job.directory, {"op": edits.MODEL_BROUGHT, "id": self._number, **self._found})
            self._thread = None
            return  # its own answer is among the edits at the next step
        told = list(told)
        answered = [edit.get("id") for edit in told if edit.get("op") == edits.MODEL_BROUGHT]
        asked = (edit for edit in told if _is_question(edit) and edit["id"] not in answered)
        question = next(asked, None)
        if question is not None:
            self._number = question["id"]
            self._thread = threading.Thread(
                target=self._find, args=(question["name"], question.get("version")), daemon=True
            )
            self._thread.start()

    def _find(self, name: str, version: int | None) -> None:
        try:
            self._found = self._read(name, version)
        except AmlnbError as error:
            self._found = {"error": error.message, "hint": error.hint}
        except OSError as error:
            self._found = {"error": f"the {in_words(name, version)} cannot be read: {error}", "hint": None}

    def _read(self, name: str, version: int | None) -> dict[str, Any]:
        facts = latest_model(self._models, name) if version is None else read_model(self._models, name, version)
        if facts is None:
            raise not_found(self._models, in_words(name, version), name)
        objects, files = ObjectStore(self._job.objects), {}
        found, _, _ = plain_tree.files_below(os.path.join(facts.directory, layout.MODEL_FILES))
        for relative, path in found.items():
            stored = objects.put_file(path)
            files[relative] = (stored.sha, stored.status.st_size, 0o644)
        manifest = objects.put_bytes(Manifest(files, {}, []).encode())
        return {"version": facts.version, "path": facts.path, "manifest": manifest}


def _is_question(edit: Mapping[str, Any]) -> bool:
    version = edit.get("version")
    is_number = version is None or (isinstance(version, int) and not isinstance(version, bool))
    names = [edit.get("id"), edit.get("name")]
    return edit.get("op") == edits.MODEL_WANTED and is_number and all(isinstance(name, str) for name in names)
