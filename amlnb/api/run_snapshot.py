"""``Run.restore_snapshot``: the source of a run as a zip file."""

from __future__ import annotations

import os
import stat
import tempfile
import zipfile
from typing import TYPE_CHECKING

from amlnb.core.manifest import Manifest, decode
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.store.objects import ObjectStore

if TYPE_CHECKING:
    from amlnb.api.run import Run


def restore(run: Run, snapshot_id: str | None, path: str | None) -> str:
    """Write a snapshot as ``<id>.zip`` and return its absolute path."""
    wanted = snapshot_id or run.get_snapshot_id()
    if wanted is None:
        raise UserErrorException(
            f"no snapshot was taken for the run {run.id!r}", hint="start_logging(snapshot_directory='.') takes one"
        )
    objects = ObjectStore(run.experiment.workspace.directory.objects)
    try:
        manifest = decode(objects.read(wanted), wanted)
    except (AmlnbError, ValueError, OSError) as error:
        raise UserErrorException(
            f"the workspace has no snapshot {wanted!r}", hint="run.get_snapshot_id() tells that of a run"
        ) from error
    folder = os.path.abspath(path or tempfile.gettempdir())
    os.makedirs(folder, exist_ok=True)
    target = os.path.join(folder, f"{wanted}.zip")
    temporary = f"{target}.{os.urandom(6).hex()}"
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            _fill(archive, manifest, objects)
        os.replace(temporary, target)
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return target


def _fill(archive: zipfile.ZipFile, manifest: Manifest, objects: ObjectStore) -> None:
    for name, (sha, _, mode) in manifest.files.items():
        entry = zipfile.ZipInfo(name)
        entry.external_attr = (stat.S_IFREG | mode) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, objects.read(sha))
    for name, target in manifest.links.items():
        entry = zipfile.ZipInfo(name)
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, target)
    for name in manifest.directories:
        archive.writestr(zipfile.ZipInfo(name + "/"), b"")
