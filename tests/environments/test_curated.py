"""Curated names, and what must come with packages that are no longer maintained."""

import pytest
from packaging.requirements import Requirement

from amlnb.environments import curated
from amlnb.environments.quirks import companions
from amlnb.errors import UserErrorException

# As the notebooks of Azure ML's examples ask for them.
ASKED = {
    "AzureML-sklearn-1.5": "scikit-learn==1.5.*",
    "azureml-sklearn-1.5": "scikit-learn==1.5.*",
    "AzureML-Tutorial": "scikit-learn",
    "azureml-acpt-pytorch-2.2-cuda12.1": "torch==2.2.*",
    "azureml-acpt-pytorch-1.13-cuda11.7": "torch==1.13.*",
    "azureml-acpt-pytorch-1.11-cuda11.3": "torch==1.11.*",
    "azureml-tensorflow-2.11-cuda11": "tensorflow==2.11.*",
    "AzureML-tensorflow-2.16-cuda12": "tensorflow==2.16.*",
    "AzureML-TensorFlow-1.13-GPU": "tensorflow==1.13.*",
    "AzureML-TensorFlow-2.1-GPU": "tensorflow==2.1.*",
    "AzureML-TensorFlow-2.3-GPU": "tensorflow==2.3.*",
    "AzureML-PyTorch-1.4-CPU": "torch==1.4.*",
    "AzureML-PyTorch-1.6-GPU": "torch==1.6.*",
    "AzureML-Scikit-learn-0.20.3": "scikit-learn==0.20.3",
    "AzureML-Chainer-5.1.0-GPU": "chainer==7.8.1",
    "AzureML-sklearn-1.5@latest": "scikit-learn==1.5.*",
    "AzureML-sklearn-1.5:3": "scikit-learn==1.5.*",
}


@pytest.mark.parametrize("name", ASKED)
def test_a_curated_name_asks_for_what_it_promises(name):
    found = curated.curated(name)
    assert found.pip[0] == ASKED[name]
    assert found.name in curated.names()
    assert found.news == (f"{found.name} stands for {', '.join(found.pip)}",)
    assert ["the last version" in each for each in found.notes] == [True] * (found.pip[0] == "chainer==7.8.1")


def test_the_minimal_one_asks_for_nothing():
    assert curated.curated("AzureML-Minimal").to_dict() == {
        "name": "AzureML-Minimal",
        "version": "1",
        "origin": "AzureML-Minimal",
    }


@pytest.mark.parametrize("name", curated.names())
def test_all_of_them_are_requirements(name):
    assert curated.is_reserved(name)
    for each in curated.curated(name).pip:
        Requirement(each)


def test_other_names_are_none_of_them():
    assert curated.curated("mine") is None
    assert not curated.is_reserved("mine")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("AzureML-PyTorch-1.4-GPUS", "did you mean AzureML-PyTorch-1.4-GPU"),
        ("Microsoft-x", "known: AzureML-"),
        ("azureml", "--env"),
    ],
)
def test_a_name_that_begins_as_they_do_and_is_none_is_told_with_near_ones(name, hint):
    with pytest.raises(UserErrorException, match=f"'{name}' is not among the curated environments") as raised:
        curated.curated(name)
    assert hint in raised.value.hint


def test_chainer_comes_with_the_numpy_and_setuptools_that_it_needs():
    found = companions(["Chainer==7.8.1", "pandas"])
    assert found.requirements == ("numpy<1.24", "setuptools<70")
    assert found.build_constraints == ("setuptools<70",)
    assert found.notes == ("chainer is no longer maintained and needs numpy<1.24 and setuptools<70, which was added",)


def test_what_the_person_decided_on_is_left_alone():
    found = companions(["chainer", "numpy==1.22.4", "setuptools<60 --hash=sha256:00"])
    assert (found.requirements, found.notes) == ((), ())
    assert found.build_constraints == ("setuptools<70",), "its source is built in a place of its own"
    assert companions(["numpy", "./x"]).build_constraints == ()


def test_a_name_without_a_version_is_no_decision():
    assert companions(["chainer", "numpy"]).requirements == ("numpy<1.24", "setuptools<70")
