"""How a person names a run: full id, unique beginning or end of it, ``experiment#3``, or ``last``. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from amlnb.errors import UserErrorException

if TYPE_CHECKING:
    from amlnb.store.index import RunSummary

LAST = "last"
_NAMED_AT_MOST = 5
_COMPARED_AT_MOST = 500


def choose(name: str, runs: Sequence[RunSummary]) -> RunSummary:
    """Find the run that a name means.

    Parameters
    ----------
    name
        What was typed: a full id, a unique beginning or end of one, ``experiment#3``, ``last``, or the name that a run
        was given, if it is that of one run only.
    runs
        All runs of the workspace, the newest first. ``last`` is the first of them that is neither archived nor a child.

    Raises
    ------
    UserErrorException
        No run, or more than one, has that name; a near one is suggested.
    """
    exact = [run for run in runs if run.id == name]
    if exact:
        return exact[0]
    if name == LAST:
        newest = next((run for run in runs if not run.archived and run.parent is None), None)
        if newest is None:
            raise UserErrorException(
                "there are no runs in this workspace",
                hint="a cell that begins with %%submit makes one, and so does 'amlnb submit SCRIPT'",
            )
        return newest
    found = _numbered(name, runs) or [run for run in runs if name and run.display_name == name and not run.archived]
    found = found or [run for run in runs if name and _begins_or_ends(run.id, name)]
    if len(found) == 1:
        return found[0]
    if found:
        named = ", ".join(run.id for run in found[:_NAMED_AT_MOST])
        more = f" and {len(found) - _NAMED_AT_MOST} more" if len(found) > _NAMED_AT_MOST else ""
        raise UserErrorException(
            f"{name!r} can be any of {len(found)} runs: {named}{more}",
            hint="give more of the id, or a part of it that only one of them has",
        )
    near = _near(name, runs)
    raise UserErrorException(
        f"there is no run {name!r} in this workspace",
        hint=f"did you mean {near!r}?" if near else "'amlnb run list' shows the runs, and in a notebook %runs",
    )


def number_name(run: RunSummary) -> str:
    """The run's name by number: ``experiment#3``."""
    return f"{run.experiment}#{run.number}"


def short_id(run_id: str) -> str:
    """The part of an id that a person types: its random end, or the beginning of a UUID."""
    tail = run_id.rpartition("_")[2]
    if tail != run_id and 6 <= len(tail) <= 12:
        return tail
    head = run_id.partition("-")[0]
    return head if run_id.count("-") == 4 and len(head) == 8 else run_id


def _numbered(name: str, runs: Sequence[RunSummary]) -> list[RunSummary]:
    experiment, hash_sign, number = name.rpartition("#")
    if not hash_sign or not (number.isascii() and number.isdecimal()):
        return []
    return [run for run in runs if run.experiment == experiment and run.number == int(number)]


def _begins_or_ends(run_id: str, part: str) -> bool:
    return run_id.startswith(part) or run_id.endswith(part)


def _near(name: str, runs: Sequence[RunSummary]) -> str | None:
    known: list[str] = []
    for run in runs[:_COMPARED_AT_MOST]:
        known += [run.id, number_name(run), short_id(run.id), run.display_name or run.id]
    near = difflib.get_close_matches(name, known, 1)
    return near[0] if near else None
