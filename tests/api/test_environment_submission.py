"""Environments of submissions: what a configuration asks for, and what a run tells of it."""

import contextlib
import json
import os
import sys
import warnings

import nbformat
import pytest

from amlnb import (
    CondaDependencies,
    DockerConfiguration,
    Environment,
    Experiment,
    NotebookRunConfig,
    RunConfiguration,
    ScriptRunConfig,
    Workspace,
)
from amlnb.errors import EnvironmentBuildException, RunConfigurationException, UserErrorException
from amlnb.specs.environment_spec import WORKSPACE
from tests.environments.package_files import make_wheel


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("import os, sys; print(os.environ.get('A'), sys.executable)")
    return Workspace.find_or_create(str(tmp_path))[0]


def with_packages(*packages, name="x"):
    made = Environment(name)
    made.python.conda_dependencies = CondaDependencies.create(pip_packages=list(packages))
    return made


def spec_of(workspace=None, **config):
    return ScriptRunConfig(".", "train.py", **config).to_spec("e", None, workspace)


def user_managed(config):
    config.environment.python.user_managed_dependencies = True


def with_name(config):
    config.environment = Environment("mine")


def packages_in_place(config):
    config.environment.python.conda_dependencies.add_pip_package("a")


def variables_in_place(config):
    config.environment.environment_variables["A"] = "b"


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        (lambda config: None, None),
        (user_managed, (WORKSPACE, "default-environment", (), {})),
        (with_name, (WORKSPACE, "mine", (), {})),
        (packages_in_place, ("pip", "default-environment", ("a",), {})),
        (variables_in_place, (WORKSPACE, "default-environment", (), {"A": "b"})),
    ],
)
def test_a_run_configuration_has_an_environment_from_the_start(change, asked):
    config = RunConfiguration()
    assert isinstance(config.environment, Environment)
    change(config)
    found = spec_of(run_config=config).environment
    assert (found and (found.kind, found.name, found.pip, found.variables)) == asked


def test_packages_of_a_run_configuration():
    made = CondaDependencies.create(pip_packages=["a"])
    config = RunConfiguration(framework="python", conda_dependencies=made)
    assert config.environment.python.conda_dependencies is made
    spec = spec_of(run_config=config)
    assert (spec.environment.pip, spec.warnings) == (("a",), ())


def test_an_environment_that_is_taken_away_is_the_default_again():
    config = RunConfiguration()
    config.environment = with_packages("a")
    config.environment = None
    assert spec_of(run_config=config).environment is None


def test_an_environment_is_given_itself_or_by_its_name(workspace):
    made = with_packages("a")
    made.register(workspace)
    assert spec_of(environment=made).environment == made.to_spec()
    found = spec_of(workspace, environment="x").environment
    assert (found.name, found.version, found.pip) == ("x", "1", ("a",))
    assert spec_of(workspace, environment="azureml-sklearn-1.5").environment.name == "AzureML-sklearn-1.5"
    with pytest.raises(UserErrorException, match="there is no environment 'y' in this workspace"):
        spec_of(workspace, environment="y")
    with pytest.raises(RunConfigurationException, match="there is no workspace to look in"):
        spec_of(environment="x")
    with pytest.raises(UserErrorException, match="there is no environment 'y' in this workspace"):
        Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py", environment="y"))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"environment": {"name": "x"}}, "environment is a dict"),
        ({"docker_runtime_config": True}, r"docker_runtime_config is a bool\nhint: .*use_docker=True"),
        ({"run_config": {}}, "run_config is a dict"),
    ],
)
def test_values_of_other_types_are_refused(config, told):
    with pytest.raises(RunConfigurationException, match=told):
        ScriptRunConfig(".", "train.py", **config)


def test_misspelled_names_are_refused():
    with pytest.raises(TypeError, match="enviroment"):
        ScriptRunConfig(".", "train.py", enviroment=Environment("x"))
    with pytest.raises(AttributeError, match="has no attribute 'enviroment'"):
        RunConfiguration().enviroment = Environment("x")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"environment": Environment("x")}, "environment was ignored: run_config was given too"),
        (
            {"environment": Environment("x"), "compute_target": "local", "docker_runtime_config": DockerConfiguration()},
            "compute_target and environment and docker_runtime_config were ignored: run_config was given too",
        ),
        ({"max_run_duration_seconds": 5}, "max_run_duration_seconds was ignored: run_config was given too"),
    ],
)
def test_what_is_given_beside_a_run_configuration_is_ignored_and_told(given, told):
    spec = spec_of(run_config=RunConfiguration(), **given)
    assert spec.environment is None
    assert told in spec.warnings


def test_what_docker_settings_do_is_told():
    use = {"docker_runtime_config": DockerConfiguration(use_docker=True, arguments=["--gpus", "all"])}
    assert spec_of(**use, environment=with_packages("a")).warnings == (
        "use_docker has no effect: packages are installed on the machine that runs them, in no container",
    )
    image = Environment.from_docker_image("x", "mine:1")
    spec = spec_of(**use, environment=image)
    assert (spec.warnings, spec.docker) == ((), {"arguments": ["--gpus", "all"], "shm_size": "2g"})
    assert spec_of(docker_runtime_config=DockerConfiguration(), environment=image).warnings == ()


