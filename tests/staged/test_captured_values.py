"""What comes back from a run is what the run had, by plain forms where they hold it."""

import json
import math
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlnb.staged import captured_values
from amlnb.staged.captured_values import UntrustedValueError, index, keep, read

FOLDER = captured_values.RETURNED


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


class Model:
    def __init__(self, rate):
        self.rate = rate

    def __eq__(self, other):
        return self.rate == other.rate

    __hash__ = None


def back(value, **options):
    keep(value=value)
    return read(FOLDER, "value", **options)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary() | st.complex_numbers(allow_nan=False)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner)
    | st.tuples(inner, inner)
    | st.dictionaries(st.text() | st.integers(), inner)
    | st.sets(st.integers()),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VALUES)
def test_builtins_come_back_equal_and_of_the_same_types(value):
    again = back(value, trust=True)
    assert _exactly(again) == _exactly(value)


def _exactly(value):
    """A value with the types of all its parts; the order of a set is nobody's promise."""
    if isinstance(value, list | tuple):
        return type(value), [_exactly(item) for item in value]
    if isinstance(value, dict):
        return [(_exactly(key), _exactly(item)) for key, item in value.items()]
    return type(value), value if isinstance(value, set) else repr(value)


@pytest.mark.parametrize(
    ("value", "suffix"),
    [
        ({"loss": [0.1, math.nan]}, ".json"),
        (math.inf, ".json"),
        ((1, b"\x00", 2.5), ".txt"),
        ("\ud800", ".json"),
        (("\ud800",), ".txt"),
        (np.arange(6).reshape(2, 3), ".npy"),
        (np.float32(0.1), ".npy"),
        (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), ".npz"),
        (pd.DataFrame({"a": ["x", None, math.nan], "b": [1, 2, 3]}, dtype=object).astype({"b": int}), ".npz"),
        (pd.DataFrame({"a": [None, math.nan]}, index=[1, 1], dtype=object), ".npz"),
        (pd.Series(["x", None]), ".npz"),
        (pd.Series([], dtype=object), ".npz"),
        (pd.DataFrame({"a": [pd.NaT, "x"]}, dtype=object), ".pkl"),
        (pd.Series([1.5, 2.5], name="loss"), ".npz"),
        (pd.Series([1.5, 2.5]), ".npz"),
        (frozenset({1}), ".pkl"),
        pytest.param(10**5000, ".pkl", id="an int of more digits than are written"),
        pytest.param((1, 10**5000), ".pkl", id="a tuple with one"),
        (Model(0.1), ".pkl"),
        (pd.DataFrame({"a": pd.Categorical(["x"])}), ".pkl"),
    ],
)
def test_each_value_takes_the_plainest_form_that_holds_it(value, suffix):
    again = back(value, trust=True)
    assert os.path.splitext(index(FOLDER)["value"]["file"])[1] == suffix
    assert type(again) is type(value)
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(again, value)
    elif isinstance(value, pd.Series):
        pd.testing.assert_series_equal(again, value)
    elif isinstance(value, np.ndarray):
        np.testing.assert_array_equal(again, value)
    else:
        assert again == value or repr(again) == repr(value)


def test_a_pickle_is_read_only_if_it_is_signed_with_the_key_or_trusted(monkeypatch):
    monkeypatch.setenv(captured_values.KEY_VARIABLE, "secret")
    keep(value=Model(1))
    assert read(FOLDER, "value", "secret").rate == 1
    for key in (None, "", "another"):
        with pytest.raises(UntrustedValueError):
            read(FOLDER, "value", key)
    path = os.path.join(FOLDER, index(FOLDER)["value"]["file"])
    with open(path, "wb") as file:
        file.write(pickle.dumps(Model(2)))
    with pytest.raises(UntrustedValueError):
        read(FOLDER, "value", "secret")
    assert read(FOLDER, "value", trust=True).rate == 2


def _edit(change):
    """What whoever can write to the run directory may do."""
    entries = index(FOLDER)
    change(entries)
    with open(os.path.join(FOLDER, "values.json"), "w") as file:
        json.dump(entries, file)


