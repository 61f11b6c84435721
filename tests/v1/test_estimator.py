"""The estimators of v1: what they become, and what is told of it."""

import inspect
import os
import warnings

import nbformat
import pytest

from amlnb.api import compute_machine
from amlnb.api.compute import AmlCompute, ComputeTarget, RemoteCompute
from amlnb.api.conda_dependencies import CondaDependencies
from amlnb.api.distributed import Gloo, Mpi, MpiConfiguration, Nccl, ParameterServer, PyTorchConfiguration
from amlnb.api.environment import Environment
from amlnb.api.environment_sections import ContainerRegistry
from amlnb.api.estimator import Estimator
from amlnb.api.estimator_frameworks import Chainer, PyTorch, SKLearn, TensorFlow
from amlnb.api.experiment import Experiment
from amlnb.api.workspace import Workspace
from amlnb.errors import NotServedException, TrainingException, UserErrorException
from amlnb.specs.environment_spec import CONDA, CONTAINER, PIP, WORKSPACE

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated. give ScriptRunConfig:DeprecationWarning")
ALL = (Estimator, PyTorch, TensorFlow, Chainer, SKLearn)
FRAMEWORKS = {
    PyTorch: "torch==1.4.*",
    TensorFlow: "tensorflow==1.13.*",
    Chainer: "chainer==7.8.1",
    SKLearn: "scikit-learn==0.20.3",
}


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.py").write_text("import os, sys; print(sys.argv[1:], os.environ.get('A'))")
    return Workspace.find_or_create(str(tmp_path))[0]


def spec_of(cls=Estimator, workspace=None, **given):
    return cls(source_directory=".", **{"compute_target": "cluster", "entry_script": "train.py", **given}).to_spec(
        "e", None, workspace
    )


@pytest.mark.parametrize("cls", ALL)
def test_it_is_deprecated_and_says_what_is_not(cls):
    with pytest.warns(DeprecationWarning, match=f"{cls.__name__} is deprecated: give ScriptRunConfig"):
        cls(".", entry_script="train.py")


@pytest.mark.parametrize("cls", ALL)
def test_an_estimator_is_a_run_configuration(cls):
    made = cls(source_directory="src", compute_target="cpu-cluster", entry_script="train.py", script_params={"--a": 1})
    assert (made.source_directory, made.run_config.target, made.run_config.script) == ("src", "cpu-cluster", "train.py")
    assert made.conda_dependencies is made.run_config.environment.python.conda_dependencies
    assert made.run_config.arguments == ["--a", 1]
    made.conda_dependencies.add_pip_package("tqdm")
    spec = made.to_spec("e", {"a": 1})
    assert "tqdm" in spec.environment.pip
    assert (spec.target_is_soft, spec.timeout_s, spec.tags) == (True, 2592000, {"a": "1"})
    assert repr(made) == f"{cls.__name__}('src', entry_script='train.py')"


def test_parameters_of_the_script():
    params = {
        "--rate": 0.1,
        "--flag": "",
        "--many": [1, 2],
        "--pair": ("a", "b"),
        "--none": None,
        "--name": "x y",
        "--no": False,
    }
    expected = ("--rate", 0.1, "--flag", "--many", 1, 2, "--pair", "a", "b", "--none", "--name", "x y", "--no", False)
    assert spec_of(script_params=params).arguments == expected


@pytest.mark.parametrize(("cls", "requirement"), FRAMEWORKS.items())
def test_a_framework_is_what_exists_today(cls, requirement):
    spec = spec_of(cls, pip_packages=["pillow==5.4.1", "numpy"])
    assert (spec.environment.kind, spec.environment.pip[0]) == (PIP, requirement)
    assert {"pillow==5.4.1", "numpy"} <= set(spec.environment.pip)
    assert spec.environment.python is None
    (told,) = spec.environment.news
    assert " stands for " in told
    assert requirement in told
    assert ["chainer==7.8.1, its last version, is taken" in each for each in spec.warnings] == [True] * (cls is Chainer)
    assert spec.environment.notes == ()


