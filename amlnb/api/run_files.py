"""Names and downloads of a run's files."""

from __future__ import annotations

import difflib
import os
import shutil

from amlnb.api.run_content import RunContent
from amlnb.errors import UserErrorException
from amlnb.store import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional

# Where logs are among a run's files.
LOG_FOLDERS = ("user_logs/", "azureml-logs/", "logs/")
_NAMED_AT_MOST = 20


def names(run: RunContent) -> List[str]:
    """Names of all files of a run."""
    return list(files.list_files(run.directory))


def download(run: RunContent, name: str, output_file_path: Optional[str]) -> None:
    """Copy one file."""
    found = files.list_files(run.directory)
    if name not in found:
        near = difflib.get_close_matches(name, found, 1)
        more = f" and {len(found) - _NAMED_AT_MOST} more" if len(found) > _NAMED_AT_MOST else ""
        raise UserErrorException(
            f"the run {run.id!r} has no file {name!r}; "
            f"it has: {', '.join(list(found)[:_NAMED_AT_MOST]) or 'none'}{more}",
            hint=f"did you mean {near[0]!r}?" if near else "only outputs, logs and what was uploaded or logged is kept",
        )
    target = output_file_path or os.path.basename(name)
    if os.path.isdir(target) or target.endswith("/"):
        target = os.path.join(target, os.path.basename(name))
    _copy(found[name], target)


def download_all(
    run: RunContent,
    prefix: Optional[str],
    output_directory: Optional[str],
    output_paths: Optional[List[str]],
    append_prefix: bool,
) -> None:
    """Copy all files below a prefix."""
    found = {name: path for name, path in files.list_files(run.directory).items() if name.startswith(prefix or "")}
    if output_paths is not None:
        if len(output_paths) != len(found):
            raise UserErrorException(
                f"download_files was given {len(output_paths)} paths for {len(found)} files: {', '.join(found)}",
                hint="give one path a file, or an output_directory",
            )
        targets = dict(zip(found, output_paths))
    else:
        folder = output_directory or "."
        targets = {name: os.path.join(folder, name if append_prefix else _tail(name, prefix)) for name in found}
    for name, path in found.items():
        _copy(path, targets[name])


def download_logs(run: RunContent, destination: Optional[str]) -> List[str]:
    """Copy all logs; the log that has two names comes once."""
    import tempfile

    folder = os.path.abspath(destination) if destination else tempfile.mkdtemp()
    found = {path: name for name, path in files.list_files(run.directory).items() if name.startswith(LOG_FOLDERS)}
    for path, name in found.items():
        _copy(path, os.path.join(folder, name))
    return [os.path.join(folder, name) for name in found.values()]


def _tail(name: str, prefix: Optional[str]) -> str:
    return name[len(prefix or "") :].lstrip("/") or os.path.basename(name)


def _copy(source: str, target: str) -> None:
    os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
    shutil.copyfile(source, target)
