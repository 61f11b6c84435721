"""Readers that are kept between requests: what they hold has an end."""

import pytest

from amlnb.server.readers import Readers


@pytest.mark.parametrize(("most_bytes", "is_kept"), [(1 << 30, True), (2 * 10 * 3 * 8, False)])
def test_curves_are_kept_up_to_a_number_of_bytes(make_run, most_bytes, is_kept):
    directory = make_run("r", metrics={name: [1.0] * 10 for name in "abc"})
    readers = Readers(most_bytes)
    first = readers.series(directory, "a")
    for name in "bc":
        readers.series(directory, name)
    again = readers.series(directory, "a")
    assert again.value.tolist() == [1.0] * 10
    assert (again is first) == is_kept
    assert readers.series(directory, "a") is again


def test_the_last_curve_is_kept_however_long_it_is(make_run):
    directory = make_run("r", metrics={"a": [1.0] * 10, "b": [2.0]})
    readers = Readers(most_bytes=1)
    assert readers.series(directory, "a") is readers.series(directory, "a")
    assert readers.series(directory, "b").value.tolist() == [2.0]
