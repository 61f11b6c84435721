"""Registered environments: versions, given names, two writers, damage."""

import json
import os
import subprocess
import sys

import pytest

from amlnb import CondaDependencies, Environment, Workspace
from amlnb.environments import registered
from amlnb.errors import FormatError, UserErrorException


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Workspace.find_or_create(str(tmp_path))[0]


def with_packages(name, *packages):
    made = Environment(name)
    made.python.conda_dependencies = CondaDependencies.create(pip_packages=list(packages))
    return made


def files(workspace):
    top = os.path.join(workspace.directory.path, "environments", "registered")
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names)


def test_versions_count_up_and_the_same_content_is_the_same_version(workspace):
    first = with_packages("x", "a")
    assert first.register(workspace).version == "1"
    assert first.register(workspace).version == "1"
    assert first.version is None
    assert with_packages("x", "a", "b").register(workspace).version == "2"
    assert first.register(workspace).version == "3"  # what was registered last is what one gets
    assert Environment.get(workspace, "x").to_spec().pip == ("a",)
    assert Environment.get(workspace, "x", version="2").to_spec().pip == ("a", "b")
    assert Environment.get(workspace=workspace, name="x", version=2).version == "2"
    assert Environment.get(workspace, "x", label="Latest").version == "3"


def test_a_registered_environment_is_the_one_that_was_registered(workspace, tmp_path):
    (tmp_path / "pkg").mkdir()
    (tmp_path / "env.yml").write_text("dependencies: [python=3.6.2, numpy, pip: [./pkg]]")
    made = Environment.from_conda_specification("x", "env.yml")
    made.register(workspace)
    found = Environment.get(workspace, "x")
    (tmp_path / "elsewhere").mkdir()
    os.chdir(tmp_path / "elsewhere")
    spec = found.to_spec()
    assert (spec.pip, spec.version, spec.name) == ((str(tmp_path / "pkg"),), "1", "x")
    assert found.register(workspace).version == "1"


def test_a_changed_environment_is_of_no_version(workspace):
    found = with_packages("x", "a").register(workspace)
    assert found.to_spec().version == "1"
    found.python.conda_dependencies.add_pip_package("b")
    assert found.to_spec().version is None
    assert found.register(workspace).version == "2"


def test_credentials_are_used_and_not_kept(workspace):
    made = with_packages("x", "a", "--extra-index-url https://user:secret@h.invalid/s", "b @ https://me:hidden@g.invalid/b.whl")
    kept = made.register(workspace)
    assert kept.to_spec().credentials == {"h.invalid": "user:secret", "g.invalid": "me:hidden"}
    assert kept.register(workspace).version == "1"
    for path in files(workspace):
        with open(path) as file:
            text = file.read()
        assert "https://h.invalid/s" in text
        assert "secret" not in text
        assert "hidden" not in text
    assert "secret" not in repr(made)


@pytest.mark.parametrize("name", ["a b/../c", "日本", "../../up", "x" * 500, "--help", "con\n", "\ud800"])
def test_any_name_is_kept_below_the_folder(workspace, name):
    made = with_packages(name, "a")
    made.register(workspace)
    assert len(files(workspace)) == 1
    assert Environment.get(workspace, name).name == name
    assert name in Environment.list(workspace)


@pytest.mark.parametrize("name", ["AzureML-mine", "azureml_mine", "Microsoft.Mine"])
def test_given_names_cannot_be_registered(workspace, name):
    with pytest.raises(UserErrorException, match=r"names that begin with AzureML or Microsoft are given\nhint: .*clone"):
        with_packages(name, "a").register(workspace)


@pytest.mark.parametrize("name", ["AzureML-sklearn-1.5", "azureml-sklearn-1.5"])
def test_a_given_environment_is_had_by_its_name_and_changed_under_another(workspace, name):
    found = Environment.get(workspace, name)
    spec = found.to_spec()
    assert "scikit-learn==1.5.*" in spec.pip
    assert "AzureML-sklearn-1.5" in Environment.list(workspace)
    mine = found.clone("mine")
    mine.python.conda_dependencies.add_pip_package("lightgbm")
    assert mine.register(workspace).to_spec().pip == (*spec.pip, "lightgbm")