@pytest.mark.parametrize(
    ("cls", "version", "requirement"),
    [
        (PyTorch, "1.2", "torch==1.2.*"),
        (PyTorch, "1.13", "torch==1.13.*"),
        (PyTorch, "2.2.1", "torch==2.2.1"),
        (TensorFlow, "2.0", "tensorflow==2.0.*"),
        (Chainer, "7.0.0", "chainer==7.8.1"),
        (SKLearn, "1.5", "scikit-learn==1.5.*"),
    ],
)
def test_any_version_is_taken_and_one_that_v1_did_not_have_is_told(cls, version, requirement):
    spec = spec_of(cls, framework_version=version)
    assert spec.environment.pip[0] == requirement
    known = version in cls._packages.known
    assert [f"{version} is not among the versions of v1's own" in told for told in spec.warnings if "v1" in told] == [
        True
    ] * (not known)


def test_what_is_added_goes_before_what_the_framework_brings():
    spec = spec_of(PyTorch, pip_packages=["torch==1.6.0"])
    assert [each for each in spec.environment.pip if each.startswith("torch=")] == ["torch==1.6.0"]


def test_packages_of_all_kinds(tmp_path):
    (tmp_path / "conda.yml").write_text("dependencies:\n- scikit-learn=1.5\n- pip:\n  - joblib\n")
    (tmp_path / "requirements.txt").write_text("--extra-index-url https://example.invalid/simple\ntqdm>=4 # progress\n")
    made = Estimator(
        str(tmp_path), entry_script="train.py", conda_dependencies_file="conda.yml", pip_requirements_file="requirements.txt",
        conda_packages=["scipy"], pip_packages=["pandas"],
    )  # fmt: skip
    spec = made.to_spec("e").environment
    assert (spec.kind, spec.conda) == (CONDA, ("scikit-learn=1.5", "scipy"))
    assert spec.pip == ("joblib", "tqdm>=4", "pandas")
    assert spec.pip_options == ("--extra-index-url https://example.invalid/simple",)
    old = Estimator(str(tmp_path), entry_script="train.py", conda_dependencies_file_path="conda.yml")
    assert old.to_spec("e").environment.pip == ("joblib",)


def test_nothing_asked_for_is_the_workspaces_own_python():
    environment = spec_of().environment
    assert (environment.kind, environment.notes) == (WORKSPACE, ())
    environment = spec_of(PyTorch, user_managed=True, environment_variables={"A": 1}).environment
    assert (environment.kind, environment.pip, environment.variables) == (WORKSPACE, (), {"A": "1"})


def test_an_image():
    spec = spec_of(custom_docker_image="mine:1", user_managed=True, shm_size="8g")
    assert (spec.environment.kind, spec.environment.image) == (CONTAINER, "mine:1")
    assert spec.docker == {"arguments": [], "shm_size": "8g"}
    spec = spec_of(custom_docker_base_image="mine:1", use_docker=False)
    assert (spec.environment.kind, spec.warnings) == (
        WORKSPACE,
        ("the image 'mine:1' is left out: use_docker is False",),
    )


def test_an_environment_stands_in_place_of_all_that_says_packages():
    made = Environment("mine")
    made.python.conda_dependencies = CondaDependencies.create(pip_packages=["a"])
    spec = spec_of(PyTorch, environment_definition=made, pip_packages=["b"], framework_version="1.5")
    assert spec.environment.pip == ("a",)
    assert spec.warnings == ("pip_packages and framework_version were ignored: environment_definition was given too",)


