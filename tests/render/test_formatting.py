import math

import pytest

from amlnb.render.axes import padded, tick_labels, ticks
from amlnb.render.formatting import format_duration, format_number, in_order_of_weight, one_line, printable, sparkline
from amlnb.render.metric_groups import group_metrics


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.21344, "0.2134"),
        (2.3, "2.300"),
        (1797, "1,797"),
        (-12.5, "−12.50"),
        (123456.7, "123,457"),
        (3.2e-7, "3.2e−7"),
        (1e30, "1e30"),
        (math.nan, "nan"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_have_four_significant_digits(value, text):
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (185, "3 min 05 s"), (7380, "2 h 03 min"), (349200, "4 d 01 h")],
)
def test_durations_read_as_people_say_them(seconds, text):
    assert format_duration(seconds) == text


def test_a_live_duration_moves_by_whole_seconds():
    assert [format_duration(s, whole=True) for s in (0.9, 9.9, 59.9)] == ["0 s", "9 s", "59 s"]


def test_any_text_fits_on_a_line():
    assert one_line("a\n\tb\x1b[31m\u202e c" + "x" * 100, 12) == "a b [31m cx…"
    assert printable("a\nb\x00\ud800") == "a\nb\ufffd\ufffd"


@pytest.mark.parametrize(
    ("values", "text"),
    [([], ""), ([1.0], "▁"), ([1, 2, 3], "▁▄█"), ([math.nan, 1.0, math.inf], " ▁ "), ([0] * 40, "▁" * 16)],
)
def test_sparklines_keep_gaps(values, text):
    assert sparkline(values) == text


def test_training_and_validation_share_a_chart():
    names = ["loss", "val_loss", "train/acc", "test/acc", "lr", "eval-f1", "retrain_x"]
    groups = {group.title: [label for _, label in group.members] for group in group_metrics(names)}
    assert groups == {
        "loss": ["train", "val"],
        "acc": ["train", "test"],
        "lr": ["lr"],
        "eval-f1": ["eval"],
        "retrain_x": ["retrain_x"],
    }


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 1), (-3, 1e6), (1e-9, 2e-9), (5, 5 + 1e-13), (-1.7e308, 1.7e308), (0, 5e-324), (math.nan, math.nan), (7, 7)],
)
def test_every_range_gets_few_round_ticks_within_it(low, high):
    low, high = padded(low, high, 0.06)
    found = ticks(low, high, 4)
    assert len(found) <= 12
    assert len(tick_labels(found)) == len(found)
    assert all(low <= tick <= high + abs(high) * 1e-6 for tick in found)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0.0, 0.5, 1.0], ["0.0", "0.5", "1.0"]),
        ([0.0, 0.25], ["0.00", "0.25"]),
        ([0, 100000, 200000], ["0", "100k", "200k"]),
        ([-2.0, 0.0], ["−2", "0"]),
        ([0, 1e-4], ["0", "0.0001"]),
    ],
)
def test_tick_labels_have_the_digits_that_tell_them_apart(values, labels):
    assert tick_labels(values) == labels


def test_changed_versions_are_the_first_warning_and_what_is_the_same_the_last():
    same, python, other, changed = "the same on PyPI: a", "Python 3.6 means 3.11", "x", "b==1 cannot be met: no; b==2 is"
    assert in_order_of_weight([same, python, other, changed]) == [changed, python, other, same]