def _swap(entries):
    entries["value"], entries["other"] = entries["other"], entries["value"]


@pytest.mark.parametrize(
    "change",
    [
        _swap,
        lambda entries: entries["value"].update(packages={"unwanted_module": "1"}),
        lambda entries: entries["value"].update(packages={}),
        lambda entries: entries["value"].update(python="3.5"),
        lambda entries: entries["value"].update(part="rate"),
        lambda entries: entries["value"].update(signature="é"),
        lambda entries: entries["value"].update(signature=None),
    ],
)
def test_all_that_is_told_of_a_pickle_is_signed_with_it(tmp_path, monkeypatch, change):
    (tmp_path / "unwanted_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv(captured_values.KEY_VARIABLE, "secret")
    keep(value=Model(np.float32(1)), other=Model(2))
    assert "numpy" in index(FOLDER)["value"]["packages"]
    _edit(change)
    with pytest.raises(UntrustedValueError):
        read(FOLDER, "value", "secret")


def test_no_module_is_imported_to_learn_its_version(tmp_path, monkeypatch):
    (tmp_path / "unwanted_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    keep(value=Model(1))
    _edit(lambda entries: entries["value"].update(packages={"unwanted_module": "1.0"}))
    assert read(FOLDER, "value", trust=True).rate == 1


@pytest.mark.parametrize("package", ["numpy", "hypothesis", "nbformat", "dateutil"])
def test_another_major_version_is_refused_by_name_whether_it_is_imported_or_installed(monkeypatch, package):
    keep(value=Model(1))
    _edit(lambda entries: entries["value"].update(packages={package: "0.0"}))
    monkeypatch.delitem(sys.modules, package, raising=False)
    with pytest.raises(RuntimeError, match=f"pickled with {package} 0.0 and cannot be trusted with [1-9]"):
        read(FOLDER, "value", trust=True)
    assert package not in sys.modules


def test_a_pickle_without_any_key_is_not_signed_by_the_empty_one(monkeypatch):
    monkeypatch.delenv(captured_values.KEY_VARIABLE, raising=False)
    keep(value=Model(1))
    assert "signature" not in index(FOLDER)["value"]
    with pytest.raises(UntrustedValueError):
        read(FOLDER, "value", "")


def test_an_entry_never_names_a_file_outside_of_its_folder(tmp_path):
    keep(value=1)
    (tmp_path / "secret.json").write_text("2")
    entries = index(FOLDER)
    entries["value"]["file"] = "../../secret.json"
    (tmp_path / FOLDER / "values.json").write_text(json.dumps(entries))
    with pytest.raises(FileNotFoundError):
        read(FOLDER, "value")


def test_what_cannot_travel_is_told_and_costs_nothing_else(capfd):
    keep(lines=(line for line in "ab"), loss=0.5)
    assert read(FOLDER, "loss") == 0.5
    with pytest.raises(RuntimeError, match="a generator cannot be pickled"):
        read(FOLDER, "lines")
    assert "the result 'lines' is not kept" in capfd.readouterr().err


def test_another_python_is_refused_by_name(tmp_path):
    keep(value=Model(1))
    entries = index(FOLDER)
    entries["value"]["python"] = "3.5"
    (tmp_path / FOLDER / "values.json").write_text(json.dumps(entries))
    with pytest.raises(RuntimeError, match=r"pickled by Python 3\.5"):
        read(FOLDER, "value", trust=True)


def test_values_are_kept_without_anything_installed(tmp_path):
    """The module is copied beside a script whose interpreter may have nothing."""
    script = tmp_path / "cell.py"
    script.write_text("import captured_values\ncaptured_values.keep(a=[1, 2], b=(1, 2), c={1})\n")
    shutil.copyfile(captured_values.__file__, tmp_path / "captured_values.py")
    subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); exec(open('cell.py').read())"], check=True, cwd=tmp_path)
    assert [read(FOLDER, name) for name in "abc"] == [[1, 2], (1, 2), {1}]
