"""What a run tells of the environment that was asked for: that, and not what became of it."""

import json
import os
import sys

import pytest

from amlnb.api.conda_dependencies import CondaDependencies
from amlnb.api.environment import Environment
from amlnb.api.experiment import Experiment
from amlnb.api.script_run_config import ScriptRunConfig
from amlnb.api.workspace import Workspace
from amlnb.environments.asking import request_of
from amlnb.specs.environment_spec import EnvironmentSpec

BASE_IMAGE = "mcr.microsoft.com/azureml/base:intelmpi2018.3-ubuntu16.04"


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("print('ran')")
    return Workspace.find_or_create(str(tmp_path))[0]


def user_managed():
    made = Environment("mine")
    made.python.user_managed_dependencies = True
    return made


def of_a_base_image():
    made = Environment("mine")
    made.docker.base_image = BASE_IMAGE
    made.python.conda_dependencies = CondaDependencies.create(pip_packages=["azureml-defaults"])
    return made


def of_an_interpreter():
    made = user_managed()
    made.python.interpreter_path = sys.executable
    return made


def strict():
    return Environment("mine", strict=True)


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("make", [user_managed, of_a_base_image, of_an_interpreter, strict])
def test_a_run_tells_what_was_asked_for(workspace, make, registered):
    made = make()
    made.environment_variables = {"A": "1"}
    made = made.register(workspace) if registered else made
    run = Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py", environment=made))
    expected = made.to_document()
    assert run.get_environment().to_document() == expected
    told = run.get_details()["runDefinition"]["environment"]
    assert {name: told[name] for name in expected} == expected
    run.wait_for_completion()
    assert run.get_status() == "Completed"
    again = Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py", environment=run.get_environment()))
    again.wait_for_completion()
    assert again.get_environment().to_document() == expected


def test_a_file_is_told_by_its_content_and_passwords_are_not_told(workspace, tmp_path):
    (tmp_path / "env.yml").write_text(
        "dependencies:\n- pip:\n  - --extra-index-url https://me:S3cr3t@h.invalid/simple\n  - azureml-defaults\n  - tqdm\n"
    )
    made = Environment("mine")
    made.python.conda_dependencies_file = str(tmp_path / "env.yml")
    spec = made.to_spec()
    assert spec.credentials == {"h.invalid": "me:S3cr3t"}
    told = json.dumps(spec.to_dict())
    assert "S3cr3t" not in told
    os.remove(tmp_path / "env.yml")
    read = Environment.from_spec(EnvironmentSpec.from_dict(json.loads(told)))
    assert read.python.conda_dependencies_file is None
    assert list(read.python.conda_dependencies.pip_packages) == ["azureml-defaults", "tqdm"]
    assert read.to_spec() == spec


def test_what_was_written_changes_no_key():
    made = of_a_base_image()
    made.python.conda_dependencies.add_pip_package("tqdm")
    spec = made.to_spec()
    plain = EnvironmentSpec(pip=("tqdm",), origin="r.txt")
    assert request_of(spec, os.environ).key == request_of(plain, os.environ).key
    assert request_of(spec, os.environ).spec.document == {}
