"""What is kept of a failure, whatever its local values are."""

import json
import subprocess
import sys

import numpy as np
import pytest

from amlnb.runner import failure


def raising(*_):
    raise RuntimeError("hostile")


class Hostile:
    """Raises whatever it is asked; as a class of NumPy's, so that it is asked for its shape."""

    __module__ = "numpy.hostile"
    shape = dtype = __class__ = property(raising)
    __repr__ = __str__ = __len__ = __bool__ = __eq__ = raising
    __hash__ = None


class Number(int):
    __repr__ = __str__ = raising


class Real(float):
    __float__ = __repr__ = raising


class Text(str):
    __slots__ = ()
    __len__ = __repr__ = raising


class Nowhere:
    pass


Nowhere.__module__ = 5

VALUES = {
    "a huge int": 10**5000,
    "an int whose repr raises": Number(3),
    "a float whose repr raises": Real(1.5),
    "a text whose length raises": Text("abc"),
    "an object that raises at everything": Hostile(),
    "an object of a class without a module's name": Nowhere(),
}


def kept(folder):
    (document,) = failure.read(str(folder))
    return document


@pytest.mark.parametrize("name", VALUES)
def test_a_failure_is_told_whatever_its_values_are(tmp_path, name):
    def fail(value):
        before = 1
        raise ValueError(f"boom {before}")

    with pytest.raises(ValueError, match="boom") as raised:
        fail(VALUES[name])
    failure.record(ValueError, raised.value, raised.tb, str(tmp_path))
    document = kept(tmp_path)
    assert (document["type"], document["message"]) == ("ValueError", "boom 1")
    locals_ = {local["name"]: local for local in document["frames"][-1]["locals"]}
    assert locals_["before"] == {"name": "before", "type": "int", "value": "1"}
    assert type(VALUES[name]).__name__ in locals_["value"]["type"]


def test_an_error_that_cannot_be_told_in_words_keeps_its_frames(tmp_path):
    class BrokenError(Exception):
        __str__ = raising

    def fail():
        raise BrokenError

    with pytest.raises(BrokenError) as raised:
        fail()
    failure.record(BrokenError, raised.value, raised.tb, str(tmp_path))
    document = kept(tmp_path)
    assert (document["type"], document["message"]) == ("BrokenError", "<its __str__ failed>")
    assert document["frames"][-1]["function"] == "fail"


def test_local_values_that_cannot_be_had_cost_only_themselves(tmp_path):
    """A class body's namespace may be any mapping."""
    program = f"""
import sys
sys.path[:0] = {sys.path!r}
from amlnb.runner import failure
class Names(dict):
    def items(self):
        raise RuntimeError
class Meta(type):
    @classmethod
    def __prepare__(cls, *_):
        return Names()
try:
    class Model(metaclass=Meta):
        raise KeyError("boom")
except KeyError as error:
    failure.record(KeyError, error, error.__traceback__, {str(tmp_path)!r})
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    document = kept(tmp_path)
    assert [frame["function"] for frame in document["frames"]] == ["<module>", "Model"]
    assert document["frames"][-1]["locals"] == []
    json.dumps(document)


def test_arrays_and_texts_are_told_by_their_size():
    assert failure.describe_value(np.zeros((2, 3))) == {"type": "numpy.ndarray", "shape": [2, 3], "dtype": "float64"}
    assert failure.describe_value("abc") == {"type": "str", "length": 3}
    assert failure.describe_value(np.float64(0.5)) == {"type": "numpy.float64", "value": "0.5"}
    assert failure.describe_value(10**5000)["value"] == "<too long, or no repr>"


class Keys(dict):
    __iter__ = keys = items = raising


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ({"x": [1], "val/loss": 2, "layer 2": 3, 7: 4}, ["'x'", "'val/loss'", "'layer 2'", "7"]),
        ({f"k{i}": i for i in range(100)}, [f"'k{i}'" for i in range(6)]),
        ({"ghp_aZ81bQ0c2Yt5Rw9v1Xu7sK3mN6": 1}, ["..."]),
        ({"AKIA1234567890ABCDEF": 1, "ann@example.org": 2, "a" * 25: 3, (1, 2): 4, 0.5: 5}, ["..."] * 5),
        ({Text("x"): 1, Number(3): 2}, ["...", "..."]),
        (Keys(x=1), ["'x'"]),
        ({10**40: 1}, ["1" + "0" * 29]),
        ({}, None),
        ({1, 2}, None),
    ],
)
def test_of_a_dict_the_first_keys_that_are_names_are_told(value, keys):
    assert failure.describe_value(value).get("keys") == keys
