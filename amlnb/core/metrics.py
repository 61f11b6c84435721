"""Logged values in the shapes that v1's ``get_metrics()`` had."""

from __future__ import annotations

from amlnb.core import events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Sequence, Tuple

SCALAR = "scalar"


def shape(run_id: str, logged: Sequence[Tuple[str, Any]]) -> Any:
    """Shape all that was logged under one name.

    Parameters
    ----------
    run_id
        For the address of artifacts.
    logged
        ``(kind, value)`` in order; kind is ``scalar`` or that of a value line.

    Returns
    -------
    object
        Logged once: a scalar (a list of one element collapses to it), a dict of scalars for a row, a dict of lists for
        a table. Several times: a list, or a dict of lists of one length.
    """
    tabular = [kind in (events.ROW, events.TABLE) for kind, _ in logged]
    if logged and all(tabular):
        return _shape_table(logged)
    values: List[Any] = []
    for kind, value in logged:
        if kind == events.LIST and isinstance(value, list):
            values.extend(value)
        elif kind in events.ARTIFACT_KINDS and isinstance(value, dict):
            values.append("aml://artifactId/ExperimentRun/dcid.{}/{}".format(run_id, value.get("artifact")))
        else:
            values.append(value)
    return _collapse(_one_type(values))


def role_key(role: str) -> Tuple[int, int, str]:
    """Order of writers: ranks first, the lowest before all; then other writers by name."""
    return (0, int(role), "") if role.isdecimal() else (1, 0, role)


def line_value(line: Optional[Dict[str, Any]]) -> Tuple[str, Any]:
    """Kind and value of a line; one lost to damage gives ("", None), which the caller passes over."""
    if line is None:
        return "", None
    kind = str(line.get("k") or "")
    scalar = kind in (events.STR, events.INT, events.FLOAT)
    return (SCALAR if scalar else kind), line.get("v")


def _shape_table(logged: Sequence[Tuple[str, Any]]) -> Dict[str, Any]:
    columns: Dict[str, List[Any]] = {}
    rows = 0
    for kind, value in logged:
        if not isinstance(value, dict):
            continue
        as_lists = {column: cells if _is_column(kind, cells) else [cells] for column, cells in value.items()}
        length = max((len(cells) for cells in as_lists.values()), default=0)
        for column in as_lists:
            columns.setdefault(column, [None] * rows)
        for column, cells in columns.items():
            cells.extend(as_lists.get(column, [None] * length))
        rows += length
    return {column: _collapse(_one_type(cells)) for column, cells in columns.items()}


def _is_column(kind: str, cells: Any) -> bool:
    return kind == events.TABLE and isinstance(cells, list)


def _one_type(values: List[Any]) -> List[Any]:
    """Ints among floats become floats, as in v1."""
    kinds = {type(value) for value in values}
    if kinds == {int, float}:
        return [float(value) for value in values]
    return values


def _collapse(values: List[Any]) -> Any:
    return values[0] if len(values) == 1 else values
