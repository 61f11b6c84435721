"""What is said of names and calls that a newcomer tries."""

import importlib

import pytest

import amlnb
from amlnb.api.submission_words import locate
from amlnb.errors import UserErrorException


def test_other_wrong_names_are_python_s_own_affair():
    core = importlib.import_module("azureml.core")
    assert not hasattr(core, "Nope")
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'azureml\.nope'$"):
        importlib.import_module("azureml.nope")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (("loss", 3), "write amlnb.log(loss=3)"),
        (("loss/train", 0.5), "write amlnb.log(**{'loss/train': 0.5})"),
        (({"a": 1},), "write amlnb.log(**values)"),
        ((3,), "got 3.\nhint: write for example amlnb.log(loss=0.3)"),
    ],
)
def test_log_without_names_says_how_it_is_written(values, told):
    with pytest.raises(TypeError) as raised:
        amlnb.log(*values)
    assert told in str(raised.value)


@pytest.mark.parametrize("script", ["data.csv", "train.sh", "src/model.pt"])
def test_a_file_that_is_no_python_script_is_refused_by_its_ending(script):
    with pytest.raises(UserErrorException, match="is neither a Python script nor a notebook") as raised:
        locate(script, None)
    assert "amlnb submit train.py" in raised.value.hint
