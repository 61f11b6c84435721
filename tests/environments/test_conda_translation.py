"""Conda packages as those of PyPI: each is mapped, dropped or told as one that only conda has."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from amlnb.environments import conda_names, conda_text
from amlnb.environments.conda_translation import is_public, translate
from amlnb.specs.environment_spec import EnvironmentSpec


def translated(*conda, channels=(), pip=()):
    return translate(EnvironmentSpec(conda=conda, channels=channels, pip=pip))


def test_the_usual_file_of_v1_is_torch_and_torchvision():
    text = "channels: [defaults, pytorch]\ndependencies: [python=3.6.2, pytorch, torchvision, {pip: [azureml-sdk]}]"
    spec = conda_text.parse(text, "pytorch-env.yml", "/nowhere", {})
    found = translate(spec)
    assert found.requirements == ("torch", "torchvision")
    assert (found.dropped, found.untranslatable) == ((), ())
    assert found.news == ("pytorch is torch on PyPI", "the same on PyPI: torchvision")
    assert (found.notes, spec.notes) == ((), ())
    assert spec.news == ("azureml-sdk is served by amlnb and was not installed",)


MAPPED = {
    "pytorch=1.4": ("torch==1.4.*", "pytorch 1.4 is torch==1.4.* on PyPI"),
    "pytorch::pytorch-cpu==1.1.0": ("torch==1.1.0", "pytorch-cpu 1.1.0 is torch==1.1.0 on PyPI"),
    "tensorflow-gpu=1.13": ("tensorflow==1.13.*", "tensorflow-gpu 1.13 is tensorflow==1.13.* on PyPI"),
    "tensorflow-mkl": ("tensorflow", "tensorflow-mkl is tensorflow on PyPI"),
    "py-xgboost-cpu<=1.3.3": ("xgboost<=1.3.3", "py-xgboost-cpu <=1.3.3 is xgboost<=1.3.3 on PyPI"),
    "opencv": ("opencv-python", "opencv is opencv-python on PyPI"),
    "msgpack-python": ("msgpack", "msgpack-python is msgpack on PyPI"),
    "pytables": ("tables", "pytables is tables on PyPI"),
    "matplotlib-base": ("matplotlib", "matplotlib-base is matplotlib on PyPI"),
    "python-graphviz": ("graphviz", "python-graphviz is graphviz on PyPI"),
    "ruamel_yaml": ("ruamel.yaml", "ruamel_yaml is ruamel.yaml on PyPI"),
    "dask-core": ("dask", "dask-core is dask on PyPI"),
    "numpy": ("numpy", "the same on PyPI: numpy"),
    "scikit-learn=0.22.1": ("scikit-learn==0.22.1.*", "the same on PyPI: scikit-learn==0.22.1.*"),
    "pandas>=1.0,<2": ("pandas>=1.0,<2", "the same on PyPI: pandas>=1.0,<2"),
    "numpy=1.19.2=py36_0": ("numpy==1.19.2", "numpy 1.19.2 is numpy==1.19.2 on PyPI: conda's build py36_0 has no meaning there"),
    "numpy 1.11|1.12": ("numpy==1.12", "numpy 1.11|1.12 is numpy==1.12 on PyPI: of alternative versions the last one is taken"),
    "pytz=2022g": ("pytz", "pytz 2022g is pytz on PyPI: the version 2022g cannot be written there"),
    "py-spy": ("py-spy", "the same on PyPI: py-spy"),
    "librosa": ("librosa", "the same on PyPI: librosa"),
}  # fmt: skip


@pytest.mark.parametrize("text", MAPPED)
def test_what_is_mapped(text):
    found = translated(text, channels=("defaults", "pytorch"))
    requirement, told = MAPPED[text]
    # What is lost is a warning; another name is none.
    notes, news = ((told,), ()) if "PyPI: " in told and not told.startswith("the same") else ((), (told,))
    assert (found.requirements, found.notes, found.news) == ((requirement,), notes, news)


DROPPED = {
    "cudatoolkit=10.1": conda_names.CUDA,
    "cudnn": conda_names.CUDA,
    "pytorch-cuda=11.8": conda_names.CUDA,
    "cuda-nvcc": conda_names.CUDA,
    "mkl": conda_names.MATH,
    "blas=*=openblas": conda_names.MATH,
    "nomkl": conda_names.CHOICE,
    "cpuonly": conda_names.CHOICE,
    "_libgcc_mutex=0.1=main": conda_names.CHOICE,
    "libgcc-ng": conda_names.LIBRARY,
    "openssl=1.1.1g=h7b6447c_0": conda_names.LIBRARY,
    "ca-certificates": conda_names.LIBRARY,
    "ld_impl_linux-64": conda_names.LIBRARY,
    "pip=20.1": conda_names.PROGRAM,
    "wheel": conda_names.PROGRAM,
    "vs2015_runtime": conda_names.SYSTEM,
    "python=3.6": "the version of Python is chosen apart from the packages",
    "azureml-sdk": "it is served by amlnb",
}


@pytest.mark.parametrize("text", DROPPED)
def test_what_is_left_out(text):
    found = translated(text)
    assert (found.dropped, found.notes) == ((text,), (f"{text} was left out: {DROPPED[text]}",))


@pytest.mark.parametrize(
    "text", ["r-base=4.1", "r-ggplot2", "compilers", "gcc_linux-64", "ffmpeg", "nodejs", "openjdk", "git", "graphviz"]
)
def test_what_only_conda_has(text):
    found = translated(text, "numpy")
    assert (found.untranslatable, found.requirements) == ((text,), ("numpy",))
    assert found.notes[0] == f"{text} cannot be had from PyPI: only conda has it"


def test_what_the_pip_part_names_too_is_taken_from_there():
    found = translated("numpy=1.19", "pytorch=1.4", pip=("numpy==1.21", "torch @ https://h.example/t.whl"))
    assert found.requirements == ()
    assert found.notes[0] == "numpy=1.19 was left out: the pip part names it too"


@pytest.mark.parametrize(
    ("channel", "public"),
    [
        ("defaults", True),
        ("Conda-Forge", True),
        ("pytorch", True),
        ("conda-forge/label/dev", True),
        ("https://mirror.example/conda-forge/", True),
        ("https://mirror.example/pkgs/main", True),
        ("mine", False),
        ("file:///srv/conda-forge", False),
        ("/srv/main", False),
        ("https://h.example/t/${TOKEN}/mine", False),
    ],
)
def test_channels_of_ones_own_may_hold_anything(channel, public):
    assert is_public(channel) is public
    found = translated("numpy", "cudatoolkit", channels=("defaults", channel))
    assert bool(found.untranslatable) is not public
    assert public or found.untranslatable == ("numpy", "cudatoolkit")


def test_a_package_of_a_channel_of_ones_own_is_told_alone():
    found = translated("mine::numpy", "scipy", "conda-forge::pandas")
    assert found.untranslatable == ("mine::numpy",)
    assert found.requirements == ("scipy", "pandas")
    assert found.notes[0] == "mine::numpy cannot be had from PyPI: the channel mine may be the only one that has it"


def test_an_exported_environment_becomes_the_packages_of_python():
    exported = """
        _libgcc_mutex=0.1=main blas=1.0=mkl ca-certificates=2020.6.24=0 certifi=2020.6.20=py36_0 intel-openmp=2020.1=217
        libedit=3.1.20191231=h7b6447c_0 libffi=3.3=he6710b0_1 libgcc-ng=9.1.0=hdf63c60_0 mkl=2020.1=217 mkl-service=2.3.0=py36
        mkl_fft=1.1.0=py36 ncurses=6.2=he6710b0_1 numpy=1.18.5=py36ha1c710e_0 openssl=1.1.1g=h7b6447c_0 pip=20.1.1=py36_1
        python=3.6.10=h7579374_2 readline=8.0=h7b6447c_0 setuptools=47.3.1=py36_0 six=1.15.0=py_0 sqlite=3.32.3=h62c20be_0
        tk=8.6.10=hbc83047_0 wheel=0.34.2=py36_0 xz=5.2.5=h7b6447c_0 zlib=1.2.11=h7b6447c_3
    """
    found = translated(*exported.split(), channels=("defaults",))
    assert found.requirements == ("certifi==2020.6.20", "numpy==1.18.5", "setuptools==47.3.1", "six==1.15.0")
    assert not found.untranslatable


NAMES = st.sampled_from(
    [*conda_names.PIP_NAMES, "numpy", "pandas", "mkl", "r-base", "ffmpeg", "librosa", "libpng", "pip", "_x", "python"]
) | st.from_regex(r"[a-z0-9_][a-z0-9_.+-]{0,8}", fullmatch=True)
ENDS = st.sampled_from(
    ["", "=1.4", "==1.4.1", ">=1,<2", " 1.4.*", "=1.4=py_0", "=2022g", "[version='>=1']", "=*=*cuda*", " 1|2", "=>1"]
)
CHANNELS = st.lists(st.sampled_from(["defaults", "conda-forge", "mine", "/c", "https://h.example/c"]), max_size=2)


@given(
    st.lists(st.builds("{}{}".format, NAMES, ENDS) | st.text(max_size=6), max_size=6),
    CHANNELS,
    st.lists(st.sampled_from(["numpy==1", "torch"]), max_size=2),
)
@settings(deadline=None)
def test_every_package_becomes_exactly_one_thing_and_once(conda, channels, pip):
    spec = EnvironmentSpec(conda=tuple(conda), channels=tuple(channels), pip=tuple(pip))
    found = translate(spec)
    assert len(found.requirements) + len(found.dropped) + len(found.untranslatable) == len(conda)
    assert {*found.dropped, *found.untranslatable} <= set(conda)
    for requirement in found.requirements:
        Requirement(requirement)
    # What was translated has nothing left to translate.
    done = EnvironmentSpec(pip=(*found.requirements, *pip), channels=spec.channels)
    assert translate(done).requirements == ()
    assert len(found.notes) == len(set(found.notes))