@pytest.mark.parametrize(
    ("cls", "given", "asked"),
    [
        (PyTorch, {"node_count": 2, "process_count_per_node": 1, "distributed_training": MpiConfiguration()},
         {"framework": "Python", "communicator": "IntelMpi", "node_count": 2, "process_count_per_node": 1}),
        (PyTorch, {"node_count": 2, "distributed_training": Nccl()},
         {"framework": "PyTorch", "communicator": "nccl", "node_count": 2, "process_count": None}),
        (PyTorch, {"node_count": 2, "process_count_per_node": 4, "distributed_training": Nccl()},
         {"framework": "PyTorch", "communicator": "nccl", "node_count": 2, "process_count": 8}),
        (PyTorch, {"node_count": 2, "process_count_per_node": 4, "distributed_backend": "gloo"},
         {"framework": "PyTorch", "communicator": "gloo", "node_count": 2, "process_count": 8}),
        (PyTorch, {"process_count_per_node": 4, "distributed_training": PyTorchConfiguration("Gloo", 3)},
         {"framework": "PyTorch", "communicator": "gloo", "node_count": 1, "process_count": 3}),
        (PyTorch, {"distributed_training": Gloo()},
         {"framework": "PyTorch", "communicator": "gloo", "node_count": 1, "process_count": None}),
        (PyTorch, {"node_count": 2, "distributed_training": PyTorchConfiguration("Gloo", 4)},
         {"framework": "PyTorch", "communicator": "gloo", "node_count": 2, "process_count": 4}),
        (PyTorch, {"node_count": 2, "distributed_backend": "nccl"},
         {"framework": "PyTorch", "communicator": "nccl", "node_count": 2, "process_count": None}),
        (Chainer, {"node_count": 2, "distributed_training": Mpi()},
         {"framework": "Python", "communicator": "IntelMpi", "node_count": 2, "process_count_per_node": 1}),
        (Estimator, {"node_count": 2, "process_count_per_node": 4, "distributed_backend": "mpi"},
         {"framework": "Python", "communicator": "IntelMpi", "node_count": 2, "process_count_per_node": 4}),
        (TensorFlow, {"node_count": 2, "distributed_backend": "ps", "worker_count": 2, "parameter_server_count": 1},
         {"framework": "TensorFlow", "communicator": "ParameterServer", "node_count": 2, "worker_count": 2,
          "parameter_server_count": 1}),
        (TensorFlow, {"node_count": 2, "distributed_training": ParameterServer(worker_count=2)},
         {"framework": "TensorFlow", "communicator": "ParameterServer", "node_count": 2, "worker_count": 2,
          "parameter_server_count": 1}),
        (Estimator, {"node_count": 3},
         {"framework": "Python", "communicator": "None", "node_count": 3, "process_count_per_node": 1}),
        (Estimator, {}, None),
    ],
)  # fmt: skip
def test_several_processes_are_kept_and_told(cls, given, asked):
    spec = spec_of(cls, **given)
    assert spec.distributed == asked
    told = [each for each in spec.warnings if "this run starts one process on one machine" in each]
    several = asked is not None and (
        asked["node_count"] > 1 or asked.get("process_count_per_node", 1) > 1 or (asked.get("process_count") or 1) > 1
    )
    assert len(told) == several


@pytest.mark.parametrize(
    ("cls", "given", "told"),
    [
        (Estimator, {"user_managed": True, "pip_packages": ["a"]}, "pip_packages was left out: user_managed is True"),
        (Estimator, {"user_managed": True, "conda_dependencies_file_path": "a"}, "conda_dependencies_file_path was left out"),
        (PyTorch, {"user_managed": True}, "PyTorch is not installed: user_managed is True"),
        (Estimator, {"shm_size": "8g"}, "shm_size has no effect: there is no custom_docker_image"),
        (
            Estimator, {"image_registry_details": ContainerRegistry()},
            "image_registry_details has no effect: there is no custom_docker_image",
        ),
        (Estimator, {"vm_priority": "lowpriority"}, "vm_priority has no effect: vm_size was not given"),
        (Estimator, {"vm_size": "X"}, "vm_size has no effect: compute_target was given too"),
        (TensorFlow, {"worker_count": 4}, "worker_count has no effect: distributed_backend is not 'ps'"),
        (
            TensorFlow, {"distributed_backend": "ps", "process_count_per_node": 2},
            "process_count_per_node has no effect with parameter servers",
        ),
    ],
)  # fmt: skip
def test_what_an_estimator_leaves_out_is_told(cls, given, told):
    assert [each for each in spec_of(cls, **given).warnings if each.startswith(told)]


def test_what_has_its_effect_is_not_told():
    assert spec_of(custom_docker_image="a:1", shm_size="8g", image_registry_details=ContainerRegistry()).warnings == ()
    assert spec_of(compute_target=None, vm_size="X", vm_priority="lowpriority").warnings == ()
    assert spec_of(user_managed=True).warnings == ()


@pytest.mark.parametrize("name", ["pip_requirements_file", "pip_requirements_file_path"])
@pytest.mark.parametrize("cls", ALL)
def test_a_file_of_requirements_that_is_missing_is_an_error(cls, name):
    with pytest.raises(UserErrorException, match=r"nowhere\.txt"):
        spec_of(cls, **{name: "nowhere.txt"})


