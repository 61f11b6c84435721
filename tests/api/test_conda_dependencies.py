"""`CondaDependencies` as v1 code uses it."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from amlnb import CondaDependencies
from amlnb.errors import UserErrorException


def pip(dependencies):
    return list(dependencies.pip_packages)


def conda(dependencies):
    return list(dependencies.conda_packages)


def test_a_bare_one_is_as_in_v1():
    bare = CondaDependencies()
    assert (bare.get_python_version(), conda(bare), pip(bare)) == ("3.8.13", [], ["azureml-defaults"])
    assert list(bare.conda_channels) == ["anaconda", "conda-forge"]


@pytest.mark.parametrize(
    ("given_", "python", "conda_packages", "pip_packages"),
    [
        ({}, "3.10.18", [], ["azureml-defaults"]),
        ({"conda_packages": ["scikit-learn"]}, "3.10.18", ["scikit-learn"], ["azureml-defaults"]),
        ({"pip_packages": ["numpy"]}, "3.10.18", [], ["numpy"]),
        ({"pip_packages": []}, "3.10.18", [], []),
        ({"pip_packages": ["azureml-defaults", "a"], "pin_sdk_version": False}, "3.10.18", [], ["azureml-defaults", "a"]),
        ({"python_version": "3.6.2", "conda_packages": ["a=1", "b"]}, "3.6.2", ["a=1", "b"], ["azureml-defaults"]),
        ({"conda_packages": ["python=3.7", "b"]}, "3.7", ["b"], ["azureml-defaults"]),
        ({"conda_packages": ("pip", "a"), "pip_packages": ("b",)}, "3.10.18", ["pip", "a"], ["b"]),
    ],
)
def test_create(given_, python, conda_packages, pip_packages):
    made = CondaDependencies.create(**given_)
    assert (made.python_version, conda(made), pip(made)) == (python, conda_packages, pip_packages)


def test_the_lists_are_iterators_as_in_v1():
    made = CondaDependencies.create(conda_packages=["a"], pip_packages=["b"])
    assert next(made.conda_packages) == "a"
    assert next(made.pip_packages) == "b"


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ("numpy==1.0", "numpy==2.0", ["numpy==2.0"]),
        ("Foo_Bar", "foo-bar>=1", ["foo-bar>=1"]),
        ("foo[a]", "foo==1", ["foo==1"]),
        ("foo==1", "foobar", ["foo==1", "foobar"]),
        ("foo @ https://h.invalid/foo-1.whl", "foo==1", ["foo==1"]),
    ],
)
def test_a_pip_package_that_is_added_again_replaces_its_pin(first, second, left):
    made = CondaDependencies.create(pip_packages=[first])
    made.add_pip_package(second)
    assert pip(made) == left


def test_a_conda_package_that_is_added_again_stays_with_both_pins():
    made = CondaDependencies.create(conda_packages=["numpy=1.16"])
    made.add_conda_package("numpy=1.17")
    made.add_conda_package("conda-forge::numpy")
    assert conda(made) == ["numpy=1.16", "numpy=1.17", "conda-forge::numpy"]
    made.remove_conda_package("numpy")
    assert conda(made) == []
    assert made.python_version == "3.10.18"


def test_packages_are_removed_by_their_names():
    made = CondaDependencies.create(pip_packages=["Foo-Bar==1", "b"])
    made.remove_pip_package("foo_bar")
    made.remove_pip_package("not there")
    assert pip(made) == ["b"]


def test_options_and_channels():
    made = CondaDependencies.create(pip_indexurl="https://one.invalid/simple", pip_packages=["a"])
    made.set_pip_index_url("https://two.invalid/simple")
    made.set_pip_option("--extra-index-url https://three.invalid/simple")
    assert list(made.pip_options) == [
        "--index-url https://two.invalid/simple",
        "--extra-index-url https://three.invalid/simple",
    ]
    assert pip(made) == ["a"]
    made.remove_pip_option("--index-url")
    made.remove_pip_option("--extra-index-url https://three.invalid/simple")
    assert list(made.pip_options) == []
    made.add_channel("pytorch")
    made.add_channel("pytorch")
    made.remove_channel("anaconda")
    assert list(made.conda_channels) == ["conda-forge", "pytorch"]


def test_tensorflow():
    made = CondaDependencies.create(pip_packages=[])
    made.add_tensorflow_conda_package(core_type="gpu", version="1.13.1")
    made.add_tensorflow_pip_package(version="2.0")
    assert (conda(made), pip(made)) == (["tensorflow-gpu=1.13.1"], ["tensorflow==2.0"])
    made.remove_tensorflow_conda_package(core_type="gpu")
    made.remove_tensorflow_pip_package()
    assert (conda(made), pip(made)) == ([], [])
    with pytest.raises(UserErrorException, match="core_type is 'tpu'"):
        made.add_tensorflow_pip_package("tpu")


def test_what_is_written_is_read_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = CondaDependencies.create(conda_packages=["a=1"], pip_packages=["b==2"], python_version="3.10")
    made.add_channel("pytorch")
    (tmp_path / "deep").mkdir()
    assert made.save_to_file("deep", "mine.yml") == "mine.yml"
    assert made.save() == str(tmp_path / "conda_dependencies.yml")
    for path in ("deep/mine.yml", "conda_dependencies.yml"):
        read = CondaDependencies(conda_dependencies_file_path=path)
        assert read.as_dict() == made.as_dict()
        assert read.serialize_to_string() == made.serialize_to_string()
    assert yaml.safe_load(made.serialize_to_string()) == made.as_dict()


@pytest.mark.parametrize(
    ("text", "python", "conda_packages", "pip_packages"),
    [
        ("dependencies: [python=3.10, 'numpy']", "3.10", ["numpy"], []),
        ("dependencies:\n- python\n- pip:\n  - a", None, [], ["a"]),
        ("dependencies:\n- pip:\n", None, [], []),
        ("dependencies:\nchannels: conda-forge", None, [], []),
        ("dependencies:\n- python>=3.8,<3.10\n- pip:\n  - --pre\n  - a\n- b", ">=3.8,<3.10", ["b"], ["a"]),
    ],
)
def test_files_of_all_forms(tmp_path, text, python, conda_packages, pip_packages):
    (tmp_path / "env.yml").write_text(text)
    read = CondaDependencies(tmp_path / "env.yml")
    assert (read.python_version, conda(read), pip(read)) == (python, conda_packages, pip_packages)
    read.add_pip_package("more")
    read.add_conda_package("more")
    read.add_channel("last")
    assert (conda(read), pip(read)) == ([*conda_packages, "more"], [*pip_packages, "more"])
    assert list(read.conda_channels)[-1] == "last"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: CondaDependencies.create(pip_packages="numpy"), r"pip_packages is 'numpy'\nhint: give a list"),
        (lambda: CondaDependencies.create(conda_packages=3), "conda_packages is 3"),
        (lambda: CondaDependencies.create(conda_packages=[None]), "conda_packages is None"),
        (lambda: CondaDependencies().add_pip_package(" "), "a pip package is ' '"),
        (lambda: CondaDependencies().set_python_version(3.1), "the version of Python is 3.1"),
        (lambda: CondaDependencies("nowhere.yml"), "nowhere.yml cannot be read"),
    ],
)
def test_what_cannot_be_is_refused(call, told):
    with pytest.raises(UserErrorException, match=told):
        call()


def test_a_file_that_is_no_conda_file_is_refused_with_its_line(tmp_path):
    (tmp_path / "env.yml").write_text("dependencies:\n  - python: 3.10\n")
    with pytest.raises(UserErrorException, match=r"env.yml, line 2: .*python"):
        CondaDependencies(str(tmp_path / "env.yml"))


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True)
VERSIONS = st.from_regex(r"[1-9](\.[0-9]){0,2}", fullmatch=True)


@given(st.lists(st.tuples(NAMES, VERSIONS)), st.lists(st.tuples(NAMES, VERSIONS)))
def test_whatever_is_added_survives_its_text(conda_packages, pip_packages):
    made = CondaDependencies.create(
        conda_packages=[f"{name}={version}" for name, version in conda_packages if name != "python"],
        pip_packages=[f"{name}=={version}" for name, version in pip_packages],
    )
    assert len(pip(made)) == len({name for name, _ in pip_packages})
    again = CondaDependencies(_underlying_structure=yaml.safe_load(made.serialize_to_string()))
    assert again.as_dict() == made.as_dict()
