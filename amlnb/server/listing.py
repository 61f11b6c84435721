"""Choosing, ordering and summing up the runs of a table."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from amlnb.errors import UserErrorException
from amlnb.render.better import best, direction, has_results
from amlnb.server import query
from amlnb.server.run_rows import COLUMNS, elapsed_s, run_row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from amlnb.server.contract import Best, Columns, Group, GroupMetric, Groups, Runs
    from amlnb.server.run_table import Listed, RunTable, Seen

_GROUPS = 1000

_SECTIONS = ("parameters", "metrics", "tags")


def page(table: RunTable, asked: Mapping[str, Any]) -> Runs:
    """A page of the runs that are asked for.

    Parameters
    ----------
    asked
        The query of `w/{workspace}/runs`.

    Raises
    ------
    UserErrorException
        The query or the column to sort by cannot be understood.
    """
    seen = table.seen()
    matching = chosen(table, seen, asked)
    ordered = _sorted(matching, asked["sort"], descending=asked["descending"])
    now, offset = time.time(), asked["offset"]
    return {
        "runs": [run_row(listed.summary, now) for listed in ordered[offset : offset + asked["limit"]]],
        "total": len(matching),
        "unreadable": len(table.unreadable),
        "columns": table.facets(seen.version, ("columns", *_which(asked)), lambda: _columns(matching)),
        "best": table.facets(seen.version, ("best", *_which(asked)), lambda: _best(matching)),
    }


def _which(asked: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells which runs are asked for."""
    return tuple(asked.get(name) for name in ("experiment", "parent", "archived", "query", "search"))


def chosen(table: RunTable, seen: Seen, asked: Mapping[str, Any]) -> list[Listed]:
    """Those of the runs that were seen that are asked for, the newest first.

    Child runs are there where their parent is asked for, or a query or a text is searched.

    Raises
    ------
    UserErrorException
        The query cannot be understood, or names what no run has.
    """
    runs: Iterable[Listed] = seen.runs
    experiment, parent, archived = asked["experiment"], asked.get("parent"), asked["archived"]
    query_text, words = (asked["query"] or "").strip(), (asked["search"] or "").lower().split()
    if experiment is not None:
        runs = [each for each in runs if each.summary.experiment == experiment]
    if not archived:
        runs = [each for each in runs if not each.summary.archived]
    if parent is not None:
        runs = [each for each in runs if each.summary.parent == parent]
    elif not query_text and not words:
        runs = [each for each in runs if each.summary.parent is None]
    found = list(runs)
    if query_text:
        asked_for = query.parse(query_text)
        if found:
            asked_for.check(table.facets(seen.version, "names", lambda: _names(seen.runs)))
        found = [each for each in found if asked_for.matches(each.record)]
    if words:
        found = [each for each in found if _has_words(each, words)]
    return found


def groups(table: RunTable, asked: Mapping[str, Any]) -> Groups:
    """The runs that are asked for by the values of a column, each group with mean and range of its metrics.

    Raises
    ------
    UserErrorException
        As `page`.
    """
    by = asked["by"]
    value_of = _column(by)
    matching = chosen(table, table.seen(), asked)
    found: dict[str | None, list[Listed]] = {}
    for each in matching:
        value = value_of(each)
        found.setdefault(None if value is None else str(value), []).append(each)
    if len(found) > _GROUPS:
        raise UserErrorException(
            f"{by!r} has {len(found):,} values among these runs", hint=f"group by one of at most {_GROUPS:,} values"
        )
    names = sorted(found, key=lambda value: (value is None, *_key(value)))
    return {"by": by, "groups": [_group(name, found[name]) for name in names]}


def _group(value: str | None, runs: Sequence[Listed]) -> Group:
    metrics: dict[str, list[float]] = {}
    for each in runs:
        for name, told in each.summary.metrics.items():
            if math.isfinite(told["last"]):
                metrics.setdefault(name, []).append(told["last"])
    return {
        "value": value,
        "runs": len(runs),
        "ids": [each.summary.id for each in runs],
        "metrics": {name: _spread(values) for name, values in metrics.items()},
    }


def _spread(values: Sequence[float]) -> GroupMetric:
    return {"count": len(values), "mean": statistics.fmean(values), "low": min(values), "high": max(values)}