@pytest.mark.parametrize(
    ("cls", "given", "told"),
    [
        (Estimator, {"node_count": 2, "compute_target": "local"}, "node_count is 2, and the compute target is 'local'"),
        (Estimator, {"node_count": 2, "compute_target": None}, "node_count is 2, and the compute target is 'local'"),
        (Estimator, {"node_count": 0}, "node_count is 0"),
        (Estimator, {"script_params": ["--a", 1]}, "script_params is a list"),
        (Estimator, {"pip_packages": "numpy"}, "pip_packages is 'numpy'"),
        (Estimator, {"conda_packages": [1]}, r"conda_packages is \[1\]"),
        (Estimator, {"environment_definition": "mine"}, "environment_definition is a str"),
        (Estimator, {"custom_docker_image": "a:1", "image_registry_details": {}}, "image_registry_details is a dict"),
        (Estimator, {"pip_requirements_file": "a", "pip_requirements_file_path": "b"}, "were both given"),
        (Estimator, {"distributed_backend": "gloo"}, "distributed_backend is 'gloo', which Estimator does not know"),
        (Chainer, {"distributed_training": Nccl()}, "distributed_training is a Nccl, which Chainer does not know"),
        (PyTorch, {"distributed_training": "mpi"}, "distributed_training is a str, which PyTorch does not know"),
        (PyTorch, {"framework_version": 1.4}, "framework_version is 1.4"),
        (PyTorch, {"framework_version": "newest; rm"}, "framework_version is 'newest; rm'"),
        (TensorFlow, {"distributed_backend": "ps", "worker_count": 0}, "worker_count is 0"),
    ],
)
def test_what_cannot_be_trained_with(cls, given, told):
    with pytest.raises(TrainingException, match=told):
        spec_of(cls, **given)


@pytest.mark.parametrize("given", [{"inputs": ["data"]}, {"source_directory_data_store": "store"}])
def test_data_that_is_not_served_yet_is_refused(given):
    with pytest.raises(NotServedException, match="not served yet"):
        spec_of(**given)


def test_misspelt_keywords_and_missing_files_are_told(tmp_path):
    with pytest.raises(TypeError, match="entry_scirpt"):
        Estimator(".", entry_scirpt="train.py")
    with pytest.raises(UserErrorException, match=r"no-such\.yml"):
        spec_of(conda_dependencies_file="no-such.yml")


def test_a_gpu_that_is_not_there_is_told_where_the_run_will_be(workspace):
    key = RemoteCompute.attach_configuration(username="me", address="box")
    ComputeTarget.attach(workspace, "box", key)
    AmlCompute.create(workspace, "cpu-cluster", AmlCompute.provisioning_configuration(vm_size="X"))
    told = ("use_gpu=True was given, and this machine has no GPU",) if not compute_machine.this_machine().gpus else ()
    for target, expected in (("cpu-cluster", told), ("never-made", told), ("box", ()), (None, told)):
        spec = spec_of(workspace=workspace, compute_target=target, use_gpu=True)
        assert [each.partition(":")[0] for each in spec.warnings] == list(expected)


def test_a_size_alone_is_this_machine(workspace):
    assert spec_of(compute_target=None, vm_size="STANDARD_D2_V2", node_count=2).target == "amlcompute"
    assert spec_of(compute_target=None).target == "local"


def test_what_resuming_does_is_told():
    assert spec_of(resume_from=object()).warnings == ("resume_from has no effect: the run starts anew",)


def test_a_notebook_is_an_entry_script(workspace, tmp_path):
    cell = nbformat.v4.new_code_cell("learning_rate = 0.5", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "train.ipynb")
    spec = spec_of(SKLearn, entry_script="train.ipynb", script_params={"--learning-rate": 0.1})
    assert spec.arguments[:2] == ("train.ipynb", "outputs/train.output.ipynb")
    assert spec.properties == {"param.learning_rate": "0.1"}
    assert "papermill" in spec.environment.pip


def test_an_estimator_runs(workspace):
    made = Estimator(
        ".", compute_target="cpu-cluster", entry_script="train.py", script_params={"--a": 1, "--flag": ""},
        environment_variables={"A": "b"}, max_run_duration_seconds=60,
    )  # fmt: skip
    run = Experiment(workspace, "e").submit(made.to_spec("e", None, workspace))
    details = run.wait_for_completion()
    assert (details["status"], details["target"]) == ("Completed", "cpu-cluster")
    with open(os.path.join(run.directory, "user_logs", "std_log.txt")) as file:
        assert file.read() == "['--a', '1', '--flag'] b\n"