def test_the_old_switch_of_docker_is_that_of_the_run_configuration():
    made = Environment("x")
    with warnings.catch_warnings(action="ignore"):
        made.docker.enabled = True
        made.docker.shm_size = "8g"
    config = RunConfiguration()
    config.environment = made
    assert (config.docker.use_docker, config.docker.shm_size) == (True, "8g")


def test_a_python_that_nothing_is_built_for_is_among_the_warnings():
    made = Environment("x")
    made.python.conda_dependencies.set_python_version("3.6.2")
    assert "Python 3.6.2 and no package is asked for" in spec_of(environment=made).warnings[0]


def test_variables_of_the_configuration_go_before_those_of_the_environment(workspace):
    config = RunConfiguration()
    config.environment.environment_variables = {"A": "environment", "B": "environment"}
    config.environment_variables = {"A": "configuration"}
    run = Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py", run_config=config))
    definition = run.get_details()["runDefinition"]
    assert definition["environment"]["environmentVariables"] == {"A": "configuration", "B": "environment"}
    run.wait_for_completion()
    assert run.get_status() == "Completed"
    with open(f"{run.directory}/user_logs/std_log.txt") as file:
        assert file.read().startswith("configuration")


def test_a_run_tells_what_it_was_given(workspace):
    run = Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py"))
    found = run.get_environment()
    assert found.python.user_managed_dependencies
    assert found.python.interpreter_path == sys.executable
    assert run.get_details()["runDefinition"]["environment"]["python"]["interpreterPath"] == sys.executable
    made = Environment("mine")
    made.python.user_managed_dependencies = True
    made.python.interpreter_path = sys.executable
    run = Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py", environment=made))
    assert (run.get_environment().name, run.get_environment().python.interpreter_path) == ("mine", sys.executable)
    run.wait_for_completion()
    assert run.get_status() == "Completed"


def test_a_run_has_the_packages_of_its_environment(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    make_wheel(tmp_path / "wheels", "tiny-thing", "1.5")
    (tmp_path / "train.py").write_text("import tiny_thing, sys; print(tiny_thing.__version__, sys.prefix)")
    made = with_packages("tiny-thing", f"--find-links {tmp_path / 'wheels'}", "--no-index", name="mine").register(workspace)
    run = Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py", environment=made))
    run.wait_for_completion()
    assert run.get_status() == "Completed", run.get_details()
    with open(f"{run.directory}/user_logs/std_log.txt") as file:
        assert file.read().startswith("1.5 ")
    told = run.get_details()["runDefinition"]["environment"]
    assert (told["name"], told["version"], told["lock"]["packages"]) == ("mine", "1", {"tiny-thing": "1.5"})
    assert "tiny-thing" in run.get_environment().python.conda_dependencies.pip_packages
    assert "azureml-logs/20_image_build_log.txt" in run.get_file_names()


def test_an_environment_is_built_ahead(workspace, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    make_wheel(tmp_path / "wheels", "tiny-thing", "1.5")
    made = with_packages("tiny-thing", f"--find-links {tmp_path / 'wheels'}", "--no-index")
    assert made.get_image_details(workspace)["imageExistsInRegistry"] is False
    build = made.build(workspace)
    build.wait_for_completion(show_output=True)
    assert build.status == "Succeeded"
    assert "ready" in capsys.readouterr().out
    told = made.get_image_details(workspace)
    assert (told["imageExistsInRegistry"], told["packages"]) == (True, {"tiny-thing": "1.5"})
    broken = with_packages("no-such-thing", "--no-index").build_local(workspace)
    with pytest.raises(EnvironmentBuildException, match="no-such-thing"):
        broken.wait_for_completion(show_output=False)
    assert (broken.status, capsys.readouterr().out) == ("Failed", "")


def test_what_asks_for_nothing_is_built_at_once(workspace, capsys):
    build = Environment("x").build(workspace)
    build.wait_for_completion()
    assert (build.status, repr(build)) == ("Succeeded", "ImageBuildDetails(environment='x', status='Succeeded')")
    assert "there is nothing to build" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("made", "pip"),
    [
        (lambda: with_packages("numpy"), ("numpy", "papermill", "ipykernel")),
        (lambda: with_packages("Papermill==2.6", "azureml-contrib-notebook[full]"), ("Papermill==2.6", "ipykernel")),
        (lambda: Environment("x"), ()),
        (lambda: Environment.from_docker_image("x", "mine:1"), ()),
    ],
)
def test_what_executes_a_notebook_is_added_to_what_is_built(workspace, tmp_path, made, pip):
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "train.ipynb")
    config = RunConfiguration()
    config.environment = made()
    spec = NotebookRunConfig(".", "train.ipynb", run_config=config).to_spec("e")
    assert spec.environment.pip == pip


@pytest.mark.parametrize(
    "asked", [{"pip": 3}, {"name": 3}, {"variables": [1]}, {"new in version 9": 1}, {"pip": [[]]}, {"python": 3, "pip": ["a"]}]
)
def test_a_damaged_record_costs_only_its_environment(workspace, asked):
    run = Experiment(workspace, "e").submit(ScriptRunConfig(".", "train.py"))
    run.wait_for_completion()
    path = os.path.join(run.directory, "run.json")
    with open(path) as file:
        record = json.load(file)
    record["definition"]["environment"] = asked
    with open(path, "w") as file:
        json.dump(record, file)
    again = next(Experiment(workspace, "e").get_runs())
    assert again.get_details()["runDefinition"]["environment"]["python"] is not None
    with contextlib.suppress(UserErrorException):
        again.get_environment()
