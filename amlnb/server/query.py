"""The typed query of a table of runs: ``lr < 0.01 and state == "Completed"``. Pure.

The text is parsed as a Python expression and only what stands here is taken from it: comparisons (chained, too),
``and``, ``or``, ``not``, ``in``, names, texts, numbers, lists of them, ``true``, ``false``, ``null``. Nothing of it is
evaluated by Python.
"""

from __future__ import annotations

import ast
import datetime as dt
import math
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from amlnb.core import states
from amlnb.errors import UserErrorException
from amlnb.server.query_hints import MAY_STAND, foreign_operator, near_state, near_to

LONGEST = 2000
_DEEPEST = 40
STATISTICS = ("last", "min", "max", "count")
# Fields of a run that are no parameter, metric or tag.
FIELDS = (
    "state", "name", "id", "experiment", "number", "type", "target", "parent", "script", "error",
    "created", "started", "ended", "elapsed", "archived",
)  # fmt: skip
TIMES = frozenset(["created", "started", "ended"])
NUMBERS = frozenset(["elapsed", "number"])
_SECTIONS = {
    "parameters": "parameters", "params": "parameters", "param": "parameters", "parameter": "parameters",
    "metrics": "metrics", "metric": "metrics", "tags": "tags", "tag": "tags",
}  # fmt: skip
_WORDS = {"true": True, "false": False, "null": None, "none": None}
_ORDERS: dict[type, Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ONE_EQUALS = re.compile(r"(?<![=!<>])=(?!=)")


class Record(NamedTuple):
    """What a query is asked of.

    Attributes
    ----------
    fields
        Values of `FIELDS`; times are Unix seconds.
    metrics
        ``{name: {"last", "min", "max", "count"}}``.
    """

    fields: Mapping[str, Any]
    parameters: Mapping[str, str]
    metrics: Mapping[str, Mapping[str, float]]
    tags: Mapping[str, str | None]


class _Missing:
    """The value of a name that a run does not have."""


_MISSING = _Missing()
_Value = Callable[[Record], Any]


@dataclass(frozen=True)
class Name:
    """A name in a query: in which section it is looked up (None: in all), and where it stands.

    Attributes
    ----------
    is_right
        To the right of what compares it: it may be a text without its quotes.
    """

    text: str
    section: str | None
    column: int
    is_right: bool


@dataclass(frozen=True)
class Query:
    """A query that was understood.

    Attributes
    ----------
    names
        The names in it that are no fields.
    matches
        Whether a run is one of those asked for.
    """

    names: tuple[Name, ...]
    matches: Callable[[Record], bool]

    def check(self, known: Mapping[str, Collection[str]]) -> None:
        """See that some run has each of the names.

        Parameters
        ----------
        known
            Names of the parameters, metrics and tags there are, by section.

        Raises
        ------
        UserErrorException
            None has; near names are told.
        """
        for name in self.names:
            sections = {name.section: known[name.section]} if name.section else known
            found = sections.values()
            if not any(name.text in section or _of_statistic(name.text) in section for section in found):
                what = {"parameters": "parameter", "metrics": "metric", "tags": "tag"}.get(name.section or "", "value")
                raise UserErrorException(
                    f"no run here has a {what} {name.text!r} (at character {name.column + 1} of the query)",
                    hint=near_to(name.text, sections, () if name.section else FIELDS, is_right=name.is_right),
                )


def parse(text: str) -> Query:
    """Understand a query.

    Raises
    ------
    UserErrorException
        It is none; the message tells where, the hint what may stand there.
    """
    if len(text) > LONGEST:
        raise UserErrorException(
            f"the query has {len(text):,} characters", hint=f"{LONGEST:,} are taken; or search for a text"
        )
    source = text.strip()
    foreign = foreign_operator(source)
    if foreign:
        _refuse(f"{foreign.text!r} in the query is not understood", foreign.at, f"write {foreign.ours!r}")
    try:
        tree = ast.parse(source.replace("\n", " "), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        offset = getattr(error, "offset", None)
        one = _ONE_EQUALS.search(source)
        if one:
            _refuse("a comparison is written with '=='", one.start(), "such as state == 'Completed'")
        if offset == 0:  # Python's parser came to the end and wanted more
            _refuse(f"the query {source[:80]!r} ends too early", len(source), MAY_STAND)
        _refuse(f"the query {source[:80]!r} is not understood", (offset or 1) - 1, MAY_STAND)
    names: list[Name] = []
    try:
        found = _Reading(names).truth(tree.body, 0)
        return Query(tuple(names), found)
    except RecursionError:
        _refuse("the query is nested too deep", 0, "take some of its parts away")


class _Reading:
    """Makes functions of the parts of an expression, and notes the names in it."""

    def __init__(self, names: list[Name]) -> None:
        self._names = names

    def truth(self, node: ast.expr, depth: int) -> Callable[[Record], bool]:
        if depth > _DEEPEST:
            _refuse("the query is nested too deep", node.col_offset, "take some of its parentheses away")
        if isinstance(node, ast.BoolOp):
            parts = [self.truth(each, depth + 1) for each in node.values]
            if isinstance(node.op, ast.And):
                return lambda run: all(part(run) for part in parts)
            return lambda run: any(part(run) for part in parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.truth(node.operand, depth + 1)
            return lambda run: not inner(run)
        if isinstance(node, ast.Compare):
            return self._comparison(node, depth)
        if isinstance(node, ast.Constant) and type(node.value) in (str, int, float):
            text = str(node.value)[:60]
            _refuse(
                f"{text!r} by itself is no question",
                node.col_offset,
                f"such as name == {text!r}; words without quotes are searched for",
            )
        value = self._value(node, depth)
        return lambda run: _is_true(value(run))

    def _comparison(self, node: ast.Compare, depth: int) -> Callable[[Record], bool]:
        sides = [node.left, *node.comparators]
        values = [self._value(side, depth + 1, is_right=at > 0) for at, side in enumerate(sides)]
        of_time = [_is_time(side) for side in sides]
        tests: list[Callable[[Record], bool]] = []
        for at, op in enumerate(node.ops):
            left, right = values[at], values[at + 1]
            if of_time[at] or of_time[at + 1]:
                left, right = _as_times(left, node), _as_times(right, node)
            for side, other in ((sides[at], sides[at + 1]), (sides[at + 1], sides[at])):
                _check_field(side, other)
            tests.append(_test(op, left, right))
        return tests[0] if len(tests) == 1 else lambda run: all(test(run) for test in tests)

    def _value(self, node: ast.expr, depth: int, *, is_right: bool = False) -> _Value:
        if depth > _DEEPEST:
            _refuse("the query is nested too deep", node.col_offset, "take some of its parentheses away")
        if isinstance(node, ast.Constant) and isinstance(node.value, str | int | float | None):
            return _constant(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            return self._signed(node)
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            parts = [self._value(each, depth + 1, is_right=is_right) for each in node.elts]
            return lambda run: [part(run) for part in parts]
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return self._named(node, is_right=is_right)
        hint = f'a metric of that name: metrics["{_joined(node)}"]' if isinstance(node, ast.BinOp) else MAY_STAND
        return _refuse(f"{_said(node)} cannot stand in a query", node.col_offset, hint)

    def _signed(self, node: ast.UnaryOp) -> _Value:
        if isinstance(node.operand, ast.Constant) and type(node.operand.value) in (int, float):
            number: Any = node.operand.value
            return _constant(-number if isinstance(node.op, ast.USub) else number)
        return _refuse("only a number has a sign", node.col_offset, MAY_STAND)

    def _named(self, node: ast.expr, *, is_right: bool) -> _Value:
        parts = _parts(node)
        if len(parts) == 1 and parts[0].lower() in _WORDS:
            return _constant(_WORDS[parts[0].lower()])
        if len(parts) == 1 and parts[0] in FIELDS:
            field = parts[0]
            return lambda run: run.fields.get(field)
        section = _SECTIONS.get(parts[0]) if len(parts) > 1 else None
        name = ".".join(parts[1:] if section else parts)
        self._names.append(Name(name, section, node.col_offset, is_right and len(parts) == 1))
        if section is not None:
            return _LOOK_UPS[section](name)
        look_ups = [_LOOK_UPS[each](name) for each in ("parameters", "metrics", "tags")]
        return lambda run: next((value for each in look_ups if (value := each(run)) is not _MISSING), _MISSING)


def _constant(value: Any) -> _Value:
    return lambda _: value


def _parts(node: ast.expr) -> list[str]:
    """``metrics["val/loss"].min`` as its three parts."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [*_parts(node.value), node.attr]
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return [*_parts(node.value), node.slice.value]
    return _refuse(f"{_said(node)} is no name", node.col_offset, 'such as lr, metrics.loss or metrics["val/loss"].min')


def _parameter(name: str) -> _Value:
    return lambda run: run.parameters.get(name, _MISSING)


def _tag(name: str) -> _Value:
    return lambda run: run.tags.get(name, _MISSING)


def _metric(name: str) -> _Value:
    base, _, statistic = name.rpartition(".")

    def look_up(run: Record) -> Any:
        if name in run.metrics:
            return run.metrics[name]["last"]
        if statistic in STATISTICS and base in run.metrics:
            return run.metrics[base][statistic]
        return _MISSING

    return look_up


_LOOK_UPS: dict[str, Callable[[str], _Value]] = {"parameters": _parameter, "metrics": _metric, "tags": _tag}


def _of_statistic(name: str) -> str:
    base, _, statistic = name.rpartition(".")
    return base if statistic in STATISTICS else name


def _test(op: ast.cmpop, left: _Value, right: _Value) -> Callable[[Record], bool]:
    if isinstance(op, ast.Eq | ast.Is):
        return lambda run: _equal(left(run), right(run))
    if isinstance(op, ast.NotEq | ast.IsNot):
        return lambda run: not _equal(left(run), right(run))
    if isinstance(op, ast.In):
        return lambda run: _is_in(left(run), right(run))
    if isinstance(op, ast.NotIn):
        return lambda run: not _is_in(left(run), right(run))
    order = _ORDERS[type(op)]
    return lambda run: _ordered(order, left(run), right(run))


def _equal(left: Any, right: Any) -> bool:
    if left is _MISSING or left is None or right is _MISSING or right is None:
        return left in (None, _MISSING) and right in (None, _MISSING)
    if isinstance(left, bool) or isinstance(right, bool):
        return str(left).lower() == str(right).lower()
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    first, second = as_number(left), as_number(right)
    return first is not None and first == second


def _ordered(order: Callable[[Any, Any], bool], left: Any, right: Any) -> bool:
    first, second = as_number(left), as_number(right)
    if first is not None and second is not None:
        return order(first, second)
    return isinstance(left, str) and isinstance(right, str) and order(left, right)


def _is_in(left: Any, right: Any) -> bool:
    if isinstance(right, list):
        return any(_equal(left, each) for each in right)
    return isinstance(left, str) and isinstance(right, str) and left in right


def as_number(value: Any) -> float | None:
    """A number, or a text that is one; None for anything else, and for NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number


def _is_true(value: Any) -> bool:
    """A tag without a value is there; what is false, zero or missing is not."""
    if isinstance(value, str):
        return value.lower() != "false"
    return value is None or (value is not _MISSING and bool(value))


def _check_field(side: ast.expr, other: ast.expr) -> None:
    """Refuse what a field of a run can never equal: a state that is none, a time that is no number of seconds."""
    if not isinstance(side, ast.Name):
        return
    for each in other.elts if isinstance(other, ast.List | ast.Tuple | ast.Set) else [other]:
        if not isinstance(each, ast.Constant) or not isinstance(each.value, str):
            continue
        if side.id == "state" and each.value not in states.ALL:
            _refuse(f"no run is ever {each.value[:60]!r}", each.col_offset, near_state(each.value))
        if side.id in NUMBERS and as_number(each.value) is None:
            hint = "seconds, such as elapsed > 600" if side.id == "elapsed" else "such as number > 3"
            _refuse(f"{each.value[:60]!r} is no number", each.col_offset, hint)


def _joined(node: ast.expr) -> str:
    """What was taken for a calculation, as the name it was meant for: ``val/loss``."""
    return ast.unparse(node)[:60].replace(" ", "")


def _is_time(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in TIMES


def _as_times(value: _Value, node: ast.expr) -> _Value:
    """A date that was written is the moment at which that day began here."""

    def read(run: Record) -> Any:
        found = value(run)
        if not isinstance(found, str):
            return found
        try:
            return dt.datetime.fromisoformat(found).timestamp()
        except (ValueError, OverflowError):
            return _refuse(f"{found[:80]!r} is no time", node.col_offset, "such as '2026-11-21' or '2026-11-21 14:00'")

    return read


def _said(node: ast.expr) -> str:
    return repr(ast.unparse(node)[:60])


def _refuse(message: str, at: int, hint: str) -> NoReturn:
    raise UserErrorException(f"{message} (at character {at + 1} of the query)", hint=hint)
