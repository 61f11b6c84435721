"""The run side of amlnb as a folder of its own: what jobs find behind their own packages.

A job's interpreter need not be the one amlnb is installed in, and must not see the rest of its packages.
"""

from __future__ import annotations

import hashlib
import os
import py_compile
import shutil
import uuid

from amlnb import version
from amlnb.overwritten import own_folder

_MODULES = (
    "__init__.py", "errors.py", "host.py", "lazy.py", "overwritten.py", "placeholders.py", "version.py",
    "api/__init__.py", "api/in_job.py", "api/model.py", "api/model_files.py", "api/model_record.py",
    "api/model_request.py", "api/reading_in_job.py", "api/run.py", "api/run_content.py", "api/run_details_document.py",
    "api/run_files.py",
    "store/__init__.py", "store/edits.py", "store/files.py", "store/light_reader.py", "store/models.py",
    "store/plain_files.py", "store/run_record.py",
)  # fmt: skip
_PACKAGES = ("core", "tracking", "runner")


def stage(cache: str) -> str:
    """Make the folder, if need be, and return its path; its name is the hash of its content.

    Parameters
    ----------
    cache
        The host-local cache folder.
    """
    files = _files()
    digest = hashlib.sha256()
    for relative, source in files:
        with open(source, "rb") as file:
            digest.update(f"{relative}\0{os.fstat(file.fileno()).st_size}\0".encode() + file.read())
    folder = os.path.join(cache, "run-side", digest.hexdigest()[:16])
    if os.path.isdir(folder):
        return folder
    temporary = f"{folder}.{uuid.uuid4().hex}"
    for relative, source in files:
        path = os.path.join(temporary, relative)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(source, path)
        # Compiled here, once: every process of every run begins with one of these, and may not be allowed to write.
        py_compile.compile(path, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    try:
        os.rename(temporary, folder)
    except OSError:
        shutil.rmtree(temporary)
        if not os.path.isdir(folder):
            raise
    return folder


def _files() -> list[tuple[str, str]]:
    """``(path in the folder, path here)`` of every file of the run side, in a fixed order."""
    package = os.path.dirname(os.path.abspath(version.__file__))
    found = [(f"amlnb/{name}", os.path.join(package, name)) for name in _MODULES]
    for name in _PACKAGES:
        found += _sources(os.path.join(package, name), f"amlnb/{name}")
    return sorted(found + _sources(own_folder(), "azureml"))


def _sources(folder: str, prefix: str) -> list[tuple[str, str]]:
    found = []
    for top, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(top, name)
                found.append((f"{prefix}/{os.path.relpath(path, folder).replace(os.sep, '/')}", path))
    return found
