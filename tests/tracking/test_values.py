"""What is logged comes back in v1's shapes (azureml-v1.md 2.6), or is refused with a hint."""

import decimal
import enum
import fractions
import math
import typing

import numpy as np
import pandas as pd
import pytest

from amlnb.errors import UserErrorException


class Tensor:
    """As torch has it: `item`, `numel`, `ndim`, `dtype`, `shape`; an `item` of several elements raises."""

    dtype = "torch.float32"

    def __init__(self, *elements, shape=()):
        self.elements, self.shape, self.ndim = elements, shape, len(shape)

    def numel(self):
        return len(self.elements)

    def item(self):
        if len(self.elements) != 1:
            raise RuntimeError("a Tensor with several elements cannot be converted to Scalar")
        return self.elements[0]

    def tolist(self):
        return list(self.elements) if self.ndim else self.elements[0]

    def __iter__(self):
        return (Tensor(element) for element in self.elements)

    def __repr__(self):
        return f"tensor({list(self.elements)})"


class Colour(enum.IntEnum):
    RED = 3


class Celsius(float):
    pass


class Point(typing.NamedTuple):
    x: int
    y: int


SCALARS = {
    "float": (0.5, 0.5),
    "int": (3, 3),
    "negative zero": (-0.0, -0.0),
    "true": (True, True),
    "false": (False, False),
    "none": (None, None),
    "str": ("text", "text"),
    "empty str": ("", ""),
    "largest int64": (2**63 - 1, 2**63 - 1),
    "smallest int64": (-(2**63), -(2**63)),
    "beyond int64": (2**63, 2**63),
    "far beyond int64": (-(10**400), -(10**400)),
    "beyond what Python prints": (10**5000, hex(10**5000)),
    "infinity": (math.inf, math.inf),
    "minus infinity": (-math.inf, -math.inf),
    "smallest float": (5e-324, 5e-324),
    "np.float64": (np.float64(0.1), 0.1),
    "np.float32": (np.float32(0.5), 0.5),
    "np.float16": (np.float16(0.5), 0.5),
    "np.longdouble": (np.longdouble(0.5), 0.5),
    "np.int8": (np.int8(-3), -3),
    "np.int64": (np.int64(5), 5),
    "np.uint64": (np.uint64(2**64 - 1), 2**64 - 1),
    "np.bool_": (np.bool_(True), True),
    "np.str_": (np.str_("s"), "s"),
    "0-d array": (np.array(2.5), 2.5),
    "0-d int array": (np.array(2), 2),
    "tensor of one": (Tensor(0.5), 0.5),
    "tensor of shape (1, 1)": (Tensor(0.5, shape=(1, 1)), 0.5),
    "tensor of a bool": (Tensor(True), True),
    "enum": (Colour.RED, 3),
    "subclass": (Celsius(36.6), 36.6),
    "several elements": (Tensor(1, 2, shape=(2,)), "tensor([1, 2])"),
    "array": (np.array([1, 2]), "array([1, 2])"),
    "dict": ({"a": 1}, "{'a': 1}"),
    "tuple": ((1, 2), "(1, 2)"),
    "namedtuple": (Point(1, 2), "Point(x=1, y=2)"),
    "Decimal": (decimal.Decimal("1.5"), "Decimal('1.5')"),
    "Fraction": (fractions.Fraction(1, 2), "Fraction(1, 2)"),
    "complex": (1j, "1j"),
    "bytes": (b"x", "b'x'"),
    "newlines and HTML": ("<b>\n</b>\r\u2028\0", "<b>\n</b>\r\u2028\0"),
    "lone surrogate": ("\ud800", "\ud800"),
    "timestamp": (pd.Timestamp("2026-01-01"), "Timestamp('2026-01-01 00:00:00')"),
}


@pytest.mark.parametrize("case", SCALARS)
def test_a_scalar_comes_back(run, kept, case):
    value, expected = SCALARS[case]
    run.log("m", value)
    found = kept.metrics()["m"]
    assert (found, type(found), str(found)[:99]) == (expected, type(expected), str(expected)[:99])


