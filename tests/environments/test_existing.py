"""Pythons and environments that exist: what they are, and conda's by their names, found without conda."""

import os
import subprocess
import sys

import pytest

from amlnb.environments import existing
from amlnb.errors import EnvironmentBuildException

ENVIRON = {"PATH": os.environ["PATH"]}


def make_environment(folder):
    """A folder that is an environment: it has a Python."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    return str(folder)


@pytest.mark.parametrize("spelling", ["path", "folder", "name"])
def test_an_interpreter_may_be_named_in_three_ways(tmp_path, spelling):
    prefix = make_environment(tmp_path / "env")
    told = {"path": f"{prefix}/bin/python", "folder": prefix, "name": "python"}[spelling]
    assert existing.interpreter_of(told, {"PATH": f"{prefix}/bin"}) == f"{prefix}/bin/python"


def test_what_is_installed_there_is_recorded(tmp_path):
    prefix = str(tmp_path / "env")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
    packages = f"{prefix}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    os.mkdir(f"{packages}/Spam_Eggs-1.2.dist-info")
    with open(f"{packages}/Spam_Eggs-1.2.dist-info/METADATA", "w", encoding="utf-8") as file:
        file.write("Metadata-Version: 2.1\nName: Spam.Eggs\nVersion: 1.2\n")
    found = existing.installed_packages(f"{prefix}/bin/python")
    assert [(each.name, each.version, each.by) for each in found] == [("spam-eggs", "1.2", "existing")]


def test_every_python_of_this_machine_that_is_new_enough_is_taken():
    root = os.environ.get("PYENV_ROOT")
    if not root:
        pytest.skip("no PYENV_ROOT with other Pythons is here")
    for name in sorted(os.listdir(f"{root}/versions")):
        if name.startswith(("2.", "3.6.")):
            with pytest.raises(EnvironmentBuildException):
                existing.interpreter_of(f"{root}/versions/{name}", ENVIRON)
        else:
            program = f"{root}/versions/{name}/bin/python"
            assert existing.interpreter_of(f"{root}/versions/{name}", ENVIRON) == program


def test_one_that_is_too_old_is_told_with_its_version():
    old = f"{os.environ.get('PYENV_ROOT')}/versions/3.6.15"
    if not os.path.isdir(old):
        pytest.skip("there is no Python 3.6 here")
    with pytest.raises(EnvironmentBuildException, match=r"is Python 3\.6\.15, and runs need 3\.7 or newer"):
        existing.interpreter_of(old, ENVIRON)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/no/such/python", "the interpreter '/no/such/python' does not exist"),
        ("no-such-python", "the interpreter 'no-such-python' does not exist"),
        ("{folder}", "has no Python in bin/python"),
        ("{folder}/text", "does not run"),
        ("{folder}/broken/bin/python", "does not exist"),
        ("{folder}/silent", "does not run"),
        ("{folder}/angry", "does not run: no license"),
    ],
)
def test_what_is_no_interpreter_is_told(tmp_path, path, words):
    (tmp_path / "text").write_text("text")
    (tmp_path / "broken" / "bin").mkdir(parents=True)
    (tmp_path / "broken" / "bin" / "python").symlink_to("/gone/python")
    for name, text in (("silent", "exit 0"), ("angry", "echo no license >&2; exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(EnvironmentBuildException) as told:
        existing.interpreter_of(path.format(folder=tmp_path), ENVIRON)
    assert words in told.value.message
    assert told.value.hint


@pytest.mark.parametrize(
    "way", ["CONDA_PREFIX", "CONDA_ENVS_PATH", "CONDA_EXE", "MAMBA_ROOT_PREFIX", "environments.txt", "home", "path"]
)
def test_a_conda_environment_is_found_by_its_name(tmp_path, way):
    home, root = tmp_path / "home", tmp_path / "miniconda"
    prefix = make_environment({"home": home / ".conda"}.get(way, root) / "envs" / "analysis")
    environ = {
        "CONDA_PREFIX": {"CONDA_PREFIX": prefix},
        "CONDA_ENVS_PATH": {"CONDA_ENVS_PATH": f"/nowhere:{root}/envs"},
        "CONDA_EXE": {"CONDA_EXE": f"{root}/bin/conda"},
        "MAMBA_ROOT_PREFIX": {"MAMBA_ROOT_PREFIX": str(root)},
    }.get(way, {})
    if way == "environments.txt":
        (home / ".conda").mkdir(parents=True)
        (home / ".conda" / "environments.txt").write_text(f"/gone/envs/other\n{prefix}\n")
    name = prefix if way == "path" else "analysis"
    assert existing.find_conda(name, {**environ, "HOME": str(home)}) == prefix


def test_the_installation_itself_is_called_base(tmp_path):
    root = tmp_path / "miniconda3"
    make_environment(root)
    (root / "condabin").mkdir()
    environ = {"HOME": str(tmp_path), "CONDA_PREFIX": str(root)}
    assert existing.find_conda("base", environ) == str(root)
    assert existing.find_conda("base", {"HOME": str(tmp_path), "CONDA_EXE": f"{root}/bin/conda"}) == str(root)


def test_a_name_that_is_none_is_told_with_those_that_there_are(tmp_path):
    for name in ("two", "one"):
        make_environment(tmp_path / "envs" / name)
    environ = {"HOME": str(tmp_path), "CONDA_ROOT": str(tmp_path)}
    with pytest.raises(EnvironmentBuildException) as told:
        existing.find_conda("three", environ)
    assert told.value.hint == "there are: one, two"
    with pytest.raises(EnvironmentBuildException, match="no conda environment was found"):
        existing.find_conda("three", {"HOME": "/nowhere"})
