"""What a run leaves for a workspace that it could not reach: models to register, and children of its own.

Both wait in its directory, and are put in their places once its files are here, before its seal is: who sees that it
has ended finds them. The job wrote them, and is not trusted: nothing is taken over but regular files in plain folders,
and no other run is replaced. Everything may be done again, by several at once: what is in its place stays. Standard
library only, Python 3.7+.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

from amlnb.core import edits as edits_
from amlnb.core import layout
from amlnb.core.coercion import unix_time
from amlnb.core.models import check_name, is_plain_name
from amlnb.core.replay import runner_lost
from amlnb.errors import WebserviceException
from amlnb.tracking import models, plain_tree
from amlnb.tracking.seal import seal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterator, List, Set, Tuple

_LOCK = "arrival.lock"
# Among the children that wait: this one was put in its place, so one that is deleted there does not come back.
_PLACED = ".placed-"
_TRIES = 5
_FIRST_PAUSE_S = 0.5
_NAMED = 5


class Arrival:
    """What one run left, put in its places in a bounded number of tries: nothing of it holds up a run for ever.

    Parameters
    ----------
    directory, data
        As of :func:`arrive`.
    warn
        Told once what was left where it is, and why.
    """

    def __init__(self, directory: str, data: str, warn: Callable[[str], Any]) -> None:
        self._directory = directory
        self._data = data
        self._warn = warn
        self._tries = 0
        self._next_at = 0.0
        self._over = False

    def is_over(self) -> bool:
        """Try, where it is time to; True once there is nothing more to try."""
        if self._over or time.monotonic() < self._next_at:
            return self._over
        refused, failed = arrive(self._directory, self._data)
        self._next_at = time.monotonic() + _FIRST_PAUSE_S * 2**self._tries
        self._tries += 1
        self._over = not failed or self._tries >= _TRIES
        for text in [*refused, *failed] if self._over else ():
            self._warn(text)
        return self._over


class _RefusedError(Exception):
    """What a job left cannot be taken over, however often that is tried."""


def arrive(directory: str, data: str) -> Tuple[List[str], List[str]]:
    """Put what a run left in the places of its workspace.

    Parameters
    ----------
    directory
        The run, with all of its files.
    data
        The workspace's data directory.

    Returns
    -------
    tuple
        In words, what was refused, and what failed and may be tried again.
    """
    found = _Found(directory, data)
    if any(os.path.lexists(os.path.join(directory, name)) for name in (layout.REGISTRATIONS, layout.CHILDREN)):
        try:
            with _alone(directory):
                found.register_models()
                found.place_children()
        except (OSError, ValueError) as error:
            found.failed.append(f"the models and children of this run were not put into its workspace: {error}")
    return found.refused, found.failed


@contextlib.contextmanager
def _alone(directory: str) -> Iterator[None]:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(os.path.join(directory, _LOCK), flags, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


class _Found:
    def __init__(self, directory: str, data: str) -> None:
        self._directory = directory
        self._models = os.path.join(data, layout.MODELS)
        self._runs = os.path.join(data, layout.RUNS)
        self._known: Dict[str, Set[str]] = {}
        self.refused: List[str] = []
        self.failed: List[str] = []

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Keep what is wrong with one thing from the others."""
        try:
            yield
        except _RefusedError as error:
            self.refused.append(f"{what}: {error}")
        except (OSError, ValueError, RecursionError) as error:
            self.failed.append(f"{what}: {error}")

    def _waiting(self, folder: str, record: str) -> List[Tuple[float, str, Dict[str, Any]]]:
        """Name and record of what waits in a folder of the run, the oldest first."""
        top = os.path.join(self._directory, folder)
        found = []
        if os.path.lexists(top) and not plain_tree.is_folder(top):
            self.refused.append(f"nothing was taken over from {folder}/: it is no plain folder")
        for name in plain_tree.names(top):
            if name.startswith("."):
                continue
            what = f"nothing was taken over from {folder}/{name}"
            with self._told(what):
                if not plain_tree.is_folder(os.path.join(top, name)):
                    raise _RefusedError("it is no plain folder")
                told = plain_tree.read_object(os.path.join(top, name, record))
                if told is None:
                    raise _RefusedError(f"its {record} is missing or damaged")
                if not isinstance(told.get("format"), int) or told["format"] > layout.FORMAT:
                    raise _RefusedError(f"the format of its {record} is not known here")
                found.append((unix_time(told.get("created")) or 0.0, name, told))
        return sorted(found, key=lambda each: each[:2])

    # -- models --------------------------------------------------------------------------------------------------------

    def register_models(self) -> None:
        """Register what waits to be; what is there already is not made again."""
        for _, name, record in self._waiting(layout.REGISTRATIONS, layout.MODEL_JSON):
            with self._told(f"the model {record.get('name')!r:.300} was not registered"):
                self._register(name, record)

    def _register(self, name: str, record: Dict[str, Any]) -> None:
        try:
            model = check_name(record.get("name"))
        except WebserviceException as error:
            raise _RefusedError(error.message) from error
        if model not in self._known:
            self._known[model] = models.registrations(self._models, model)
        if name in self._known[model]:
            return
        top = os.path.join(self._directory, layout.REGISTRATIONS, name, layout.MODEL_FILES)
        if not plain_tree.is_folder(top):
            raise _RefusedError("its files are not in a plain folder")
        files, _, others = plain_tree.files_below(top)
        if others:
            raise _RefusedError(f"it has links, or what is no file: {_listed(others)}")
        tops = {each.partition(os.sep)[0] for each in files}
        if not is_plain_name(record.get("path")) or record["path"] not in tops:
            raise _RefusedError(f"its files have no {record.get('path')!r:.300}")
        models.register(self._models, dict(record, registration=name), files, plain_tree.bring)
        self._known[model].add(name)

    # -- children ------------------------------------------------------------------------------------------------------

    def place_children(self) -> None:
        """Put the children of the run, and theirs, beside it."""
        above = plain_tree.read_object(os.path.join(self._directory, layout.RUN_JSON)) or {}
        kin = {above["id"]} if _text(above, "id") else set()
        waiting = self._waiting(layout.CHILDREN, layout.RUN_JSON)
        while True:  # a child may be listed before its parent, which is one as well
            ready = [each for each in waiting if _text(each[2], "parent") in kin]
            if not ready:
                break
            waiting = [each for each in waiting if each not in ready]
            for _, name, record in ready:
                with self._told(f"the child run {record.get('id')!r:.300} was not put among the runs"):
                    _check_child(name, record)
                    self._place(name, record)
                    kin.add(record["id"])
        for _, _, record in waiting:
            self.refused.append(
                f"the child run {record.get('id')!r:.300} was not put among the runs: it is no child of this run"
            )

    def _place(self, name: str, record: Dict[str, Any]) -> None:
        folder = os.path.join(self._directory, layout.CHILDREN)
        mark = os.path.join(folder, _PLACED + name)
        if os.path.lexists(mark):
            return
        ending = "-" + layout.short_hash(record["id"])
        taken = [each for each in os.listdir(self._runs) if each.endswith(ending) and not each.startswith(".")]
        if not taken:
            self._copy(os.path.join(folder, name), os.path.join(self._runs, name), record)
            taken = [name]
        if plain_tree.read_object(os.path.join(self._runs, taken[0], layout.RUN_JSON)) != record:
            raise _RefusedError(f"there is another run of that id already; its files are in {layout.CHILDREN}/{name}")
        os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666))

    def _copy(self, source: str, place: str, record: Dict[str, Any]) -> None:
        import shutil

        temporary = os.path.join(self._runs, ".new-" + os.urandom(8).hex())
        files, folders, others = plain_tree.files_below(source)
        needed = [layout.EDITS, layout.ATTEMPTS, layout.JOURNALS]  # empty ones do not travel
        if any(name in files or name in others for name in needed):
            raise _RefusedError(f"its {', '.join(needed)} are not all plain folders")
        try:
            for each in ["", *folders, *(name for name in needed if name not in folders)]:
                os.mkdir(os.path.join(temporary, each))
            for relative, path in files.items():
                plain_tree.bring(path, os.path.join(temporary, relative))
            # Of one that did not end: the process that it lived in ended with the run above it.
            seal(temporary, dict(_lost(temporary), started=unix_time(record.get("created"))))
            models.place(temporary, place)  # whose it is, if somebody was faster, is looked at next
        finally:
            shutil.rmtree(temporary, ignore_errors=True)  # moved away where all went well
        if others:
            self.refused.append(
                f"left out of the child run {record['id']!r}: links, or what is no file: {_listed(others)}"
            )


def _check_child(name: str, record: Dict[str, Any]) -> None:
    home = record.get("home")
    if not isinstance(home, dict) or home.get("kind") != "local":
        raise _RefusedError("its home is elsewhere")
    experiment, run_id = _text(record, "experiment"), _text(record, "id")
    if experiment is None or run_id is None or layout.run_directory_name(experiment, run_id) != name:
        raise _RefusedError(f"its directory {name!r} is not named after it")


def _lost(directory: str) -> Dict[str, Any]:
    folder = os.path.join(directory, layout.EDITS)
    found = [name for name in plain_tree.names(folder) if edits_.number_of(name) is not None]
    told = [plain_tree.read_object(os.path.join(folder, name)) or {} for name in sorted(found, key=edits_.sort_key)]
    state = edits_.fold({}, told)
    return runner_lost(state.cancel, state.cancel_error, owned=True)


def _text(record: Dict[str, Any], name: str) -> Any:
    value = record.get(name)
    return value if isinstance(value, str) else None


def _listed(names: List[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f"{name!r:.200}" for name in names[:_NAMED]) + more
