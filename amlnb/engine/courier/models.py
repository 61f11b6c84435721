"""Models that scripts on other machines ask for: brought there as objects, as a snapshot is, and told by an edit."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from amlnb.compute.backend import Backend, Job
from amlnb.core import edits, layout
from amlnb.core.manifest import Manifest
from amlnb.errors import FormatError
from amlnb.store.models import latest_model, model_names, read_model
from amlnb.store.objects import ObjectStore
from amlnb.tracking.edits import add_edit

_NAMED_AT_MOST = 20


def bring_models(job: Job, told: Iterable[Mapping[str, Any]], data: str, backend: Backend) -> None:
    """Answer what is asked for and not answered yet.

    Parameters
    ----------
    job
        The run that asks.
    told
        Its edits, in their order.
    data
        The workspace's data directory.
    backend
        Of the run's target.

    Raises
    ------
    AmlnbError, OSError
        It cannot be brought now.
    """
    asked = {edit.get("id"): edit for edit in told if edit.get("op") == edits.MODEL_WANTED}
    answered = {edit.get("id") for edit in told if edit.get("op") == edits.MODEL_BROUGHT}
    for number, edit in asked.items():
        if number not in answered:
            add_edit(job.directory, {"op": edits.MODEL_BROUGHT, "id": number, **_brought(job, edit, data, backend)})


def _brought(job: Job, asked: Mapping[str, Any], data: str, backend: Backend) -> dict[str, Any]:
    models, name, version = os.path.join(data, layout.MODELS), str(asked.get("name")), asked.get("version")
    try:
        facts = read_model(models, name, version) if isinstance(version, int) else latest_model(models, name)
    except FormatError as error:
        return {"error": error.message, "hint": error.hint}
    if facts is None:
        known = ", ".join(model_names(models)[:_NAMED_AT_MOST]) or "none"
        of_version = "" if version is None else f" of version {version}"
        return {
            "error": f"ModelNotFound: there is no model {name!r}{of_version}",
            "hint": f"the workspace has: {known}",
        }
    objects, top = ObjectStore(job.objects), os.path.join(facts.directory, layout.MODEL_FILES)
    files = {}
    for folder, _, names in os.walk(top):
        for each in names:
            path = os.path.join(folder, each)
            stored = objects.put_file(path)
            files[os.path.relpath(path, top)] = (stored.sha, stored.status.st_size, 0o644)
    manifest = objects.put_bytes(Manifest(files, {}, []).encode())
    backend.stage(replace(job, snapshot=manifest))
    return {"version": facts.version, "path": facts.path, "manifest": manifest}
