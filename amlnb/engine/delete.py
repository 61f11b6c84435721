"""Deleting runs: moved aside first, in one step, and then removed; a run is there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from amlnb.core import states
from amlnb.engine.look import look
from amlnb.errors import AmlnbError, UserErrorException
from amlnb.store.index import RunSummary
from amlnb.store.run_reader import RunReader

# Beside the runs, so that moving there is one rename; listings pass over names that begin with a dot.
MOVED_ASIDE = ".deleted-"


def with_children(run: RunSummary, runs: Sequence[RunSummary]) -> list[RunSummary]:
    """Return a run and all runs below it, parents first."""
    found, seen = [run], {run.id}
    for each in found:  # grows while it is walked
        for child in runs:
            if child.parent == each.id and child.id not in seen:
                seen.add(child.id)
                found.append(child)
    return found


def check_ended(runs: Sequence[RunSummary]) -> None:
    """Refuse to delete runs of which one has not ended.

    Raises
    ------
    UserErrorException
        One has not; its id and state are told.
    """
    for run in runs:
        reader = RunReader(run.directory)
        look(reader)
        facts = reader.facts()
        if not states.is_terminal(facts.phase):
            raise UserErrorException(
                f"the run {run.id!r} cannot be deleted: it is {facts.state}",
                hint=f"'amlnb run cancel {run.id}' ends it; 'amlnb run archive {run.id}' only hides it",
            )


def delete_run(directory: str) -> None:
    """Delete a run's directory. What of its snapshot no other run needs is removed by the next `gc`.

    Parameters
    ----------
    directory
        The directory of a run that has ended (see :func:`check_ended`). If it is gone already, nothing is done.

    Raises
    ------
    AmlnbError
        It could not be moved aside, and is still there; or moved, but not removed, and `gc` will try again.
    """
    aside = os.path.join(os.path.dirname(directory), MOVED_ASIDE + os.urandom(8).hex())
    try:
        os.rename(directory, aside)
    except FileNotFoundError:
        return
    except OSError as error:
        raise AmlnbError(
            f"the run directory {directory!r} cannot be deleted: {error.strerror}",
            hint="the workspace must be writable, by the user whose run it is",
        ) from error
    try:
        remove_tree(aside)
    except OSError as error:
        raise AmlnbError(
            f"the run is deleted, but some of its files are left in {aside!r}: {error}",
            hint="'amlnb gc' tries again",
        ) from error


def remove_tree(path: str) -> None:
    """Remove a folder with all in it, directories that the run made read-only included.

    Raises
    ------
    OSError
        Something in it cannot be removed.
    """
    try:
        shutil.rmtree(path)
    except PermissionError:
        os.chmod(path, 0o700)
        for top, folders, _ in os.walk(path):
            for name in folders:  # before the walk goes on into them
                folder = os.path.join(top, name)
                if not os.path.islink(folder):
                    os.chmod(folder, 0o700)
        shutil.rmtree(path)