@pytest.mark.parametrize("value", [math.nan, np.float64("nan"), np.float16("nan"), Tensor(math.nan)])
def test_nan_stays_a_float(run, kept, value):
    run.log("m", value)
    assert math.isnan(kept.metrics()["m"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], [1, 2]),
        ([1, 2.5], [1.0, 2.5]),
        ([1, "a"], [1, "a"]),
        ([1, None], [1, None]),
        ([True, 1], [True, 1]),
        ([2**70, 0.5], [float(2**70), 0.5]),
        ([0.5] * 3, [0.5] * 3),
    ],
)
def test_a_scalar_logged_again_makes_a_list_in_order(run, kept, values, expected):
    for value in values:
        run.log("m", value)
    found = kept.metrics()["m"]
    assert [(type(x), x) for x in found] == [(type(x), x) for x in expected]


@pytest.mark.parametrize(
    "value", [[], [1], range(3), (x for x in "ab"), iter([1]), {1}, frozenset()], ids=lambda v: type(v).__name__
)
def test_several_values_at_once_are_refused_with_the_way_to_log_them(run, kept, value):
    with pytest.raises(UserErrorException, match=rf"'m' was given a {type(value).__name__}.*\nhint: use run\.log_list"):
        run.log("m", value)
    assert kept.metrics() == {}


@pytest.mark.parametrize("name", ["", None, 3, b"m", ["m"]])
def test_a_name_is_text(run, name):
    with pytest.raises(UserErrorException, match=r"a metric's name is a non-empty str, not .*\nhint: "):
        run.log(name, 1.0)
    with pytest.raises(UserErrorException, match="hint: "):
        run.log_list(name, [1])


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([0, 5, -3], [0, 5, -3]),
        ([0.5, 1.5], [0.5, 1.5]),
        ([1.0, 2.0], [1, 2]),
        ([np.int64(4), np.float32(2.0)], [4, 2]),
        ([np.float64(0.25)], [0.25]),
        ([Tensor(7)], [7]),
        ([True], [1]),
        ([2**63 - 1], [float(2**63)]),
        ([2**70], [2.0**70]),
        ([10**300], [1e300]),
        ([math.inf], [math.inf]),
        ([-(2**63)], [-(2.0**63)]),
        ([None, None], [0, 1]),
        ([5, None], [5, 1]),
    ],
)
@pytest.mark.parametrize("value", [0.5, 3, None, True, 2**70])
def test_steps_are_kept(run, kept, steps, expected, value):
    for step in steps:
        run.log("m", value, step=step)
    assert kept.steps("m") == expected
    found = kept.metrics()["m"]
    assert (found if isinstance(found, list) else [found]) == [value] * len(steps)


@pytest.mark.parametrize("step", ["one", [1], 10**400, 1j, np.array([1, 2])])
def test_a_step_is_a_number(run, kept, step):
    with pytest.raises(UserErrorException, match=r"the step of 'm' is a number, not .*\nhint: pass step=epoch"):
        run.log("m", 0.5, step=step)
    assert kept.metrics() == {}


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ([[1, 2]], [1, 2]),
        ([[7]], 7),  # a list of one element collapses
        ([[1], [2, 3]], [1, 2, 3]),
        ([[1, 2.5]], [1.0, 2.5]),
        ([(1, 2)], [1, 2]),
        ([range(3)], [0, 1, 2]),
        ([np.arange(3)], [0, 1, 2]),
        ([np.array([0.5, 1])], [0.5, 1.0]),
        ([pd.Series([1, 2])], [1, 2]),
        ([Tensor(1, 2, shape=(2,))], [1, 2]),
        ([[Tensor(0.5), np.float32(1)]], [0.5, 1.0]),
        ([[None, "a", True]], [None, "a", True]),
        ([[math.inf, 2**70]], [math.inf, float(2**70)]),
        ([(i * i for i in range(3))], [0, 1, 4]),
        ([["a"], []], "a"),
    ],
)
def test_lists_are_joined(run, kept, lists, expected):
    for value in lists:
        run.log_list("m", value)
    assert kept.metrics() == {"m": expected}


def test_a_list_and_scalars_under_one_name_are_one_list(run, kept):
    run.log("m", 1)
    run.log_list("m", [2, 3])
    run.log("m", 4)
    assert kept.metrics() == {"m": [1, 2, 3, 4]}


@pytest.mark.parametrize("value", [[], (), np.array([]), iter(())])
def test_an_empty_list_is_dropped(run, kept, value):
    run.log_list("m", value)
    assert kept.metrics() == {}


@pytest.mark.parametrize("value", [[[1]], [(1, 2)], [{"a": 1}], [np.array([1, 2])], [Tensor(1, 2, shape=(2,))]])
def test_nested_lists_are_refused(run, value):
    with pytest.raises(UserErrorException, match=r"log_list of 'm' takes scalars.*\nhint: "):
        run.log_list("m", value)