@pytest.mark.slow
def test_an_old_pin_becomes_what_installs_here_and_that_is_told(workspace, tmp_path):
    (tmp_path / "train.py").write_text("import sklearn; print(sklearn.__version__)")
    made = SKLearn(".", compute_target="cpu-cluster", entry_script="train.py", pip_packages=["pillow==5.4.1"])
    run = Experiment(workspace, "e").submit(made.to_spec("e", None, workspace))
    run.wait_for_completion()
    told = "\n".join(each["message"] for each in run.get_details()["warnings"])
    assert "scikit-learn==0.20.3 cannot be met" in told
    assert "stands for" not in told
    with open(f"{run.directory}/azureml-logs/20_image_build_log.txt") as file:
        assert "scikit-learn 0.20.3 stands for scikit-learn==0.20.3, " in file.read()


ESTIMATOR = (
    "source_directory compute_target vm_size vm_priority entry_script script_params node_count process_count_per_node "
    "{}distributed_backend distributed_training use_gpu use_docker custom_docker_base_image custom_docker_image "
    "image_registry_details user_managed conda_packages pip_packages conda_dependencies_file_path "
    "pip_requirements_file_path conda_dependencies_file pip_requirements_file environment_variables "
    "environment_definition inputs source_directory_data_store shm_size resume_from max_run_duration_seconds "
    "{}_disable_validation _show_lint_warnings _show_package_warnings"
)
VERSION = "framework_version _enable_optimized_mode "
OF_SKLEARN = (
    "source_directory compute_target vm_size vm_priority entry_script script_params use_docker custom_docker_image "
    "image_registry_details user_managed conda_packages pip_packages conda_dependencies_file_path "
    "pip_requirements_file_path conda_dependencies_file pip_requirements_file environment_variables "
    "environment_definition inputs shm_size resume_from max_run_duration_seconds "
    f"{VERSION}_disable_validation _show_lint_warnings _show_package_warnings"
)


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        (Estimator, ESTIMATOR.format("", "")),
        (PyTorch, ESTIMATOR.format("", VERSION)),
        (Chainer, ESTIMATOR.format("", VERSION)),
        (TensorFlow, ESTIMATOR.format("worker_count parameter_server_count ", VERSION)),
        (SKLearn, OF_SKLEARN),
    ],
)
def test_signatures_are_v1s(cls, names):
    parameters = inspect.signature(cls).parameters
    assert list(parameters) == names.split()
    assert {each.kind for each in list(parameters.values())[1:]} == {inspect.Parameter.KEYWORD_ONLY}
    defaults = {
        **{name: each.default for name, each in inspect.signature(Estimator).parameters.items()},
        "framework_version": None,
        "_enable_optimized_mode": False,
        "worker_count": 1,
        "parameter_server_count": 1,
    }
    assert {name: each.default for name, each in parameters.items()} == {name: defaults[name] for name in parameters}


def test_defaults_are_v1s():
    given = {name: each.default for name, each in inspect.signature(Estimator).parameters.items()}
    assert {name for name, value in given.items() if value is None} == {
        *ESTIMATOR.format("", "").split()
    } - {"source_directory", "node_count", "process_count_per_node", "use_gpu", "use_docker", "user_managed"} - {
        "_disable_validation", "_show_lint_warnings", "_show_package_warnings",
    }  # fmt: skip
    told = {
        name: given[name] for name in ("node_count", "process_count_per_node", "use_gpu", "use_docker", "user_managed")
    }
    assert list(told.values()) == [1, 1, False, True, False]


@pytest.mark.parametrize("cls", ALL[1:])
def test_a_misspelt_parameter_of_a_framework_is_pythons_own_error(cls):
    with pytest.raises(TypeError, match="entry_scirpt"):
        cls(".", entry_scirpt="train.py")
    with pytest.raises(TypeError, match="positional"):
        cls(".", "cpu-cluster")
    with pytest.raises(TypeError, match="source_directory"):
        cls(entry_script="train.py")


def test_a_warning_points_at_the_callers_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        PyTorch(".", entry_script="train.py")
    assert [each.filename for each in caught] == [__file__]
