"""The exceptions of v1: their tree, and the text that code written for it reads."""

import json
import pickle
import subprocess
import sys

import pytest

from azureml import exceptions
from azureml.core import Workspace
from azureml.core.compute_target import ComputeTargetException

ALL = [getattr(exceptions, name) for name in exceptions.__all__]


@pytest.mark.parametrize("kind", ALL)
def test_all_are_of_one_tree_and_keep_their_message(kind):
    error = kind("it broke")
    assert isinstance(error, exceptions.AzureMLException)
    assert error.message == "it broke"
    assert pickle.loads(pickle.dumps(error)).message == "it broke"


@pytest.mark.parametrize("kind", ALL)
def test_their_text_has_v1s_shape(kind):
    text = str(kind("it broke", hint="mend it"))
    head, _, response = text.partition("\n\tErrorResponse \n")
    assert head == f"{kind.__name__}:\n\tMessage: it broke\n\thint: mend it\n\tInnerException None"
    assert json.loads(response)["error"]["message"] == "it broke\nhint: mend it"


def test_the_inner_exception_is_told():
    def fail():
        try:
            raise KeyError("k")
        except KeyError as error:
            raise exceptions.UserErrorException("outer") from error

    with pytest.raises(exceptions.UserErrorException, match=r"\tInnerException KeyError: 'k'\n"):
        fail()


def test_an_exception_has_one_identity_under_all_its_names():
    assert ComputeTargetException is exceptions.ComputeTargetException


def test_who_catches_the_root_catches_what_is_raised(tmp_path):
    with pytest.raises(exceptions.AzureMLException):
        Workspace.from_config(str(tmp_path))


def test_without_v1_code_in_the_process_the_text_is_for_people():
    code = "from amlnb.errors import UserErrorException; print(UserErrorException('it broke', hint='mend it'))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "it broke\nhint: mend it\n"