def test_packages_are_added_to_a_given_environment_that_has_none(workspace):
    mine = Environment.get(workspace, "AzureML-Minimal").clone("mine")
    mine.python.conda_dependencies.add_pip_package("a")
    assert mine.to_spec().pip == ("a",)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"name": "traning"}, r"there is no environment 'traning' in this workspace\nhint: did you mean 'training'\?"),
        ({"name": "quite other"}, r"\nhint: environment.register\(workspace\) keeps one"),
        ({"name": "training", "version": "7"}, r"the environment 'training' has no version '7'\nhint: there are: 1, 2"),
        ({"name": "training", "version": "../1"}, "has no version"),
        ({"name": "training", "version": "\u0661"}, "has no version"),
        ({"name": "training", "label": "best"}, "label is 'best'"),
        ({"name": "training", "version": "1", "label": "Latest"}, "give either a version or label"),
        ({"name": "AzureML-sklern-1.5"}, "is not among the curated environments"),
    ],
)
def test_what_is_not_there_is_told(workspace, asked, told):
    with_packages("training", "a").register(workspace)
    with_packages("training", "b").register(workspace)
    with pytest.raises(UserErrorException, match=told):
        Environment.get(workspace, **asked)


def test_the_workspace_lists_them_by_name(workspace):
    with_packages("b", "x").register(workspace)
    with_packages("a", "x").register(workspace)
    with_packages("a", "y").register(workspace)
    assert [(each.name, each.version) for each in workspace.environments.values()][:2] == [("a", "2"), ("b", "1")]
    assert set(workspace.environments()) == set(Environment.list(workspace))


DAMAGES = [b"", b"{", b"[]", b"null", b'{"format": 2}', b'{"format": 1}', b"\xff", b'{"format": 1, "name": "x", "version": "2", "created": 1, "document": [], "spec": {}}']


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_and_costs_nothing_else(workspace, damage, capsys):
    with_packages("x", "a").register(workspace)
    with_packages("x", "b").register(workspace)
    with_packages("y", "b").register(workspace)
    newest = next(path for path in files(workspace) if path.endswith("2.json"))
    with open(newest, "wb") as file:
        file.write(damage)
    with pytest.raises(FormatError, match=r"2\.json") as raised:
        Environment.get(workspace, "x")
    assert raised.value.hint
    assert Environment.get(workspace, "x", version="1").to_spec().pip == ("a",)
    assert Environment.list(workspace)["x"].version == "1"
    assert "2.json" in capsys.readouterr().out
    assert with_packages("x", "c").register(workspace).version == "3"


def test_other_files_are_passed_over(workspace):
    with_packages("x", "a").register(workspace)
    folder = os.path.dirname(files(workspace)[0])
    for name in ("notes.txt", "007.json", "-1.json", "x.json", "9.json.123.abcd"):
        with open(os.path.join(folder, name), "w"):
            pass
    assert registered.versions(workspace.directory.path, "x") == ["1"]


WRITER = """
import sys
from amlnb import CondaDependencies, Environment, Workspace
workspace = Workspace.from_config()
mine, rounds = sys.argv[1], int(sys.argv[2])
sys.stdin.readline()
for i in range(rounds):
    made = Environment("shared")
    made.python.conda_dependencies = CondaDependencies.create(pip_packages=[f"{mine}{i}"])
    print(made.register(workspace).version, flush=True)
"""


def test_writers_at_once_get_versions_of_their_own(workspace):
    rounds = 30
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, name, str(rounds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]
    told = []
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        told += map(int, writer.communicate()[0].split())
        assert writer.returncode == 0
    assert sorted(told) == list(range(1, 2 * rounds + 1))
    for path in files(workspace):
        with open(path) as file:
            record = json.load(file)
        assert path.endswith(f"{os.sep}{record['version']}.json")


def test_writers_of_the_same_content_get_the_same_version(workspace):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, "same", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert {writer.communicate()[0].strip() for writer in writers} == {"1"}


def test_a_workspace_that_cannot_be_written_to_is_told(workspace):
    with open(os.path.join(workspace.directory.path, "environments"), "w"):
        pass  # in the place of the folder
    with pytest.raises(UserErrorException, match=r"the environment 'x' cannot be written to the workspace .*\nhint: free"):
        with_packages("x", "a").register(workspace)
