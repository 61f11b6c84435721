"""A model for a script on another machine than the workspace's: asked for by an edit, brought by the courier.

Standard library only, Python 3.7+.
"""

from __future__ import annotations

import os
import time

from amlnb.core import edits, layout
from amlnb.core.manifest import decode, object_path
from amlnb.errors import WebserviceException
from amlnb.store.edits import EditReader
from amlnb.tracking import models
from amlnb.tracking.edits import add_edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

# A large model takes its time; who has closed the laptop meanwhile does not come back sooner for waiting longer.
_LONGEST_WAIT_S = 600.0
_PAUSE_S = 0.1


def fetch(run_directory: str, name: str, version: Optional[int], folder: str) -> str:
    """Ask for a model, wait for it, and return its path.

    Parameters
    ----------
    run_directory
        The run's home.
    name, version
        The model; without a version the newest.
    folder
        Where its versions are kept here.

    Raises
    ------
    WebserviceException
        The workspace has no such model, or nobody answers.
    """
    answer = _ask(run_directory, name, version)
    if answer.get("error"):
        raise WebserviceException(str(answer["error"]), hint=answer.get("hint"))
    place = os.path.join(folder, str(answer["version"]))
    if not os.path.isdir(place):
        _materialise(run_directory, str(answer["manifest"]), place)
    return os.path.join(place, str(answer["path"]))


def _ask(run_directory: str, name: str, version: Optional[int]) -> Dict[str, Any]:
    asked = os.urandom(8).hex()
    reader = EditReader(run_directory)
    add_edit(run_directory, {"op": edits.MODEL_WANTED, "id": asked, "name": name, "version": version})
    deadline = time.monotonic() + _LONGEST_WAIT_S
    while time.monotonic() < deadline:
        if reader.refresh():
            for edit in reader.ordered():
                if edit.get("op") == edits.MODEL_BROUGHT and edit.get("id") == asked:
                    return edit
        time.sleep(_PAUSE_S)
    raise WebserviceException(
        f"the model {name!r} did not come from its workspace within {_LONGEST_WAIT_S:.0f} s",
        hint="is the machine that submitted this run switched on? Else put the model into the source directory",
    )


def _materialise(run_directory: str, manifest_id: str, place: str) -> None:
    import shutil

    objects = os.path.join(os.path.dirname(os.path.dirname(run_directory)), layout.OBJECTS)
    with open(os.path.join(objects, object_path(manifest_id)), "rb") as file:
        manifest = decode(file.read(), manifest_id)
    temporary = os.path.join(os.path.dirname(place), ".new-" + os.urandom(6).hex())
    try:
        for path, (sha, _, _) in manifest.files.items():
            target = os.path.join(temporary, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(os.path.join(objects, object_path(sha)), target)
        models.place(temporary, place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
