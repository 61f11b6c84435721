"""The small files of a run: its record, its seal, who keeps it. Standard library only, Python 3.7+: jobs read them."""

from __future__ import annotations

import os

from amlnb.core import coercion, layout
from amlnb.errors import FormatError, UserErrorException
from amlnb.store.plain_files import read_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional


def read_record(directory: str) -> Dict[str, Any]:
    """Read and check a run's submission record.

    Raises
    ------
    UserErrorException
        There is no run in that directory.
    FormatError
        Its record is damaged, or of a newer format.
    """
    path = os.path.join(directory, layout.RUN_JSON)
    try:
        os.stat(path)
        record = read_json(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UserErrorException(
            f"{directory!r} is not a run directory: it has no {layout.RUN_JSON}", hint="'amlnb run list' shows the runs"
        ) from error
    except OSError as error:
        raise UserErrorException(
            f"{path!r} cannot be read: {error.strerror or error}", hint="make it readable for this user"
        ) from error
    number = None if record is None else record.get("format")
    if isinstance(number, int) and number > layout.FORMAT:
        raise FormatError(
            f"{path!r} has format {number}, and this amlnb reads up to {layout.FORMAT}",
            hint="upgrade amlnb: pip install -U amlnb",
        )
    if record is None or not _is_record(record):
        raise FormatError(
            f"{path!r} is damaged: it holds no format, run id and experiment",
            hint="restore the file from a copy; the rest of the run is still there",
        )
    record["created"] = coercion.unix_time(record.get("created")) or 0.0
    return record


def _is_record(record: Dict[str, Any]) -> bool:
    names = [record.get("id"), record.get("experiment")]
    return isinstance(record.get("format"), int) and all(isinstance(name, str) for name in names)


def is_mirror(record: Dict[str, Any]) -> bool:
    """Tell whether a run's home is on another machine than its workspace."""
    home = record.get("home")
    return isinstance(home, dict) and home.get("kind", "local") != "local"


def read_final(directory: str) -> Optional[Dict[str, Any]]:
    """Content of ``final.json``, once the run is sealed; empty if it is damaged."""
    path = os.path.join(directory, layout.FINAL_JSON)
    final = read_json(path)
    # It appears whole: what is there and cannot be read, even after it is known to be there, is damaged.
    return final if final is not None or not os.path.exists(path) else read_json(path) or {}


def keeper(directory: str, record: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """Identity of the process that keeps a run: its latest runner, or the owner of a run without one.

    Empty if its file is damaged; None if nobody has begun to keep the run.
    """
    folder = os.path.join(directory, layout.ATTEMPTS)
    try:
        numbers = [int(name[:-5]) for name in os.listdir(folder) if name[:-5].isdecimal() and name.endswith(".json")]
    except (FileNotFoundError, NotADirectoryError):
        numbers = []
    if numbers:
        return read_json(os.path.join(folder, f"{max(numbers)}.json")) or {}
    owner = record.get("owner")
    return owner if isinstance(owner, dict) else None


def find_run(runs: str, run_id: str) -> Optional[str]:
    """Directory of the run with this full id below a folder of runs; None if there is none."""
    ending = "-" + layout.short_hash(run_id)
    for directory in run_directories(runs):
        record = read_json(os.path.join(directory, layout.RUN_JSON)) if directory.endswith(ending) else None
        if record is not None and record.get("id") == run_id:
            return directory
    return None


def run_directories(runs: str) -> List[str]:
    """Paths of all run directories below a folder of runs, by name."""
    try:
        names = os.listdir(runs)
    except FileNotFoundError:
        return []
    return sorted(os.path.join(runs, name) for name in names if not name.startswith("."))