def _sorted(runs: list[Listed], by: str, *, descending: bool) -> list[Listed]:
    """Runs by the values of a column; those without one stand last, whichever way the others are ordered."""
    if by == "created":
        return runs if descending else runs[::-1]
    value_of = _column(by)
    keyed = [(value_of(each), each) for each in runs]
    have = [(_key(value), each) for value, each in keyed if not _is_missing(value)]
    have.sort(key=lambda pair: pair[0], reverse=descending)
    return [each for _, each in have] + [each for value, each in keyed if _is_missing(value)]


def _column(by: str) -> Callable[[Listed], Any]:
    """What gives the value of a run in a column.

    Raises
    ------
    UserErrorException
        There is no such column.
    """
    section, dot, name = by.partition(".")
    if by == "elapsed":
        now = time.time()
        return lambda each: elapsed_s(each.summary.started, each.summary.ended, now)
    if not dot and by in query.FIELDS:
        return lambda each: each.record.fields.get(by)
    if not dot or section not in _SECTIONS or not name:
        raise UserErrorException(
            f"there is no column {by!r}",
            hint=f"one of {', '.join(query.FIELDS)}, or parameters.NAME, metrics.NAME, tags.NAME",
        )
    if section == "metrics":
        return lambda each: told["last"] if (told := each.record.metrics.get(name)) else None
    if section == "parameters":
        return lambda each: each.record.parameters.get(name)
    return lambda each: each.record.tags.get(name)


def _key(value: Any) -> tuple[bool, Any]:
    """Numbers before texts: 2 comes before 10."""
    number = query.as_number(value)
    return (True, str(value)) if number is None else (False, number)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _has_words(each: Listed, words: Sequence[str]) -> bool:
    run = each.summary
    parts = [run.id, run.experiment, run.display_name or "", run.state, run.target, run.script or "", run.error or ""]
    for key, value in (*run.tags.items(), *each.record.parameters.items()):
        parts.append(f"{key}={value}")
    text = "\n".join(parts).lower()
    return all(word in text for word in words)


def _names(runs: Iterable[Listed]) -> dict[str, dict[str, None]]:
    """Names of the parameters, metrics and tags of runs, in the order of first use."""
    # Many runs have the same names, and share them as one object.
    shared = {id(each.names): each.names for each in runs}.values()
    return {
        section: dict.fromkeys(name for names in shared for name in names[at]) for at, section in enumerate(_SECTIONS)
    }


def _columns(runs: Sequence[Listed]) -> Columns:
    names = _names(reversed(runs))
    parameters, metrics, tags = (list(names[section])[:COLUMNS] for section in _SECTIONS)
    return {"parameters": parameters, "metrics": metrics, "tags": tags}


def _best(runs: Sequence[Listed]) -> dict[str, Best]:
    """Best value of each metric (`amlnb.render.better.best`), and whose it is."""
    results = [each for each in runs if has_results(each.summary.state)]
    values = _last_values(results)
    found: dict[str, Best] = {}
    for name in list(_names(reversed(runs))["metrics"])[:COLUMNS]:
        way = direction(name)
        found[name] = {"direction": {1: "max", -1: "min", 0: None}[way], "value": None, "run": None}
        if not way or name not in values:
            continue
        last = np.concatenate([part for part, _ in values[name]])
        top = best(name, last)
        if top is not None:
            places = np.concatenate([part for _, part in values[name]])
            whose = results[int(places[np.flatnonzero(last == top)[0]])]
            found[name] = {**found[name], "value": top, "run": whose.summary.id}
    return found


def _last_values(runs: Sequence[Listed]) -> dict[str, list[tuple[NDArray[np.float64], NDArray[np.intp]]]]:
    """Last values of each metric, and whose they are; those of runs that have the same metrics together."""
    alike: dict[int, list[int]] = {}
    for at, each in enumerate(runs):
        alike.setdefault(id(each.names), []).append(at)
    found: dict[str, list[tuple[NDArray[np.float64], NDArray[np.intp]]]] = {}
    for places in alike.values():
        names = runs[places[0]].names.metrics
        columns = np.array([runs[at].last for at in places], float).reshape(len(places), len(names)).T
        whose = np.array(places)
        for name, column in zip(names, columns, strict=True):
            found.setdefault(name, []).append((column, whose))
    return found