@pytest.mark.parametrize("value", [1, "text", b"bytes", None, {"a": 1}, np.zeros((2, 2)), np.array(1)])
def test_what_is_no_list_is_refused(run, value):
    with pytest.raises(UserErrorException, match=r"log_list of 'm' takes .*\nhint: "):
        run.log_list("m", value)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"x": 1, "y": "a"}], {"x": 1, "y": "a"}),
        ([{"x": 1}, {"x": 2}], {"x": [1, 2]}),
        ([{"x": 1}, {"x": 2, "y": 3}], {"x": [1, 2], "y": [None, 3]}),
        ([{"x": np.int64(1)}, {"x": np.float32(0.5)}], {"x": [1.0, 0.5]}),
        ([{"x": Tensor(1), "y": np.bool_(True), "z": None}], {"x": 1, "y": True, "z": None}),
    ],
)
def test_rows_make_a_table(run, kept, rows, expected):
    for row in rows:
        run.log_row("m", **row)
    assert kept.metrics() == {"m": expected}


@pytest.mark.parametrize("value", [[1], (1, 2), {"a": 1}, np.array([1, 2])])
def test_a_cell_of_a_row_is_a_scalar(run, value):
    with pytest.raises(UserErrorException, match=r"log_row of 'm' takes scalars.*\nhint: "):
        run.log_row("m", x=value)


def test_a_row_has_a_column(run):
    with pytest.raises(UserErrorException, match=r"log_row of 'm' was given no column\nhint: run.log_row"):
        run.log_row("m")


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ([{"x": [1, 2], "y": ["a", "b"]}], {"x": [1, 2], "y": ["a", "b"]}),
        ([{"x": [1], "y": [2]}], {"x": 1, "y": 2}),
        ([{"x": (1, 2)}], {"x": [1, 2]}),
        ([{"x": [1, 2]}, {"x": [3]}], {"x": [1, 2, 3]}),
        ([{"x": [1, 2]}, {"y": [3]}], {"x": [1, 2, None], "y": [None, None, 3]}),
        ([{1: [1, 2.5]}], {"1": [1.0, 2.5]}),
        ([{"x": []}], {"x": []}),
    ],
)
def test_tables_are_joined(run, kept, tables, expected):
    for table in tables:
        run.log_table("m", table)
    assert kept.metrics() == {"m": expected}


def test_an_empty_table_is_dropped(run, kept):
    run.log_table("m", {})
    assert kept.metrics() == {}


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"x": [1, 2], "y": [1]}, "differ in length: {'x': 2, 'y': 1}"),
        ({"x": np.array([1, 2])}, "column 'x' .* is a ndarray, not a list"),
        ({"x": 1}, "column 'x' .* is a int, not a list"),
        ({"x": [[1]]}, "takes scalars"),
        ([1, 2], "takes a dict of lists"),
        (None, "takes a dict of lists"),
    ],
)
def test_a_table_is_a_dict_of_lists_of_one_length(run, table, why):
    with pytest.raises(UserErrorException, match=f"(?s){why}.*\nhint: "):
        run.log_table("m", table)


def test_rows_and_tables_under_one_name_are_one_table(run, kept):
    run.log_table("m", {"x": [1, 2]})
    run.log_row("m", x=3)
    assert kept.metrics() == {"m": {"x": [1, 2, 3]}}


@pytest.mark.parametrize(
    "name", ["a\nb", "<script>alert(1)</script>", "a/b\\c", "\ud800", "\0", " ", ".." * 400, "名前", "a" * 5000]
)
def test_a_metric_may_have_any_name(run, kept, name):
    run.log(name, 0.5)
    run.log(name, 1.5)
    assert kept.metrics() == {name: [0.5, 1.5]}
    assert kept.reader.metric_names() == [name]


@pytest.mark.slow
def test_a_hundred_thousand_names_are_kept_apart(run, kept):
    for i in range(100_000):
        run.log(f"metric {i}", float(i))
    run.log("metric 7", 0.5)
    reader = kept.reader
    assert len(reader.metric_names()) == 100_000
    assert reader.metrics("metric 7") == {"metric 7": [7.0, 0.5]}
    metrics = reader.metrics()
    assert metrics["metric 99999"] == 99999.0
    assert len(metrics) == 100_000
